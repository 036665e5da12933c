import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../test/peers.ts";
import { mineSmall } from "../../test/small-pool.ts";
import { decodeCocoRle, decodeImage, encodePng, imageSize } from "../codecs/index.ts";
import { type Progress, silentProgress } from "../io/index.ts";
import { Loader } from "../loader/index.ts";
import { Pool } from "../pool/index.ts";
import { parseSettings } from "../settings/index.ts";
import { type ExportOptions, exporterNames, exportPool, mergeExport, readExportManifest } from "./index.ts";
import { makeSmallPool } from "./small-pool.contract.ts";

const settings = parseSettings(
  {
    size: 40,
    mosaic: { gamma: 0.6, randomShare: 0.5 },
    band: { tau: null, tauImage: null },
    guards: { nearDuplicate: null },
  },
  "test",
);
const epochs = 16; // 9 refs × 16 and half as many originals: more than one part
let home: string;
let pool: Pool;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "nemosaic-export-"));
  pool = await Pool.open(await makeSmallPool(home));
  await mineSmall(pool);
});
afterAll(async () => {
  await pool.close();
  await rm(home, { recursive: true, force: true });
});

const options = (format: string, output: string, more: Partial<ExportOptions> = {}): ExportOptions => ({
  format,
  output: join(home, output),
  splits: ["train", "val"],
  seed: 5,
  epochs,
  firstEpoch: 0,
  originals: 0.5,
  image: { kind: "png" },
  options: { shardSamples: 50 },
  force: false,
  concurrency: 4,
  progress: silentProgress,
  ...more,
});

const run = (format: string, output: string, more: Partial<ExportOptions> = {}) =>
  exportPool(pool, settings, options(format, output, more));

/** Every file below a folder with its hash; links with where they lead. */
async function tree(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(join(home, folder), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(join(home, folder).length + 1);
    if (entry.isSymbolicLink()) found[name] = `-> ${await readlink(path)}`;
    else if (entry.isFile())
      found[name] = createHash("sha256")
        .update(await readFile(path))
        .digest("hex");
  }
  return found;
}

/** A progress that stops the export, as a kill would, after `samples`. */
function stopAfter(samples: number): Progress {
  let left = samples;
  return {
    begin: () => ({
      advance: () => {
        if (left-- <= 0) throw new Error("stopped");
      },
      note: () => undefined,
      end: () => undefined,
    }),
  };
}

/** A progress that stops the export at the end of the task of that name. */
function stopWhen(name: string): Progress {
  return {
    begin: (label) => (label === name ? stopAfter(0).begin("", 0, "") : silentProgress.begin(label, 0, "")),
  };
}

/** Every folder below a folder. */
async function folders(folder: string): Promise<string[]> {
  const entries = await readdir(join(home, folder), { recursive: true, withFileTypes: true });
  return entries
    .flatMap((entry) => (entry.isDirectory() ? relative(join(home, folder), join(entry.parentPath, entry.name)) : []))
    .sort();
}

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

// How parts are kept and replaced is the same for every format: one with files of its own, one with blobs.
describe.each(["refer", "webdataset"])("export to %s, again", (format) => {
  it("draws parts of the same export again with --force", async () => {
    const output = `again-${format}`;
    await run(format, output, { shard: { index: 0, count: 1 } });
    const part = join(home, output, ".parts", "00000000.json");
    await writeFile(
      part,
      (await readFile(part, "utf8")).replaceAll('"meta":{', '"meta":{"odd":1,').slice(0, -1).concat("}"),
    );
    expect(await run(format, output, { force: true })).toMatchObject({ reused: false, drawnParts: 2 });
    await run(format, `one-${format}`);
    expect(await tree(output)).toEqual(await tree(`one-${format}`));
  });

  it("replaces nothing without --force, and everything with it", async () => {
    const output = `kept-${format}`;
    await run(format, output, { epochs: 1 });
    const before = await tree(output);
    await expect(run(format, output, { epochs: 2 })).rejects.toThrow(/holds another export/);
    expect(await tree(output)).toEqual(before);
    await run(format, output, { epochs: 2, force: true });
    await run(format, `two-${format}`, { epochs: 2 });
    expect(await tree(output)).toEqual(await tree(`two-${format}`));
  });
});

