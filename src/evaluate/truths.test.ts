import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodePng } from "../codecs/index.ts";
import { silentProgress } from "../io/index.ts";
import type { DatasetRecord, Segmentation } from "../model/index.ts";
import { importPool, Pool, type RecordSource } from "../pool/index.ts";
import { box, polygons } from "./made-samples.contract.ts";
import { ambiguityMargins } from "./margins.ts";
import { truthsOfPool, truthsOfRecords } from "./truths.ts";

const corner = polygons(box(0, 0, 2, 2), box(1, 1, 2, 2));
const rest = polygons(box(4, 4, 2, 2));
const annotation = (id: string, category: string, segmentation: Segmentation): DatasetRecord => {
  return { type: "annotation", id, imageId: "i", category, segmentation, isCrowd: false };
};
const records: DatasetRecord[] = [
  { type: "image", id: "i", file: "i.png", width: 8, height: 6 },
  annotation("1", "mug", corner),
  annotation("2", "mug", rest),
  annotation("3", "mug", rest),
  annotation("4", "cat", rest),
  { type: "ref", id: "r1", imageId: "i", annotationIds: ["1"], split: "val" },
  { type: "expression", id: "s1", refId: "r1", raw: "Left mug", sent: "left mug" },
  { type: "expression", id: "s2", refId: "r1", raw: "Red mug", sent: "red mug" },
  { type: "ref", id: "r2", imageId: "i", annotationIds: ["2", "4"], split: "val" },
  { type: "expression", id: "s3", refId: "r2", raw: "both", sent: "both" },
  { type: "ref", id: "r3", imageId: "i", annotationIds: [], split: "testA" },
  { type: "expression", id: "s4", refId: "r3", raw: "dog", sent: "dog" },
  { type: "note", reason: "a note", where: "here" },
];
const noSize = () => Promise.reject(new Error("not asked"));

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "truths-"));
  await writeFile(
    join(folder, "i.png"),
    await encodePng({ width: 8, height: 6, channels: 3, data: new Uint8Array(144) }),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function sourceOf(name: string): RecordSource {
  return {
    format: "made",
    name,
    imagesFolder: folder,
    files: [],
    warnings: [],
    async *records() {
      yield* records;
    },
  };
}

describe("truths of an importer's records", () => {
  it("hold keys, parts, categories and the number of similar objects", async () => {
    const truths = await truthsOfRecords(records, "src", noSize);
    expect(
      truths.map((truth) => [
        truth.key,
        truth.category,
        truth.similarObjects,
        truth.noTarget,
        truth.sentenceIndex,
        truth.sentenceCount,
      ]),
    ).toEqual([
      ["src/r1/s1", "mug", 2, false, 0, 2],
      ["src/r1/s2", "mug", 2, false, 1, 2],
      ["src/r2/s3", undefined, 2, false, 0, 1],
      ["src/r3/s4", undefined, undefined, true, 0, 1],
    ]);
    expect(truths[0]?.segmentations).toEqual([corner]);
    expect(truths[0]?.segmentations).toBe(truths[1]?.segmentations);
    expect(truths[2]?.segmentations).toEqual([rest, rest]);
  });

  it("ask for the size of an image whose dataset does not state it", async () => {
    const [, ...others] = records;
    const truths = await truthsOfRecords(
      [{ type: "image", id: "i", file: "i.png" }, ...others],
      "src",
      async (file) => {
        expect(file).toBe("i.png");
        return { width: 80, height: 60 };
      },
    );
    expect([truths[0]?.width, truths[0]?.height]).toEqual([80, 60]);
  });

  it("refuse a bad record: a score on a part of the truth would pass for one on all", async () => {
    const bad: DatasetRecord = { type: "bad", reason: "odd", where: "x:3", message: "x:3: odd thing" };
    await expect(truthsOfRecords([...records, bad], "src", noSize)).rejects.toThrow("x:3: odd thing");
    const lost: DatasetRecord = { type: "ref", id: "r9", imageId: "i", annotationIds: ["99"], split: "val" };
    await expect(truthsOfRecords([...records, lost], "src", noSize)).rejects.toThrow(
      /ref r9 of src names annotation 99/,
    );
  });
});

describe("truths of a pool", () => {
  it("equal those of the records, the image's name aside, and count an object of two sources once", async () => {
    const place = join(folder, "pool");
    for (const name of ["a", "b"]) {
      await importPool(place, sourceOf(name), { onBad: "fail", pack: false, force: false, progress: silentProgress });
    }
    const pool = await Pool.open(place);
    try {
      const truths = truthsOfPool(pool);
      expect(truths.length).toBe(8);
      expect(new Set(truths.map((truth) => truth.imageKey)).size).toBe(1);
      const expected = await truthsOfRecords(records, "b", noSize);
      expect(truthsOfPool(pool, ["b"]).map((truth) => ({ ...truth, imageKey: "i.png" }))).toEqual(expected);
      expect(() => truthsOfPool(pool, ["c"])).toThrow(/unknown source c; the pool has a, b/);
    } finally {
      await pool.close();
    }
  });
});

describe("ambiguityMargins", () => {
  it("take the best other image, leaving out its own, absent ones and NaN", async () => {
    const pool = await Pool.open(join(folder, "pool"));
    const rows = [
      { ids: [0, 5, 6], t2i: [0.9, 0.25, 0.5], own: 0.75 },
      { ids: [0, -1, -1], t2i: [0.9, 1, 1], own: 0.75 },
      { ids: [5, 6, 7], t2i: [Number.NaN, 0.125, 0], own: 0.25 },
      { ids: [5, 6, 7], t2i: [0.5, 0.5, 0.5], own: Number.NaN },
    ];
    const mined = {
      own: Float32Array.from({ length: 8 }, (_, i) => rows[i % 4]!.own),
      row: (i: number) => ({
        ids: Int32Array.from(rows[i % 4]!.ids),
        t2i: Float32Array.from(rows[i % 4]!.t2i),
        i2i: new Float32Array(3),
        truncated: false,
      }),
    };
    const margins = ambiguityMargins(pool, mined);
    await pool.close();
    expect([...margins].slice(0, 4)).toEqual([
      ["a/r1/s1", 0.25],
      ["a/r1/s2", Number.NaN],
      ["a/r2/s3", 0.125],
      ["a/r3/s4", Number.NaN],
    ]);
  });
});
