import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silentProgress } from "../io/index.ts";
import { type ExportRuns, openExportRuns, stopAfter } from "./export-runs.contract.ts";
import { type ExportOptions, mergeExport, readExportManifest } from "./index.ts";

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