describe("an export", () => {
  it("takes the place of one of another format with --force, folders, links and all", async () => {
    await run("refer", "other", { epochs: 1 });
    await run("webdataset", "other", { epochs: 1, force: true });
    await run("webdataset", "plain", { epochs: 1 });
    expect([await tree("other"), await folders("other")]).toEqual([await tree("plain"), await folders("plain")]);
  });

  it("is merged in the format that it was begun in", async () => {
    const merged = (format: string) => mergeExport(join(home, "named"), { format, progress: silentProgress });
    await run("parquet", "named", { epochs: 1, shard: { index: 0, count: 1 } });
    await expect(merged("refer")).rejects.toThrow(/holds an export as parquet, got the format "refer"/);
    expect(await merged("parquet")).toMatchObject({ reused: false });
    await expect(merged("refer")).rejects.toThrow(/holds an export as parquet/);
  });

  it("refuses a folder with something else in it, and parts of other options", async () => {
    await mkdir(join(home, "mine"), { recursive: true });
    await writeFile(join(home, "mine", "thesis.txt"), "x");
    await expect(run("refer", "mine")).rejects.toThrow(/is not empty \("thesis.txt"\)/);
    await expect(run("refer", "begun", { progress: stopAfter(130) })).rejects.toThrow("stopped");
    await expect(run("refer", "begun", { seed: 6 })).rejects.toThrow(/parts of another export/);
    await run("refer", "begun", { seed: 6, force: true });
    expect((await readExportManifest(join(home, "begun")))?.job.seed).toBe(6);
  });

  it.each([
    [{ format: "coco" }, 'unknown export format "coco"'],
    [{ splits: ["tain"] }, 'unknown split "tain"'],
    [{ splits: ["train", "train"] }, "several different ones"],
    [{ options: { dataset: "../x" } }, 'export option "options.dataset"'],
    [{ options: { imagesFolder: "images/../../x" } }, 'export option "options.imagesFolder"'],
    [{ image: { kind: "jpeg", quality: 0, chroma: "4:2:0" } }, 'export option "image.quality"'],
    [{ shard: { index: 2, count: 2 } }, "expected a shard i/n"],
  ] as [Partial<ExportOptions>, string][])("explains %j", async (wrong, message) => {
    await expect(run("refer", "wrong", wrong)).rejects.toThrow(message);
  });

  it("cuts tar shards by bytes as well as by number", async () => {
    await run("webdataset", "bytes", { options: { shardSamples: 1000, shardBytes: 100_000 } });
    const names = (await readdir(join(home, "bytes", "train"))).sort();
    expect(names.length).toBeGreaterThan(2);
    for (const name of names)
      expect((await readFile(join(home, "bytes", "train", name))).length).toBeLessThanOrEqual(100_000);
  });

  it("continues epochs where another export ended", async () => {
    const lines = async (folder: string) =>
      (await readFile(join(home, folder, "plans-train.jsonl"), "utf8")).trimEnd().split("\n");
    await run("webdataset", "first", { splits: ["train"], epochs: 2 });
    await run("webdataset", "second", { splits: ["train"], epochs: 1, firstEpoch: 2 });
    await run("webdataset", "both", { splits: ["train"], epochs: 3 });
    expect([...(await lines("first")), ...(await lines("second"))]).toEqual(await lines("both"));
  });

  it.each([
    ["rrsisd", null, "images/rrsisd/JPEGImages"],
    ["refclef", null, "images/saiapr_tc-12"],
    ["uavid_ris", null, "images/uavid_ris/PNGimages"],
    ["refcoco", "pictures/all", "pictures/all"],
  ])("puts the images of %s (%s) into %s", async (dataset, imagesFolder, place) => {
    const output = `placed-${dataset}`;
    await run("refer", output, { epochs: 1, splits: ["val"], options: { dataset, imagesFolder } });
    const images = Object.keys(await tree(output)).filter((name) => /\.(jpg|png)$/.test(name));
    expect(images.length).toBeGreaterThan(2);
    expect(new Set(images.map((name) => dirname(name)))).toEqual(new Set([place]));
  });

  it("keeps the datasets' ids and image names in evaluation splits", async () => {
    await run("cris-lmdb", "ids", { splits: ["val"] });
    const listed = JSON.parse(await readFile(join(home, "ids", "anns", "refcoco", "val.json"), "utf8")) as {
      segment_id: number;
      img_name: string;
      sentences: { sent_id: number }[];
    }[];
    expect(listed.map(({ segment_id }) => segment_id)).toEqual([20, 21, 22, 23]);
    expect(listed[0]?.img_name).toBe("COCO_train2014_000000005056.jpg");
    expect(listed.flatMap(({ sentences }) => sentences.map(({ sent_id }) => sent_id))).toEqual([
      113, 114, 115, 116, 117,
    ]);
  });
});
