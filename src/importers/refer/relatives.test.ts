import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rleFromString, rleToMask } from "../../kernels/index.ts";
import type { AnnotationRecord, BadRecord, DatasetRecord } from "../../model/index.ts";
import { allRecords, expectOneError, freshFolder } from "../importer.contract.ts";
import { findImporter } from "../registry.ts";
import {
  annotation,
  cocoName,
  instances,
  pickleValue,
  put,
  putImages,
  ref,
  square,
  triangle,
} from "../sample-datasets.contract.ts";

const folder = freshFolder();
const badOf = (records: readonly DatasetRecord[]): BadRecord[] => records.filter((record) => record.type === "bad");
const annotationsOf = (records: readonly DatasetRecord[]): AnnotationRecord[] =>
  records.filter((record) => record.type === "annotation");

describe("relatives of REFER", () => {
  it("reads RRSIS-D: masks as lists of run lengths, categories_id, boxes as corners, JPEGImages", async () => {
    const images = [{ id: 6000, file_name: "06000.jpg", height: 48, width: 64 }];
    const whole = { size: [48, 64], counts: [64 * 40, 64 * 8] };
    const annotations = [
      { id: 6000, image_id: 6000, categories_id: 0, bbox: [53, 0, 64, 48], segmentation: [whole], area: 512 },
    ];
    put(
      folder(),
      "rrsisd/refs(unc).p",
      pickleValue([{ ...ref(6000, 6000, 6000, [[6000, "the ship"]]), file_name: "06000.jpg" }]),
    );
    put(folder(), "rrsisd/instances.json", instances({ images, annotations, categories: [{ id: 0, name: "ship" }] }));
    putImages(join(folder(), "images/rrsisd/JPEGImages"), ["06000.jpg"]);
    const source = { source: join(folder(), "rrsisd") };
    const records = await allRecords(source, "refer");
    expect(badOf(records)).toEqual([]);
    const [found] = annotationsOf(records);
    expect(found?.category).toBe("ship");
    expect(found?.box).toEqual([53, 0, 11, 48]);
    expect(found?.segmentation).toMatchObject({ kind: "rle", size: [48, 64] });
    const opened = await findImporter("refer").open(source);
    expect(opened.name).toBe("rrsisd-unc");
    expect(opened.imagesFolder).toMatch(/JPEGImages$/);
    const named = await findImporter("refer").open({ ...source, images: join(folder(), "images/rrsisd") });
    expect(named.imagesFolder).toMatch(/JPEGImages$/);
  });

  it("takes the union of a list of run lengths, and keeps a box of sides that fits the mask", async () => {
    const one = { size: [2, 3], counts: [0, 1, 5] };
    const two = { size: [2, 3], counts: [0, 2, 4] };
    const three = { size: [2, 3], counts: [4, 2] };
    const images = [{ id: 11, file_name: "a.jpg", height: 2, width: 3 }];
    const annotations = [{ ...annotation(1, 11, [one, two, three]), bbox: [0, 0, 3, 2] }];
    put(folder(), "rrsisd/refs(unc).p", pickleValue([ref(1, 1, 11, [[1, "a"]])]));
    put(folder(), "rrsisd/instances.json", instances({ images, annotations }));
    putImages(join(folder(), "rrsisd/JPEGImages"), ["a.jpg"]);
    const [found] = annotationsOf(await allRecords({ source: join(folder(), "rrsisd") }, "refer"));
    if (found?.segmentation.kind !== "rle") throw new Error("expected run lengths");
    expect([...rleToMask(rleFromString(found.segmentation.counts, 2, 3))]).toEqual([1, 0, 1, 1, 0, 1]);
    expect(found.box).toEqual([0, 0, 3, 2]);
  });

  it("reads RefCLEF: splits testA to testC, masks as run lengths, images of SAIAPR", async () => {
    const images = [{ id: 19579, file_name: "19579.jpg", height: 48, width: 64 }];
    const annotations = [annotation(195791, 19579, [{ size: [48, 64], counts: [480, 960, 1632] }], 1)];
    put(folder(), "refclef/refs(unc).p", pickleValue([ref(1, 195791, 19579, [[1, "sky"]], "testC")]));
    put(folder(), "refclef/refs(berkeley).p", pickleValue([]));
    put(folder(), "refclef/instances.json", instances({ images, annotations }));
    putImages(join(folder(), "images/saiapr_tc-12"), ["19579.jpg"]);
    const options = { source: join(folder(), "refclef"), splitBy: "unc" };
    const records = await allRecords(options, "refer");
    expect(badOf(records)).toEqual([]);
    // The mask is columns 10 to 29: the box of the file lies nearer as sides than as corners.
    expect(annotationsOf(records)[0]?.box).toEqual([10, 10, 20, 20]);
    expect(records.at(-2)).toMatchObject({ type: "ref", split: "testC" });
    expect((await findImporter("refer").open(options)).imagesFolder).toMatch(/saiapr_tc-12$/);
  });

  it("reads Ref-ZOM: ann_id a list, empty for no target, Ref_ZOM.p, images of two COCO sets", async () => {
    const images = [
      { id: 11, file_name: cocoName(11), height: 48, width: 64 },
      { id: 22, file_name: cocoName(22).replace("train", "val"), height: 48, width: 64 },
    ];
    const annotations = [annotation(1, 11, [square]), annotation(12, 11, [triangle]), annotation(2, 22, [square])];
    const refs = [
      ref(1, [1, 12], 11, [[1, "both"]]),
      ref(2, [], 22, [[2, "nothing here"]], "test"),
      ref(3, [2], 22, [[3, "one"]], "test"),
    ];
    put(folder(), "refzom/Ref_ZOM.p", pickleValue(refs));
    put(folder(), "refzom/instances.json", instances({ images, annotations }));
    putImages(join(folder(), "refzom/train2014"), [cocoName(11)]);
    putImages(join(folder(), "refzom/val2014"), [cocoName(22).replace("train", "val")]);
    const options = { source: join(folder(), "refzom") };
    const records = await allRecords(options, "refer");
    expect(badOf(records)).toEqual([]);
    expect(records.flatMap((record) => (record.type === "ref" ? [record.annotationIds] : []))).toEqual([
      ["1", "12"],
      [],
      ["2"],
    ]);
    expect(records.flatMap((record) => (record.type === "image" ? [record.file] : []))).toEqual([
      `train2014/${cocoName(11)}`,
      `val2014/${cocoName(22).replace("train", "val")}`,
    ]);
    expect((await findImporter("refer").open(options)).name).toBe("refzom");
    const split = { ...options, splitBy: "unc" };
    await expectOneError(() => findImporter("refer").open(split), "usage", /Ref_ZOM\.p.*leave --split-by out/);
  });
});
