import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rleFromString, rleToMask } from "../../kernels/index.ts";
import type { BadRecord, DatasetRecord } from "../../model/index.ts";
import { allRecords, expectOneError, expectSoundOrder, freshFolder } from "../importer.contract.ts";
import { findImporter } from "../registry.ts";
import { columnRle, makeJsonl, maskPng, plainLines, put, square, triangle } from "../sample-datasets.contract.ts";

const folder = freshFolder();
const read = (lines: readonly unknown[]): Promise<DatasetRecord[]> => allRecords(makeJsonl(folder(), lines), "jsonl");
const ok = { image: "a.jpg", expressions: ["a mug"], segmentation: [square] };
const badOf = (records: readonly DatasetRecord[]): BadRecord[] => records.filter((record) => record.type === "bad");

describe("the plain JSON lines importer", () => {
  it("reads polygons, run lengths, several targets, no target and other objects", async () => {
    const records = await read(plainLines);
    expect(badOf(records)).toEqual([]);
    expect(records).toEqual([
      { type: "image", id: "a.jpg", file: "a.jpg" },
      {
        type: "annotation",
        id: "1",
        imageId: "a.jpg",
        category: "mug",
        segmentation: { kind: "polygons", parts: [square] },
        box: [10, 10, 20, 20],
        isCrowd: false,
      },
      { type: "ref", id: "1", imageId: "a.jpg", annotationIds: ["1"], split: "train" },
      { type: "expression", id: "0", refId: "1", raw: "the blue mug", sent: "the blue mug" },
      { type: "expression", id: "1", refId: "1", raw: "mug", sent: "mug" },
      { type: "image", id: "b/c.jpg", file: "b/c.jpg", width: 64, height: 48 },
      {
        type: "annotation",
        id: "x/7.0",
        imageId: "b/c.jpg",
        category: "",
        segmentation: { kind: "polygons", parts: [square] },
        isCrowd: false,
      },
      {
        type: "annotation",
        id: "x/7.1",
        imageId: "b/c.jpg",
        category: "",
        segmentation: { kind: "rle", ...columnRle },
        isCrowd: false,
      },
      { type: "ref", id: "x/7", imageId: "b/c.jpg", annotationIds: ["x/7.0", "x/7.1"], split: "val" },
      { type: "expression", id: "s1", refId: "x/7", raw: "Two bolts!", sent: "two bolts" },
      // The mug of line 1 is not annotated twice.
      {
        type: "annotation",
        id: "3+1",
        imageId: "a.jpg",
        category: "plate",
        segmentation: { kind: "none" },
        box: [0, 0, 9, 9],
        isCrowd: false,
      },
      { type: "ref", id: "3", imageId: "a.jpg", annotationIds: [], split: "train" },
      { type: "expression", id: "0", refId: "3", raw: "the fork", sent: "the fork" },
    ]);
  });

  it("reads a mask image: every pixel that is not 0 is inside", async () => {
    put(folder(), "masks/m.png", await maskPng(1, 5, 6, 20, 30));
    const records = await read([{ ...ok, segmentation: "masks/m.png", width: 64, height: 48 }]);
    const found = records.find((record) => record.type === "annotation");
    if (found?.segmentation.kind !== "rle") throw new Error(`expected run lengths, got ${JSON.stringify(records)}`);
    const mask = rleToMask(rleFromString(found.segmentation.counts, 48, 64));
    expect(mask.reduce((sum, value) => sum + value, 0)).toBe(15 * 24);
    expect(mask[6 * 64 + 5]).toBe(1);
    expect(mask[6 * 64 + 20]).toBe(0);
  });

  const problems: [oddity: string, line: unknown, reason: string, message: RegExp][] = [
    ["a line that is no JSON", "{image: 1}", "not JSON", /mine\.jsonl, line 2: expected a JSON object on one line/],
    ["a line that is a list", [1], "not a record", /got \[1\]/],
    ["an unknown key", { ...ok, expresions: ["x"] }, "unknown field", /got "expresions"; did you mean "expressions"\?/],
    ["a key that resembles nothing", { ...ok, zzz: 1 }, "unknown field", /got "zzz"; remove it/],
    ["no image", { expressions: ["x"], segmentation: null }, "missing field", /expected "image"/],
    ["an image outside the folder", { ...ok, image: "../a.jpg" }, "unsafe file name", /\.\.\/a\.jpg/],
    ["no expressions", { image: "a.jpg", segmentation: null }, "missing field", /"expressions"/],
    ["expressions as text", { ...ok, expressions: "a mug" }, "wrong type", /put the text into \[ \]/],
    ["an empty list of expressions", { ...ok, expressions: [] }, "no sentences", /an expression or more/],
    ["an empty expression alone", { ...ok, expressions: [" "] }, "empty sentence", /line 2, expressions\[0\]/],
    [
      "no segmentation and no box",
      { image: "a.jpg", expressions: ["x"] },
      "missing field",
      /null in a line says that nothing is meant/,
    ],
    [
      "an empty segmentation",
      { ...ok, segmentation: [] },
      "bad segmentation",
      /for an expression without a target write null/,
    ],
    ["a bare polygon", { ...ok, segmentation: square }, "bad segmentation", /put the polygon into \[ \]/],
    [
      "a polygon of two corners",
      { ...ok, segmentation: [[1, 2, 3, 4]] },
      "bad segmentation",
      /fewer than three corners/,
    ],
    [
      "run lengths that do not add up",
      { ...ok, segmentation: { size: [2, 2], counts: [1] } },
      "bad segmentation",
      /add up to 4/,
    ],
    ["a mask that is not there", { ...ok, segmentation: "gone.png" }, "unreadable mask", /gone\.png/],
    ["a mask of a long name", { ...ok, segmentation: "x".repeat(5000) }, "unreadable mask", /^.{0,900}$/],
    ["a mask outside the folder", { ...ok, segmentation: "../gone.png" }, "unreadable mask", /inside/],
    ["a target that is null", { ...ok, segmentation: [[square], null] }, "bad segmentation", /leave the target out/],
    [
      "a box beside no target",
      { ...ok, segmentation: null, bbox: [1, 2, 3, 4] },
      "contradictory target",
      /"segmentation": null/,
    ],
    ["a box of three numbers", { ...ok, bbox: [1, 2, 3] }, "wrong type", /\[x, y, width, height\]/],
    [
      "boxes that are too few",
      { ...ok, segmentation: [[square], [triangle]], bbox: [[1, 2, 3, 4]] },
      "wrong type",
      /list of 2/,
    ],
    ["a width without a height", { ...ok, width: 64 }, "bad image size", /give both or neither/],
    ["a split that is a number", { ...ok, split: 1 }, "wrong type", /"split"/],
    ["a category that is a number", { ...ok, category: 1 }, "wrong type", /"category"/],
    ["objects that are no list", { ...ok, objects: {} }, "wrong type", /"objects"/],
    [
      "an object with an unknown key",
      { ...ok, objects: [{ box: [1, 2, 3, 4] }] },
      "unknown field",
      /did you mean "bbox"/,
    ],
    ["an expression with an unknown key", { ...ok, expressions: [{ text: "x" }] }, "unknown field", /sent, raw, id/],
    ["a ref_id that is a list", { ...ok, ref_id: [1] }, "bad id", /"ref_id"/],
    ["the ref_id of an earlier line", { ...ok, ref_id: "1" }, "duplicate ref id", /give each line its own, or none/],
  ];
  for (const [oddity, line, reason, message] of problems) {
    it(`calls ${oddity} bad, names the line, and goes on`, async () => {
      const records = await read([ok, line, { ...ok, ref_id: "last" }]);
      expect(badOf(records).map((record) => record.reason)).toEqual([reason]);
      expect(badOf(records)[0]?.message).toMatch(message);
      expect(badOf(records)[0]?.where).toMatch(/^mine\.jsonl, line 2/);
      expect(records.at(-1)).toMatchObject({ type: "expression", refId: "last" });
      expect(records.filter((record) => record.type === "ref")).toHaveLength(2);
      expectSoundOrder(records);
    });
  }

  it("keeps the other expressions of a line when one is bad", async () => {
    const records = await read([{ ...ok, expressions: ["", 5, "a mug", { sent: "mug", id: "2" }] }]);
    expect(badOf(records).map((record) => record.reason)).toEqual([
      "empty sentence",
      "wrong type",
      "duplicate sentence id",
    ]);
    expect(records.at(-1)?.type).toBe("bad");
    expect(records.flatMap((record) => (record.type === "expression" ? [record.sent] : []))).toEqual(["a mug"]);
  });

  it("compares sizes between lines of one image and with masks", async () => {
    const sized = { ...ok, width: 64, height: 48 };
    const records = await read([
      sized,
      { ...sized, width: 65 },
      { ...ok, segmentation: { size: [64, 48], counts: [0, 3072] } },
    ]);
    expect(badOf(records).map((record) => record.reason)).toEqual(["bad image size", "mask of another size"]);
  });

  it("takes one category or box for each of several targets", async () => {
    const records = await read([
      {
        ...ok,
        segmentation: [[square], [triangle]],
        category: ["cup", "plate"],
        bbox: [
          [1, 2, 3, 4],
          [5, 6, 7, 8],
        ],
      },
    ]);
    expect(records.flatMap((record) => (record.type === "annotation" ? [[record.category, record.box]] : []))).toEqual([
      ["cup", [1, 2, 3, 4]],
      ["plate", [5, 6, 7, 8]],
    ]);
  });

  it("skips blank lines and reads a byte order mark and Windows line ends", async () => {
    put(
      folder(),
      "mine.jsonl",
      `\uFEFF${JSON.stringify(ok)}\r\n\r\n${JSON.stringify({ ...ok, expressions: ["zwei"] })}`,
    );
    put(folder(), "a.jpg", "x");
    const records = await allRecords({ source: join(folder(), "mine.jsonl") }, "jsonl");
    expect(badOf(records)).toEqual([]);
    expect(records.flatMap((record) => (record.type === "ref" ? [record.id] : []))).toEqual(["1", "3"]);
  });

  it("takes a folder with one .jsonl file, and asks which where there are several", async () => {
    makeJsonl(folder());
    expect((await findImporter("jsonl").open({ source: folder() })).name).toBe("mine");
    put(folder(), "other.jsonl", "{}");
    await expectOneError(() => findImporter("jsonl").open({ source: folder() }), "usage", /mine\.jsonl, other\.jsonl/);
  });
});
