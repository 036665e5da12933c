// Estimated risks of a pool of RefCOCO's size, opening that pool with them, and the first batch of a Python loader there, alone and
// in eight ranks, each in a process of its own.
//
//   npm run build && node bench/risk.mjs [--refs 50000] [--expressions 142000] [--annotations 200000] [--images 17000]
//                                        [--depth 1024] [--threads 2] [--keep 1]
//
// The pool is made by formula: COCO's categories, several of one kind in a picture, sentences that say some of what is true of an
// object, with a vocabulary of about 9,000 words. Lists begin with images that show the target's kind, as mined ones do. Takes
// 2 GB of disk in the system's temporary folder, and removes it (--keep 1: prints its place instead).
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load, main, option, python, root } from "./measure.mjs";

const categories = (
  "person bicycle car motorcycle airplane bus train truck boat traffic-light hydrant stop-sign meter bench bird cat dog " +
  "horse sheep cow elephant bear zebra giraffe backpack umbrella handbag tie suitcase frisbee skis snowboard ball kite bat " +
  "glove skateboard surfboard racket bottle wine-glass cup fork knife spoon bowl banana apple sandwich orange broccoli " +
  "carrot hot-dog pizza donut cake chair couch plant bed table toilet tv laptop mouse remote keyboard phone microwave oven " +
  "toaster sink refrigerator book clock vase scissors teddy-bear hair-drier toothbrush"
)
  .split(" ")
  .map((name) => name.replace("-", " "));
const colours = "black white red blue brown grey green yellow orange pink purple tan beige silver gold".split(" ");
const states = "standing sitting lying open striped large small old wooden plastic empty half tall blurry shiny".split(
  " ",
);
const people = "man woman guy girl boy lady kid person child dude".split(" ");
const clothes = "shirt jacket hat pants shorts dress coat glasses jeans cap tie helmet".split(" ");
const places =
  "left|right|on the left|on the right|in the middle|far left|at the top|in front|in back|bottom right".split("|");

/** The whole number below n that a stream gives next, small ones far more often: about as words are said. */
const zipf = (random, n) => Math.min(n - 1, Math.floor(n ** random.float()) - 1);
const pick = (random, from) => from[random.below(from.length)];
const syllables = "ba ke lo mi nu ra se ti vo za".split(" ");
/** A word that no list holds; 9,000 of them. */
const rareWord = (at) => [...String(1000 + at)].map((digit) => syllables[Number(digit)]).join("");

/** What is true of each object, from which its sentences are drawn. */
function traitsOf(random, category) {
  const noun = category === 0 ? pick(random, people) : categories[category];
  const worn = category === 0 ? `${pick(random, colours)} ${pick(random, clothes)}` : pick(random, states);
  return { noun, worn, colour: pick(random, colours), rare: rareWord(zipf(random, 9000)) };
}

function sentenceOf(random, { noun, worn, colour, rare }, kinds) {
  const forms = [
    () => `${colour} ${noun}`,
    () => `${noun} in ${worn}`,
    () => `${noun} ${pick(random, places)}`,
    () => `the ${colour} ${noun} ${pick(random, places)}`,
    () => `${noun} with the ${rare}`,
    () => `${noun} next to the ${categories[pick(random, kinds)]}`,
    () => `${pick(random, ["second", "third"])} ${noun} from the ${pick(random, ["left", "right"])}`,
    () => `the ${pick(random, ["bigger", "smaller"])} ${noun}`,
    () => `${worn} ${pick(random, places)}`,
    () => `${rare} ${noun} facing ${pick(random, ["left", "right"])}`,
  ];
  return forms[zipf(random, forms.length)]();
}

const [width, height] = [24, 18];

/** Its objects' categories, image by image. */
async function kindsOfImages({ images, annotations }) {
  const { CounterRandom } = await load("kernels/index.ts");
  return Array.from({ length: images }, (_, image) => {
    const random = new CounterRandom(1, 0, image, 0);
    const count = Math.floor(((image + 1) * annotations) / images) - Math.floor((image * annotations) / images);
    const main = zipf(random, categories.length);
    const others = [0, zipf(random, categories.length), random.below(categories.length)];
    return Array.from({ length: count }, () => (random.below(10) < 5 ? main : pick(random, others)));
  });
}

