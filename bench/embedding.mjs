// Embedding images: from files to vectors on disk, and the bare model on the same batches already in memory, in turn: one
// onnxruntime session of all threads that is given whole batches, as anyone would open it. The notes have two more: that
// session in embedding's steps of a few images, and the lanes that embedding runs it in.
//
//   npm run build && node bench/embedding.mjs [--images 256] [--vit-images 64] [--batch 16] [--rounds 3] [--without-extras 1]
//
// Two models, each left out where its number of images is 0:
// - NEMOSAIC_MODEL, else ../shared/models/lit-small where it exists, else the tiny one of the tests, which is so small that
//   decoding outweighs it: its ratio says little.
// - One in the shape of CLIP ViT-B/16, with random weights, which is made for the run where there is a Python with torch.
//
// Extras are fast decoding, and what the notes have. With few images the run's beginning and end weigh more than in any real
// pool. The photographs are those of NEMOSAIC_SAMPLE, else drawn ones.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { compared, interleaved, load, main, option, python, root, sampleDir, seconds, spread } from "./measure.mjs";

const tiny = join(root, "test", "fixtures", "tiny-clip", "model");
const vitB16 = { layers: 12, width: 768, pixels: 224 };

export async function benchEmbedding(size = {}) {
  const {
    images = option("images", 256),
    vitImages = option("vit-images", 64),
    batch = option("batch", 16),
    rounds = option("rounds", 3),
    withoutExtras = option("without-extras", 0) === 1,
    real = true,
    vit = vitB16,
  } = size;
  const { encodeJpeg, setImageThreads } = await load("codecs/index.ts");
  setImageThreads(1);
  const folder = await mkdtemp(join(tmpdir(), "nemosaic-bench-"));
  try {
    const shared = resolve(root, "..", "shared", "models", "lit-small");
    const spec = real ? process.env.NEMOSAIC_MODEL || (existsSync(shared) ? shared : tiny) : tiny;
    const runs = [];
    if (images > 0) runs.push({ spec, images, hasExtras: !withoutExtras });
    const made = vitImages > 0 ? vitModel(join(folder, "vit"), vit) : undefined;
    if (made !== undefined) runs.push({ spec: made, images: vitImages, hasExtras: false, name: vitName(vit) });
    const results = [];
    for (const run of runs) {
      const files = await jpegs(run.images, encodeJpeg);
      results.push(await benchModel({ ...run, files, batch, rounds, out: join(folder, "vectors") }));
    }
    return {
      bench: "embedding",
      rows: results.flatMap(({ rows }) => rows),
      notes: Object.assign({}, ...results.map(({ notes }) => notes)),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchModel({ spec, images, hasExtras, name, files, batch, rounds, out }) {
  const { embedSources, hubAccess, openImageTextModel } = await load("relevance/index.ts");
  const { decodeImage } = await load("codecs/index.ts");
  const hub = hubAccess({}, { offline: true });
  const threads = availableParallelism();
  const model = await openImageTextModel(spec, { hub, threads });
  const bare = await bareSession(spec, hub, threads, model.preprocessing);
  try {
    const batches = [];
    const length = 3 * model.preprocessing.width * model.preprocessing.height;
    for (let start = 0; start < images; start += batch) {
      const part = files.slice(start, start + batch);
      const pixels = new Float32Array(part.length * length);
      for (const [at, bytes] of part.entries())
        model.preprocess(await decodeImage(bytes), pixels.subarray(at * length, (at + 1) * length));
      batches.push({ pixels, count: part.length });
    }
    const source = {
      count: images,
      load: async (row) => files[row].slice(),
      name: (row) => `${row}.jpg`,
      hash: "bench",
    };
    const reports = [];
    const embed = (decode) => async () => {
      await rm(out, { recursive: true, force: true });
      const options = { folder: out, model, images: source, texts: [], onBad: "fail", imageBatch: batch, decode };
      return seconds(async () => reports.push((await embedSources(options)).images));
    };
    const inTurn = (run) => () =>
      seconds(async () => {
        for (const each of batches) await run(each);
      });
    // Opened here, as the bare session is: the first run would pay for it otherwise.
    const lanes = model.imageLanes > 1 ? model.lanes() : undefined;
    const one = { pixels: batches[0].pixels.slice(0, length), count: 1 };
    await Promise.all(Array.from({ length: model.imageLanes }, () => lanes?.embedImages(one)));
    const sides = { exact: embed("exact"), bare: inTurn(bare.run) };
    if (hasExtras) {
      sides.fast = embed("fast");
      sides.inSteps = inTurn(model.embedImages);
      if (lanes) sides.inLanes = () => seconds(() => Promise.all(batches.map((each) => lanes.embedImages(each))));
    }
    const took = await interleaved(rounds, sides);
    const rates = (side) => took[side].map((s) => images / s);
    const what = `${images} images in batches of ${batch}, ${name ?? model.id}`;
    const row = (side, how) =>
      compared(`${what}, decoded ${how}`, "images/s", rates(side), "the bare session", rates("bare"), "≥ 0.95");
    const waited =
      reports.reduce((sum, { waitMs }) => sum + waitMs, 0) /
      reports.reduce((sum, { waitMs, modelMs }) => sum + waitMs + modelMs, 0);
    const label = name === undefined ? "" : "Vit";
    return {
      rows: [row("exact", "exactly"), ...(hasExtras ? [row("fast", "fast")] : [])],
      notes: {
        [`model${label}`]: name ?? model.id,
        [`lanes${label}`]: model.imageLanes,
        [`lanesIdle${label}`]: Number(waited.toFixed(3)),
        ...(hasExtras ? { bareInSteps: spread(rates("inSteps")).median } : {}),
        ...(sides.inLanes ? { bareInLanes: spread(rates("inLanes")).median } : {}),
      },
    };
  } finally {
    await model.close();
    await bare.close();
  }
}

/** The vision model in a session of onnxruntime's own settings, given whole batches. */
async function bareSession(spec, hub, threads, { width, height }) {
  const { findModel } = await load("relevance/clip/model-files.ts");
  const { openSession } = await load("relevance/clip/session.ts");
  const { embedBatch } = await load("relevance/clip/vision.ts");
  const { silentProgress } = await load("io/index.ts");
  const { vision } = await findModel(spec, { dtype: "fp32", hub, progress: silentProgress });
  const session = await openSession(vision, { device: "cpu", threads });
  const task = { path: vision, width, height, imagesAtOnce: Number.POSITIVE_INFINITY, where: "the bare session" };
  return { run: (batch) => embedBatch(session, batch, task), close: () => session.close() };
}

const vitName = ({ layers, width }) =>
  layers === vitB16.layers && width === vitB16.width ? "in the shape of CLIP ViT-B/16" : `${layers} layers of ${width}`;

/** A folder as the hub has it, with random weights and the tests' tokenizer; undefined where there is no torch. */
function vitModel(folder, { layers, width, pixels }) {
  const interpreter = python("torch");
  if (interpreter === undefined) return undefined;
  const script = join(root, "bench", "vit_towers.py");
  const made = spawnSync(interpreter, [script, folder, layers, width, pixels].map(String), { encoding: "utf8" });
  if (made.status !== 0) {
    console.warn(`the model in the shape of ViT-B/16 could not be made: ${made.stderr.trim().split("\n").at(-1)}`);
    return undefined;
  }
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) cpSync(join(tiny, name), join(folder, name));
  const preprocessor = JSON.parse(readFileSync(join(tiny, "preprocessor_config.json"), "utf8"));
  Object.assign(preprocessor, { size: { shortest_edge: pixels }, crop_size: { width: pixels, height: pixels } });
  writeFileSync(join(folder, "preprocessor_config.json"), JSON.stringify(preprocessor));
  const config = { model_type: "clip", projection_dim: 512, text_config: { max_position_embeddings: 32 } };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  return folder;
}

async function jpegs(count, encodeJpeg) {
  const sample = sampleDir();
  if (sample !== undefined) {
    const names = readdirSync(join(sample, "images"))
      .filter((name) => name.endsWith(".jpg"))
      .sort();
    return Array.from(
      { length: count },
      (_, at) => new Uint8Array(readFileSync(join(sample, "images", names[at % names.length]))),
    );
  }
  const data = Uint8Array.from({ length: 640 * 480 * 3 }, (_, at) => ((at % 1920) * 7 + (at >> 11) * 13) % 256);
  const one = await encodeJpeg({ width: 640, height: 480, channels: 3, data }, 90);
  return Array.from({ length: count }, () => one);
}

await main(import.meta.url, () => benchEmbedding());
