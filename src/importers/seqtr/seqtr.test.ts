import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allRecords, expectSoundOrder, freshFolder } from "../importer.contract.ts";
import { findImporter, recogniseImporter } from "../registry.ts";
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
      entry,
      { ...entry, width: 60 },
    ];
    put(folder(), "refcoco-unc/instances.json", JSON.stringify({ train }));
    const records = await allRecords(options, "seqtr");
    expect(records.flatMap((record) => (record.type === "bad" ? [record.reason] : []))).toEqual([
      "bad segmentation",
      "mask of another size",
      "wrong type",
      "bad id",
      "target without a mask",
      "bad image size",
    ]);
    expect(records.flatMap((record) => (record.type === "note" ? [record.reason] : []))).toEqual([]);
    expect(records.filter((record) => record.type === "ref")).toMatchObject([{ id: "train-5" }]);
    expectSoundOrder(records);
  });

  it("reads DeRIS's and InstanceVG's entries of GRES: several targets, none, categories, equal objects once", async () => {
    const entry = (image_id: number, raw: unknown, annotations: unknown): unknown => ({
      image_id,
      width: 64,
      height: 48,
      expressions: { raw },
      annotations,
    });
    const target = (segmentation: unknown): unknown => ({ bbox: [10, 10, 20, 20], segmentation, category_id: 3 });
    const options = makeSeqtr(folder());
    const train = [
      entry(11, "both cars", [target([square]), target(columnRle)]),
      entry(11, ["no such thing", "an elephant"], [{ bbox: null, segmentation: null }]),
      entry(22, "nothing", []),
      entry(11, "one car", [target([square])]),
      entry(11, "half", [target([square]), { bbox: null, segmentation: null }]),
    ];
    put(folder(), "refcoco-unc/instances.json", JSON.stringify({ train }));
    expect((await recogniseImporter(options.source)).importer.name).toBe("seqtr");
    const records = await allRecords(options, "seqtr");
    expectSoundOrder(records);
    expect(records.filter((record) => record.type === "annotation")).toMatchObject([
      { id: "train-0.0", imageId: "11", category: "car", segmentation: { kind: "polygons", parts: [square] } },
      { id: "train-0.1", imageId: "11", category: "car", segmentation: { kind: "rle", ...columnRle } },
    ]);
    expect(records.filter((record) => record.type === "ref")).toMatchObject([
      { id: "train-0", annotationIds: ["train-0.0", "train-0.1"] },
      { id: "train-1", annotationIds: [] },
      { id: "train-2", annotationIds: [], imageId: "22" },
      { id: "train-3", annotationIds: ["train-0.0"] },
    ]);
    expect(records.flatMap((record) => (record.type === "expression" ? [record.sent] : []))).toEqual([
      "both cars",
      "no such thing",
      "an elephant",
      "nothing",
      "one car",
    ]);
    expect(records.filter((record) => record.type === "bad")).toMatchObject([
      { reason: "contradictory target", where: "instances.json, train[4]" },
    ]);
  });

  it("reads R-RefCOCO's groups of entries, with images by file_name", async () => {
    const entry = (raw: string, annotations: unknown): unknown => ({
      image_id: 11,
      file_name: "b.jpg",
      width: 64,
      height: 48,
      expressions: { raw },
      annotations,
    });
    const options = makeSeqtr(folder());
    const group = [entry("the car", [{ bbox: [10, 10, 20, 20], segmentation: [square] }]), entry("the kite", [{}])];
    put(folder(), "refcoco-unc/instances.json", JSON.stringify({ val_rrefcoco: [group] }));
    const records = await allRecords(options, "seqtr");
    expect(records.filter((record) => record.type === "image")).toMatchObject([{ file: "b.jpg" }]);
    expect(records.filter((record) => record.type === "ref")).toMatchObject([
      { id: "val_rrefcoco-0-0", annotationIds: ["val_rrefcoco-0-0.0"], split: "val_rrefcoco" },
      { id: "val_rrefcoco-0-1", annotationIds: [], split: "val_rrefcoco" },
    ]);
  });

  it("reads mixed sets: their splits, and images of several sources below one folder", async () => {
    const entry = (image_id: number, data_source?: string): unknown => ({
      image_id,
      width: 64,
      height: 48,
      bbox: [10, 10, 20, 20],
      mask: [square],
      expressions: ["the car"],
      ...(data_source === undefined ? {} : { data_source }),
    });
    const mixed = { train: [entry(11, "coco"), entry(3, "vg"), entry(4, "flickr")], testA_refcoco_unc: [entry(22)] };
    put(folder(), "mixed-seg/instances.json", JSON.stringify(mixed));
    put(folder(), `images/mscoco/train2014/${cocoName(11)}`, "a picture");
    const options = { source: join(folder(), "mixed-seg"), images: join(folder(), "images") };
    const records = await allRecords(options, "seqtr");
    expect(records.flatMap((record) => (record.type === "image" ? [record.file] : []))).toEqual([
      `mscoco/train2014/${cocoName(11)}`,
      "visual-genome/3.jpg",
      "flickr30k/4.jpg",
      `mscoco/train2014/${cocoName(22)}`,
    ]);
    expect(records.flatMap((record) => (record.type === "ref" ? [record.split] : []))).toEqual([
      "train",
      "train",
      "train",
      "testA_refcoco_unc",
    ]);
  });
});