async function writePool(folder, size, kinds) {
  const { CounterRandom } = await load("kernels/index.ts");
  const { encodePng } = await load("codecs/index.ts");
  const { importPool } = await load("pool/index.ts");
  const { silentProgress } = await load("io/index.ts");
  const imagesFolder = join(folder, "images");
  await mkdir(imagesFolder, { recursive: true });
  for (let image = 0; image < kinds.length; image++) {
    const data = new Uint8Array(width * height * 3).fill(90 + (image % 97));
    new DataView(data.buffer).setUint32(0, image);
    await writeFile(
      join(imagesFolder, `${image}.png`),
      await encodePng({ width, height, channels: 3, data, compression: 0 }),
    );
  }
  const { refs, expressions } = size;
  async function* records() {
    let [annotation, ref, sentence] = [0, 0, 0];
    for (const [image, own] of kinds.entries()) {
      yield { type: "image", id: `i${image}`, file: `${image}.png`, width, height };
      const first = annotation;
      for (const category of own) {
        const random = new CounterRandom(2, 0, annotation, 0);
        const [w, h] = [2 + random.below(9), 2 + random.below(7)];
        const [x, y] = [random.below(width - w), random.below(height - h)];
        yield {
          type: "annotation",
          id: `a${annotation}`,
          imageId: `i${image}`,
          category: categories[category],
          segmentation: { kind: "polygons", parts: [[x, y, x + w, y, x + w, y + h, x, y + h]] },
          box: [x, y, w, h],
          isCrowd: false,
        };
        annotation++;
      }
      for (let last = Math.floor(((image + 1) * refs) / kinds.length), at = 0; ref < last; ref++, at++) {
        const place = at % Math.max(1, own.length);
        const random = new CounterRandom(3, 0, ref, 0);
        const traits = traitsOf(random, own[place]);
        const annotationIds = [`a${first + place}`];
        yield { type: "ref", id: `r${ref}`, imageId: `i${image}`, annotationIds, split: "train" };
        for (const end = Math.floor(((ref + 1) * expressions) / refs); sentence < end; sentence++) {
          const sent = sentenceOf(random, traits, own);
          yield { type: "expression", id: `s${sentence}`, refId: `r${ref}`, raw: sent, sent };
        }
      }
    }
  }
  const source = { format: "bench", name: "made", imagesFolder, files: [], warnings: [], records };
  const options = { onBad: "fail", pack: false, force: false, progress: silentProgress };
  await importPool(join(folder, "pool"), source, options);
}

/** mined/default: lists of `depth`, seven tenths of images that show the target's kind where there are as many; scores of 0. */
async function writeMined(folder, depth, kinds) {
  const { npyHeader } = await load("codecs/index.ts");
  const { Pool } = await load("pool/index.ts");
  const pool = await Pool.open(join(folder, "pool"));
  const { count } = pool.expressions;
  const place = join(folder, "pool", "mined", "default");
  await mkdir(place, { recursive: true });
  const having = categories.map((_, category) =>
    kinds.flatMap((own, image) => (own.includes(category) ? [image] : [])),
  );
  const sets = having.map((list) => new Set(list));
  const listOf = (expression) => {
    const target = pool.targetsOfRef(pool.expressions.ref[expression])[0];
    const category = categories.indexOf(pool.annotations.category[target]);
    const same = having[category];
    const alike = Math.min(same.length, Math.floor(0.7 * depth));
    const list = Array.from({ length: alike }, (_, at) => same[(expression * 7919 + at) % same.length]);
    for (let image = (expression * 104729) % kinds.length; list.length < depth; image = (image + 1) % kinds.length)
      if (!sets[category].has(image) || alike === same.length) list.push(image);
    return list;
  };
  const handle = await open(join(place, "ids.npy"), "w");
  await handle.write(npyHeader("int32", [count, depth]));
  for (let start = 0; start < count; start += 512) {
    const rows = Math.min(512, count - start);
    const block = new Int32Array(rows * depth);
    for (let row = 0; row < rows; row++) block.set(listOf(start + row), row * depth);
    await handle.write(new Uint8Array(block.buffer));
  }
  await handle.close();
  for (const [file, shape] of Object.entries({ t2i: [count, depth], i2i: [count, depth], own: [count] })) {
    const header = npyHeader("float32", shape);
    const zeros = await open(join(place, `${file}.npy`), "w");
    await zeros.write(header);
    await zeros.truncate(header.length + 4 * shape.reduce((product, each) => product * each, 1)); // no disk is used
    await zeros.close();
  }
  const none = { own: {}, t2i: {}, i2i: {} };
  const manifest = {
    format: "nemosaic-mined",
    version: 1,
    producer: "bench",
    pool: pool.manifest.hash,
    relevance: { kind: "bench", model: "made", hash: "made" },
    rank: "t2i",
    depth,
    expressions: count,
    candidates: { splits: ["train"], count: kinds.length, hash: "made" },
    hash: "made",
    scores: none,
  };
  await writeFile(join(place, "mined.json"), JSON.stringify(manifest));
  await pool.close();
}

