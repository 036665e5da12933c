import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allRecords, expectSoundOrder, freshFolder } from "../importer.contract.ts";
import { findImporter } from "../registry.ts";
import { cocoName, columnRle, makeSeqtr, put, putImages, square, triangle } from "../sample-datasets.contract.ts";

const folder = freshFolder();

describe("the SeqTR importer", () => {
  it("names refs by split and place, and reads polygons in parts and run lengths", async () => {
    const records = await allRecords(makeSeqtr(folder()), "seqtr");
    expect(records).toMatchObject([
      { type: "image", id: "11", file: cocoName(11), width: 64, height: 48 },
      { type: "annotation", id: "train-0", category: "car", segmentation: { parts: [square] }, box: [10, 10, 20, 20] },
      { type: "ref", id: "train-0", annotationIds: ["train-0"], split: "train" },
      { type: "expression", id: "0", sent: "the car" },
      { type: "expression", id: "1", sent: "car" },
      { type: "annotation", id: "train-1", segmentation: { kind: "rle", ...columnRle } },
      { type: "ref", id: "train-1" },
      { type: "expression", sent: "edge" },
      { type: "image", id: "22", file: cocoName(22) },
      { type: "annotation", id: "testA-0", segmentation: { parts: [triangle, square] } },
      { type: "ref", id: "testA-0", split: "testA" },
      { type: "expression", sent: "two parts" },
    ]);
  });

  it("takes images named by their number alone where these are there", async () => {
    makeSeqtr(folder());
    putImages(join(folder(), "saiapr"), ["11.jpg", "22.jpg"]);
    const options = { source: join(folder(), "refcoco-unc"), images: join(folder(), "saiapr") };
    const records = await allRecords(options, "seqtr");
    expect(records[0]).toMatchObject({ type: "image", id: "11", file: "11.jpg" });
    expect((await findImporter("seqtr").open(options)).name).toBe("refcoco-unc");
  });

  it("calls a bad mask, a wrong size and missing expressions bad, and goes on", async () => {
    const options = makeSeqtr(folder());
    const entry = { bbox: [1, 2, 3, 4], expressions: ["x"], height: 48, image_id: 11, mask: [square], width: 64 };
    const train = [
      { ...entry, mask: "polygon" },
      { ...entry, mask: { size: [64, 48], counts: [3072] } },
      { ...entry, expressions: "x" },
      { ...entry, image_id: "../11" },
      { ...entry, mask: [[1, 2]], bbox: null },
      { ...entry, width: 60 },
      entry,
    ];
    put(folder(), "refcoco-unc/instances.json", JSON.stringify({ train }));
    const records = await allRecords(options, "seqtr");
    expect(records.flatMap((record) => (record.type === "bad" ? [record.reason] : []))).toEqual([
      "bad segmentation",
      "mask of another size",
      "wrong type",
      "bad id",
      "bad image size",
    ]);
    expect(records.flatMap((record) => (record.type === "note" ? [record.reason] : []))).toEqual([
      "polygon with fewer than 6 or an odd number of coordinates skipped",
      "annotation without a usable segmentation",
      "box of four numbers expected, left out",
    ]);
    expect(records.at(-2)).toMatchObject({ type: "ref", id: "train-6" });
    expectSoundOrder(records);
  });
});
