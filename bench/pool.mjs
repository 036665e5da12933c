// A dataset of RefCOCO's size: import into a pool and opening it, with the most memory held, each in a process of its own.
//
//   npm run build && node bench/pool.mjs [--refs 50000] [--expressions 142000] [--annotations 200000] [--images 20000]
import { spawnSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { load, main, option } from "./measure.mjs";

const [width, height] = [24, 18];

/** A REFER folder whose images are small pictures, each different; annotations are polygons of 10 to 40 corners. */
async function writeRefer(folder, { refs, expressions, annotations, images }) {
  const { encodePickle, encodePng } = await load("codecs/index.ts");
  const { CounterRandom } = await load("kernels/index.ts");
  await mkdir(join(folder, "images"), { recursive: true });
  await mkdir(join(folder, "refer"), { recursive: true });
  const nameOf = (image) => `${String(image + 1).padStart(12, "0")}.png`;
  for (let image = 0; image < images; image++) {
    const data = new Uint8Array(width * height * 3).fill(90 + (image % 97));
    new DataView(data.buffer).setUint32(0, image);
    await writeFile(
      join(folder, "images", nameOf(image)),
      await encodePng({ width, height, channels: 3, data, compression: 0 }),
    );
  }
  const file = createWriteStream(join(folder, "refer", "instances.json"));
  file.write('{"images":[');
  for (let id = 0; id < images; id++)
    file.write(`${id === 0 ? "" : ","}${JSON.stringify({ id: id + 1, file_name: nameOf(id), width, height })}`);
  file.write('],"categories":[{"id":1,"name":"thing"}],"annotations":[');
  for (let id = 0; id < annotations; id++) {
    const random = new CounterRandom(1, 0, id, 0);
    const corners = 10 + random.below(31);
    const polygon = Array.from({ length: corners * 2 }, (_, at) =>
      Number((random.float() * (at % 2 === 0 ? width : height)).toFixed(2)),
    );
    const annotation = {
      id: id + 1,
      image_id: (id % images) + 1,
      category_id: 1,
      segmentation: [polygon],
      area: 20.5,
      bbox: [0, 0, 9, 9],
      iscrowd: 0,
    };
    if (!file.write(`${id === 0 ? "" : ","}${JSON.stringify(annotation)}`))
      await new Promise((resume) => file.once("drain", resume));
  }
  file.end("]}");
  await finished(file);
  let sentence = 0;
  const all = Array.from({ length: refs }, (_, ref) => {
    const count = Math.floor(((ref + 1) * expressions) / refs) - Math.floor((ref * expressions) / refs);
    const sentences = Array.from({ length: count }, () => {
      const sent = `the thing number ${sentence} on the left of another one`;
      return { tokens: sent.split(" "), raw: sent, sent_id: sentence++, sent };
    });
    const ann = (ref * 3) % annotations;
    const split = ref % 20 === 0 ? "val" : "train";
    const sent_ids = sentences.map(({ sent_id }) => sent_id);
    return {
      sent_ids,
      file_name: nameOf(ann % images),
      ann_id: ann + 1,
      ref_id: ref,
      image_id: (ann % images) + 1,
      split,
      sentences,
      category_id: 1,
    };
  });
  await writeFile(join(folder, "refer", "refs(unc).p"), encodePickle(all, { protocol: 2 }));
}

export async function importRefer(folder) {
  const { findImporter } = await load("importers/index.ts");
  const { importPool } = await load("pool/index.ts");
  const { silentProgress } = await load("io/index.ts");
  const start = performance.now();
  const source = await findImporter("refer").open({ source: join(folder, "refer"), images: join(folder, "images") });
  const options = { onBad: "fail", pack: false, force: false, progress: silentProgress };
  const { counts } = (await importPool(join(folder, "pool"), source, options)).source;
  return { ...result(start), counts };
}

export async function openImported(folder) {
  const { Pool } = await load("pool/index.ts");
  const start = performance.now();
  const pool = await Pool.open(join(folder, "pool"));
  const area = pool.mask(0, pool.annotationsOfImage(0)).counts.length;
  await pool.close();
  return { ...result(start), counts: { expressions: pool.expressions.count, runs: area } };
}

function result(start) {
  return {
    seconds: (performance.now() - start) / 1000,
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1000),
  };
}

export async function benchPool(size = {}) {
  const asked = {
    refs: option("refs", 50_000),
    expressions: option("expressions", 142_000),
    annotations: option("annotations", 200_000),
    images: option("images", 20_000),
  };
  const wanted = { ...asked, ...size };
  const run = size.apart === false ? (work, folder) => work(folder) : inProcess;
  const folder = await mkdtemp(join(tmpdir(), "nemosaic-bench-"));
  try {
    await writeRefer(folder, wanted);
    const rows = [];
    const what = `${wanted.refs} refs, ${wanted.expressions} expressions, ${wanted.annotations} annotations, ${wanted.images} images`;
    for (const [name, work, goal] of [
      ["import", importRefer, "< 60 s"],
      ["open", openImported, "< 3 s, < 1000 MB"],
    ]) {
      const { seconds, peakMegabytes, counts } = await run(work, folder);
      if (counts.expressions !== wanted.expressions)
        throw new Error(`expected ${wanted.expressions} expressions, got ${counts.expressions}`);
      rows.push({ what: `${name}: ${what}`, seconds: Number(seconds.toFixed(2)), peakMegabytes, goal });
    }
    return { bench: "pool", rows };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function inProcess(work, folder) {
  const script = `const bench = await import(${JSON.stringify(import.meta.url)});
    console.log(JSON.stringify(await bench.${work.name}(${JSON.stringify(folder)})));`;
  const done = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  });
  if (done.status !== 0) throw new Error(`ended with ${done.status ?? done.signal}: ${done.stderr}`);
  return JSON.parse(done.stdout);
}

await main(import.meta.url, () => benchPool());