export async function estimateAll(folder, threads) {
  const { mineRisk } = await load("mining/index.ts");
  const { Mined, Pool } = await load("pool/index.ts");
  const { streamProgress } = await load("io/index.ts");
  const pool = await Pool.open(join(folder, "pool"));
  const mined = await Mined.open(pool.folder, "default", pool.manifest.hash);
  const start = performance.now();
  const before = coreSeconds();
  await mineRisk(pool, mined, { name: "default", force: true, threads, progress: streamProgress(process.stderr) });
  const seconds = (performance.now() - start) / 1000;
  const core = Number((coreSeconds() - before).toFixed(1));
  const pairs = mined.manifest.expressions * mined.manifest.depth;
  await Promise.all([mined.close(), pool.close()]);
  return {
    threads,
    millionPairs: Number((pairs / 1e6).toFixed(1)),
    seconds: Number(seconds.toFixed(1)),
    millionPairsPerSecond: Number((pairs / 1e6 / seconds).toFixed(2)),
    coreSeconds: core,
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1000),
  };
}

export async function openAll(folder) {
  const { Mined, Pool } = await load("pool/index.ts");
  const start = performance.now();
  const before = coreSeconds();
  const pool = await Pool.open(join(folder, "pool"));
  const mined = await Mined.open(pool.folder, "default", pool.manifest.hash);
  const { risk, showsKind } = mined.row(pool.expressions.count - 1);
  const seconds = Number(((performance.now() - start) / 1000).toFixed(2));
  const core = Number((coreSeconds() - before).toFixed(2));
  await Promise.all([mined.close(), pool.close()]);
  if (risk?.length !== mined.manifest.depth || showsKind?.length !== mined.manifest.depth)
    throw new Error("expected both columns, found a row without them");
  return { seconds, coreSeconds: core, peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1000) };
}

/** Of all threads of this process: unlike seconds, hardly more where other work is on the machine. */
function coreSeconds() {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  return (userCPUTime + systemCPUTime) / 1e6;
}

export async function benchRisk(size = {}) {
  const wanted = {
    refs: option("refs", 50_000),
    expressions: option("expressions", 142_000),
    annotations: option("annotations", 200_000),
    images: option("images", 17_000),
    depth: option("depth", 1024),
    ...size,
  };
  const { threads = option("threads", 2), apart = true } = size;
  const run = apart ? inProcess : (work, ...args) => work(...args);
  const folder = await mkdtemp(join(tmpdir(), "nemosaic-bench-"));
  try {
    const kinds = await kindsOfImages(wanted);
    await writePool(folder, wanted, kinds);
    await writeMined(folder, wanted.depth, kinds);
    const what = `${wanted.expressions} expressions × ${wanted.depth}, ${wanted.images} images, ${wanted.annotations} annotations`;
    const rows = [
      { what, ...(await run(estimateAll, folder, threads)), goal: "≤ 120 s on two cores" },
      { what: "opening that pool, with the columns", ...(await run(openAll, folder)), goal: "< 3 s, < 1000 MB" },
      ...(apart ? firstBatches(folder) : []),
    ];
    return { bench: "risk", rows };
  } finally {
    if (option("keep", 0) === 1) console.warn(`kept ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

/** From `Loader(...)` to its first batch of 64 mosaics (bench/first_batch.py): the second start counts, files are in memory then. */
function firstBatches(folder) {
  const interpreter = python("numpy");
  if (interpreter === undefined) return [];
  const start = (ranks) => {
    const words = [join(root, "bench", "first_batch.py"), join(folder, "pool"), "--ranks", String(ranks)];
    const done = spawnSync(interpreter, words, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
    if (done.status !== 0) throw new Error(`first_batch.py ended with ${done.status ?? done.signal}`);
    return JSON.parse(done.stdout);
  };
  start(1);
  return [1, 8].map((ranks) => {
    const { seconds, coreSeconds, servers, memory } = start(ranks);
    const what = `first batch of 64 there, ${ranks === 1 ? "one process" : `${ranks} ranks`}`;
    const peakMegabytes = memory.VmHWM;
    return { what, seconds: Math.max(...seconds), coreSeconds, servers, peakMegabytes, goal: "≤ 3 s, ≤ 600 MB" };
  });
}

function inProcess(work, ...args) {
  const script = `const bench = await import(${JSON.stringify(import.meta.url)});
    console.log(JSON.stringify(await bench.${work.name}(...${JSON.stringify(args)})));`;
  const done = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  });
  if (done.status !== 0) throw new Error(`ended with ${done.status ?? done.signal}`);
  return JSON.parse(done.stdout);
}

await main(import.meta.url, () => benchRisk());
