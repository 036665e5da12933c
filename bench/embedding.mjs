// Embedding images: from files to vectors on disk, and the bare model on the same batches already in memory, in turn: in one
// session of all threads, as anyone would open it, and (in the notes) in the lanes that embedding runs it in.
//
//   npm run build && node bench/embedding.mjs [--images 256] [--batch 16] [--rounds 3] [--without-extras 1]
//
// Extras are fast decoding, and the bare model in lanes. With few images the run's beginning (threads start, the first batches are
// decoded) and its end (one lane is done before the other) weigh more than in any real pool.
//
// The model is NEMOSAIC_MODEL, else ../shared/models/lit-small where it exists, else the tiny one of the tests, which is so small
// that decoding outweighs it: its ratio says little. The photographs are those of NEMOSAIC_SAMPLE, else drawn ones.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { compared, interleaved, load, main, option, root, sampleDir, seconds, spread } from "./measure.mjs";

export async function benchEmbedding(size = {}) {
  const {
    images = option("images", 256),
    batch = option("batch", 16),
    rounds = option("rounds", 3),
    withoutExtras = option("without-extras", 0) === 1,
    real = true,
  } = size;
  const { embedSources, hubAccess, openImageTextModel } = await load("relevance/index.ts");
  const { decodeImage, encodeJpeg, setImageThreads } = await load("codecs/index.ts");
  setImageThreads(1);
  const shared = resolve(root, "..", "shared", "models", "lit-small");
  const tiny = join(root, "test", "fixtures", "tiny-clip", "model");
  const spec = real ? process.env.NEMOSAIC_MODEL || (existsSync(shared) ? shared : tiny) : tiny;
  const model = await openImageTextModel(spec, {
    hub: hubAccess({}, { offline: true }),
    threads: availableParallelism(),
  });
  const files = await jpegs(images, encodeJpeg);
  const folder = await mkdtemp(join(tmpdir(), "nemosaic-bench-"));
  try {
    const { width, height } = model.preprocessing;
    const length = 3 * width * height;
    const batches = [];
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
      const options = {
        folder: join(folder, decode),
        model,
        images: source,
        texts: [],
        onBad: "fail",
        imageBatch: batch,
        force: true,
        decode,
      };
      await rm(options.folder, { recursive: true, force: true });
      const took = await seconds(async () => reports.push((await embedSources(options)).images));
      return took;
    };
    const bare = () =>
      seconds(async () => {
        for (const each of batches) await model.embedImages(each);
      });
    // Opened here, as the bare session is: the first run would pay for it otherwise.
    const lanes = model.imageLanes > 1 ? model.lanes() : undefined;
    await Promise.all(Array.from({ length: model.imageLanes }, () => model.lanes().embedImages(batches[0])));
    const inLanes = () => seconds(() => Promise.all(batches.map((each) => lanes.embedImages(each))));
    const extras = { fast: embed("fast"), ...(lanes ? { inLanes } : {}) };
    const sides = { exact: embed("exact"), bare, ...(withoutExtras ? {} : extras) };
    const took = await interleaved(rounds, sides);
    const rates = (name) => took[name].map((s) => images / s);
    const waited =
      reports.reduce((sum, { waitMs }) => sum + waitMs, 0) /
      reports.reduce((sum, { waitMs, modelMs }) => sum + waitMs + modelMs, 0);
    const what = `${images} images in batches of ${batch}, ${model.id}`;
    return {
      bench: "embedding",
      rows: [
        compared(`${what}, decoded exactly`, "images/s", rates("exact"), "the bare session", rates("bare"), "≥ 0.95"),
        ...(withoutExtras
          ? []
          : [
              compared(`${what}, decoded fast`, "images/s", rates("fast"), "the bare session", rates("bare"), "≥ 0.95"),
            ]),
      ],
      notes: {
        model: model.id,
        lanes: model.imageLanes,
        lanesIdle: Number(waited.toFixed(3)),
        ...(lanes && !withoutExtras
          ? {
              bareInLanes: spread(rates("inLanes")).median,
              exactToBareInLanes: spread(rates("exact").map((rate, round) => rate / rates("inLanes")[round])).median,
            }
          : {}),
      },
    };
  } finally {
    await model.close();
    await rm(folder, { recursive: true, force: true });
  }
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
