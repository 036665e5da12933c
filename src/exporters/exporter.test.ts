import { mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../test/peers.ts";
import { decodeCocoRle, decodeImage, encodePng, imageSize } from "../codecs/index.ts";
import { silentProgress } from "../io/index.ts";
import { Loader } from "../loader/index.ts";
import { type ExportRuns, epochs, openExportRuns, settings, stopAfter, stopWhen } from "./export-runs.contract.ts";
import { exporterNames, mergeExport, readExportManifest } from "./index.ts";

let runs: ExportRuns;
let home: string;
let run: ExportRuns["run"];
let tree: ExportRuns["tree"];
let folders: ExportRuns["folders"];
beforeAll(async () => {
  runs = await openExportRuns();
  ({ home, run, tree, folders } = runs);
});
afterAll(() => runs.close());

/** How many records an export says that it holds; only SeqTR's own shape leaves any out. */
async function countRecords(folder: string): Promise<number> {
  const manifest = await readExportManifest(join(home, folder));
  const counts = Object.values(manifest?.counts ?? {});
  const leftOut = counts.reduce((sum, count) => sum + count.leftOut, 0);
  expect(leftOut > 0).toBe(manifest?.job.exporter === "seqtr");
  expect(manifest?.remarks.count).toBe(leftOut);
  const held = counts.reduce((sum, count) => sum + count.records, 0);
  expect(held + leftOut).toBe(records);
  return held;
}

/** How many refs of an export in gRefCOCO's shape mean nothing, and how many mean several objects. */
async function generalRefs(folder: string): Promise<{ none: number; several: number }> {
  const text = await readFile(join(home, folder, "grefcoco", "grefs(unc).json"), "utf8");
  const refs = JSON.parse(text) as { ann_id: number[] }[];
  return {
    none: refs.filter(({ ann_id }) => ann_id[0] === -1).length,
    several: refs.filter(({ ann_id }) => ann_id.length > 1).length,
  };
}

/** What an export must hold, straight from plans and pool: written as pictures for a reader in Python. */
async function writeExpected(folder: string): Promise<string> {
  const { pool } = runs;
  await mkdir(join(home, folder), { recursive: true });
  const lines: string[] = [];
  const add = async (
    split: string,
    image: { width: number; height: number; data: Uint8Array },
    mask: Uint8Array,
    sentences: string[],
    original: string | null,
  ) => {
    const name = join(home, folder, String(lines.length));
    const { width, height } = image;
    await writeFile(`${name}.png`, await encodePng({ ...image, channels: 3 }));
    await writeFile(
      `${name}.mask.png`,
      await encodePng({ width, height, channels: 1, data: mask.map((value) => value * 255) }),
    );
    lines.push(JSON.stringify({ split, sentences, image: `${name}.png`, mask: `${name}.mask.png`, original }));
  };
  const addOriginal = async (split: string, ref: number): Promise<void> => {
    const row = pool.refs.image[ref]!;
    const path = (await pool.imagePath(row))!;
    const bytes = await readFile(path);
    const [start, end] = pool.expressionsOfRef(ref);
    const { orientation } = await imageSize(bytes);
    const mask = decodeCocoRle(pool.mask(row, pool.targetsOfRef(ref)));
    await add(
      split,
      await decodeImage(bytes),
      mask,
      pool.expressions.sent.slice(start, end),
      orientation === 1 ? path : null,
    );
  };
  const train = await Loader.open(pool, settings, { split: "train", seed: 5 });
  let originals = 0;
  for (let sample = 0; sample < epochs * train.length; sample++) {
    const plan = train.plan(Math.floor(sample / train.length), sample % train.length);
    const { image, mask } = await train.draw(plan);
    await add("train", { width: plan.size, height: plan.size, data: image }, mask, [plan.text], null);
    if (sample % 2 === 1) await addOriginal("train", train.facts.units[originals++ % train.length]!);
  }
  await train.close();
  for (let ref = 0; ref < pool.refs.count; ref++) if (pool.refs.split[ref] === "val") await addOriginal("val", ref);
  const path = join(home, folder, "expected.jsonl");
  await writeFile(path, `${lines.join("\n")}\n`);
  return path;
}

const script = await readFile(join(import.meta.dirname, "exporter.contract.py"), "utf8");
const peers = pythonHas("numpy", "PIL", "cv2", "pycocotools", "lmdb", "webdataset", "pyarrow", "pandas");
const records = 9 * epochs + (9 * epochs) / 2 + 4;

describe.skipIf(!peers)("exports, read by the Python packages of their formats", () => {
  let expected: string;
  beforeAll(async () => {
    expected = await writeExpected("expected");
  });

  it.each(exporterNames)("%s holds the plans' pixels, masks and sentences exactly, as PNG", async (format) => {
    await run(format, `png-${format}`);
    const result = JSON.parse(runPython(script, [format, join(home, `png-${format}`), expected, "exact"])) as Record<
      string,
      number
    >;
    expect(result).toMatchObject({ records: await countRecords(`png-${format}`), worst: 0 });
    expect(result.pixels).toBeGreaterThan(100 * 1000);
  });

  it.each(exporterNames)("%s holds them within JPEG's loss by default, the masks exactly", async (format) => {
    await run(format, `jpeg-${format}`, { image: { kind: "jpeg", quality: 95, chroma: "4:4:4" } });
    const result = JSON.parse(runPython(script, [format, join(home, `jpeg-${format}`), expected, "jpeg"])) as Record<
      string,
      number
    >;
    expect(result.records).toBe(await countRecords(`jpeg-${format}`));
    expect(result.worst).toBeGreaterThan(0);
  });

  it("refer holds them in gRefCOCO's shape for ReLA under the name grefcoco", async () => {
    await run("refer", "general", { options: { dataset: "grefcoco" } });
    expect(JSON.parse(runPython(script, ["grefcoco", join(home, "general"), expected, "exact"]))).toMatchObject({
      records,
      worst: 0,
    });
    const { none, several } = await generalRefs("general");
    expect(none).toBeGreaterThan(epochs);
    expect(several).toBeGreaterThan(epochs);
  });

  it("seqtr holds them in the shape of its descendants under the name grefcoco", async () => {
    await run("seqtr", "gres", { options: { dataset: "grefcoco" } });
    const read = runPython(script, ["gres", join(home, "gres"), expected, "exact"]);
    expect(JSON.parse(read)).toMatchObject({ records, worst: 0 });
  });

  it("refer holds the same masks as run lengths", async () => {
    await run("refer", "rle", { options: { masks: "rle" } });
    expect(JSON.parse(runPython(script, ["refer", join(home, "rle"), expected, "exact"]))).toMatchObject({ records });
  });
});

describe.each(exporterNames)("export to %s", (format) => {
  it("gives the same bytes however many samples are under way at once, and when it is run again", async () => {
    await run(format, `one-${format}`, { concurrency: 1 });
    await run(format, `many-${format}`, { concurrency: 16 });
    const one = await tree(`one-${format}`);
    expect(Object.keys(one).length).toBeGreaterThan(3);
    expect(await tree(`many-${format}`)).toEqual(one);
    expect(await run(format, `one-${format}`)).toMatchObject({ reused: true, drawnParts: 0 });
    expect(await tree(`one-${format}`)).toEqual(one);
  });

  it("goes on after being stopped, whatever was left behind, and ends with the same bytes", async () => {
    const target = `one-${format}`;
    await run(format, target);
    const whole = await tree(target);
    const output = `stopped-${format}`;
    for (const samples of [0, 1, 100, 129]) {
      await expect(run(format, output, { progress: stopAfter(samples) })).rejects.toThrow("stopped");
    }
    const parts = join(home, output, ".parts");
    expect(await readdir(parts)).toContain("00000000.json");
    // A part cut short by a power failure, and half-written files beside.
    await truncate(join(parts, "00000000.json"), 100);
    await writeFile(join(home, output, "plans-train.jsonl.nemosaic-tmp-1-ab"), "x");
    for (const folder of [
      "train",
      "data",
      "anns/refcoco",
      "lmdb/refcoco",
      "masks/refcoco",
      "refcoco",
      "images/mscoco/images/train2014",
      "annotations/refcoco-unc",
    ]) {
      if (!Object.keys(whole).some((name) => name.startsWith(`${folder}/`))) continue;
      await mkdir(join(home, output, folder), { recursive: true });
      await writeFile(join(home, output, folder, "half.nemosaic-tmp-1-ab"), "x");
    }
    const report = await run(format, output);
    expect(report).toMatchObject({ reused: false, drawnParts: 2, parts: 2 });
    expect(await tree(output)).toEqual(whole);
  });

  it("draws a part again whose files have gone or changed in size", async () => {
    const output = `damaged-${format}`;
    await run(format, output, { shard: { index: 0, count: 1 } });
    const folder = join(home, output);
    const images = Object.keys(await tree(output)).filter((name) => /images\/.*\.(jpg|png)$/.test(name));
    for (const name of images.slice(0, 3)) await truncate(join(folder, name), 9);
    if (images.length === 0) await truncate(join(folder, ".parts", "00000001.bin"), 9);
    await expect(mergeExport(folder, { progress: silentProgress })).rejects.toThrow(/parts are missing/);
    await run(format, output);
    await run(format, `one-${format}`);
    expect(await tree(output)).toEqual(await tree(`one-${format}`));
  });

  it("is the same in shards, in any order, and names the shards that are missing", async () => {
    const output = `shards-${format}`;
    const shard = (index: number) => run(format, output, { shard: { index, count: 3 } });
    await expect(mergeExport(join(home, output), { progress: silentProgress })).rejects.toThrow(
      /expected the folder of an export/,
    );
    await Promise.all([shard(2), shard(0)]);
    await expect(mergeExport(join(home, output), { progress: silentProgress })).rejects.toThrow(
      /shards not finished: 1\/3/,
    );
    await shard(1);
    await mergeExport(join(home, output), { progress: silentProgress });
    await run(format, `one-${format}`);
    expect(await tree(output)).toEqual(await tree(`one-${format}`));
    expect(await mergeExport(join(home, output), { progress: silentProgress })).toMatchObject({ reused: true });
  });

  it("lists every file with its hash, and the manifest counts what is there", async () => {
    await run(format, `one-${format}`);
    const all = await tree(`one-${format}`);
    const sums = (await readFile(join(home, `one-${format}`, "SHA256SUMS"), "utf8")).trimEnd().split("\n");
    const listed = Object.fromEntries(sums.map((line) => [line.slice(66), line.slice(0, 64)]));
    const { "export.json": _manifest, SHA256SUMS: list, ...others } = all;
    const links = Object.keys(others).filter((name) => others[name]?.startsWith("-> "));
    expect(listed).toEqual(Object.fromEntries(Object.entries(others).filter(([name]) => !links.includes(name))));
    const manifest = await readExportManifest(join(home, `one-${format}`));
    expect(manifest?.links).toEqual(links.sort());
    expect(manifest?.files).toMatchObject({ count: sums.length, sha256: list });
    const { train, val } = manifest?.counts ?? {};
    expect([train!.records + train!.leftOut, val!.records + val!.leftOut]).toEqual([216, 4]);
    expect([train!.originals, val!.originals]).toEqual(format === "seqtr" ? [64, 3] : [72, 4]);
    expect(val!.kinds).toEqual({});
    expect(Object.keys(manifest?.counts.train?.kinds ?? {}).sort()).toEqual(["mined", "random", "single"]);
  });

  it("leaves nothing of a killed run behind when --force replaces it", async () => {
    const output = `cut-${format}`;
    // Every part and every file is there, the manifest is not.
    await expect(run(format, output, { progress: stopWhen("put together") })).rejects.toThrow("stopped");
    await rm(join(home, output, ".parts", "00000001.json")); // as if the kill had come just before it
    const less = { epochs: 1, originals: 0, splits: ["train"], seed: 6 };
    await run(format, output, { ...less, force: true });
    await run(format, `fresh-${format}`, less);
    expect([await tree(output), await folders(output)]).toEqual([
      await tree(`fresh-${format}`),
      await folders(`fresh-${format}`),
    ]);
  });
});
