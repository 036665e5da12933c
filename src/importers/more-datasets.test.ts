import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../test/peers.ts";
import type { DatasetRecord } from "../model/index.ts";
import { allRecords, areaOf, freshFolder, only } from "./importer.contract.ts";
import {
  makeMmr,
  makeReasonseg,
  makeRefloco,
  makeRefsegrs,
  makeSa2va,
  makeSaco,
  makeSamplesParquet,
  makeWebdataset,
} from "./more-datasets.contract.ts";
import { fillOutline } from "./reasonseg/fill-outline.ts";
import { findImporter, recogniseImporter } from "./registry.ts";
import { columnRle, put, square, triangle } from "./sample-datasets.contract.ts";

const folder = freshFolder();

describe("the SA-Co importer", () => {
  it("makes a phrase without annotations a no-target one, several annotations several targets", async () => {
    const records = await allRecords(makeSaco(folder()), "saco");
    expect(only(records, "image")).toMatchObject([
      { id: "a.jpg", width: 64, height: 48 },
      { id: "b.jpg", width: 64, height: 48 },
    ]);
    expect(only(records, "ref")).toMatchObject([
      { id: "test-1", imageId: "a.jpg", annotationIds: ["test-10"], split: "test" },
      { id: "test-2", imageId: "a.jpg", annotationIds: [], split: "test" },
      { id: "test-3", imageId: "b.jpg", annotationIds: ["test-11", "test-12"], split: "test" },
    ]);
    expect(only(records, "expression").map(({ sent }) => sent)).toEqual(["the mug", "an elephant", "mug or plate"]);
    // Boxes that are shares of the image come back in pixels; others stay.
    expect(only(records, "annotation").map(({ box }) => box)).toEqual([
      [10, 10, 20, 20],
      [40, 5, 20, 20],
      [0, 2, 1, 46],
    ]);
  });

  it("reads plain COCO by category, one folder a split", async () => {
    const value = (split: string): unknown => ({
      images: [{ id: 1, file_name: `${split}.jpg`, width: 64, height: 48 }],
      annotations: [
        { id: 1, image_id: 1, category_id: 5, segmentation: [square], bbox: [10, 10, 20, 20], area: 400, iscrowd: 0 },
        { id: 2, image_id: 1, category_id: 6, segmentation: [triangle], bbox: [40, 5, 20, 20], iscrowd: 0 },
        { id: 3, image_id: 1, category_id: 5, segmentation: [triangle], bbox: [40, 5, 20, 20], iscrowd: 0 },
      ],
      categories: [
        { id: 5, name: "the red car" },
        { id: 6, name: "a dog" },
      ],
    });
    for (const split of ["train", "valid"]) {
      put(folder(), `robo/${split}/_annotations.coco.json`, JSON.stringify(value(split)));
      put(folder(), `robo/${split}/${split}.jpg`, "a picture");
    }
    const source = join(folder(), "robo");
    expect((await recogniseImporter(source)).importer.name).toBe("saco");
    const records = await allRecords({ source }, "saco");
    expect(only(records, "image").map(({ file }) => file)).toEqual(["train/train.jpg", "valid/valid.jpg"]);
    expect(only(records, "ref").map(({ id, annotationIds, split }) => [id, annotationIds, split])).toEqual([
      ["train-1:5", ["train-1", "train-2"], "train"],
      ["train-1:6", ["train-2"], "train"],
      ["val-1:5", ["val-1", "val-2"], "val"],
      ["val-1:6", ["val-2"], "val"],
    ]);
    expect(only(records, "expression")[0]?.sent).toBe("the red car");
  });

  it("leaves a phrase out whose annotation is bad, since with fewer targets it would be another truth", async () => {
    const options = makeSaco(folder());
    const value = {
      images: [{ id: 1, file_name: "a.jpg", text_input: "mugs" }],
      annotations: [
        { id: 1, image_id: 1, segmentation: [square] },
        { id: 2, image_id: 1, segmentation: [] },
        { id: 3, image_id: 9, segmentation: [square] },
      ],
    };
    put(folder(), "gold_attributes.json", JSON.stringify(value));
    const records = await allRecords(options, "saco");
    expect(only(records, "bad").map(({ reason }) => reason)).toEqual(["target without a mask", "unknown image"]);
    expect(only(records, "ref")).toEqual([]);
  });
});

describe("the ReasonSeg importer", () => {
  it("draws targets, takes out what is to be ignored, and leaves flags out", async () => {
    const records = await allRecords(await makeReasonseg(folder()), "reasonseg");
    const [whole, part] = only(records, "annotation");
    // 21 × 21 pixels with the outline; 6 × 6 of them are ignored in the second.
    expect([areaOf(whole?.segmentation), areaOf(part?.segmentation)]).toEqual([441, 441 - 36]);
    expect(only(records, "ref").map(({ id, split }) => [id, split])).toEqual([
      ["train/a", "train"],
      ["val/b", "val"],
    ]);
  });

  it("reads Windows-1252, as LISA does, and notes it", async () => {
    const options = await makeReasonseg(folder());
    const shapes = [
      {
        label: "target",
        points: [
          [1, 1],
          [9, 1],
          [9, 9],
        ],
      },
    ];
    put(folder(), "train/a.json", Buffer.from(JSON.stringify({ text: ["the café"], shapes }), "latin1"));
    const records = await allRecords(options, "reasonseg");
    expect(only(records, "expression")[0]?.sent).toBe("the café");
    expect(only(records, "note")).toHaveLength(1);
    // Chinese in GBK would be gibberish in Windows-1252, and UTF-16 is not JSON at all.
    const gbk = Buffer.concat([
      Buffer.from('{"text": ["'),
      Buffer.from([0xb9, 0xb7]),
      Buffer.from('"], "shapes": []}'),
    ]);
    put(folder(), "train/a.json", gbk);
    const [chinese] = only(await allRecords(options, "reasonseg"), "bad");
    expect(chinese?.message).toMatch(/UTF-8 text in line 1, byte 11 of "train\/a.json", got another encoding \(GBK/);
    put(folder(), "train/a.json", Buffer.from("\ufeff{}", "utf16le"));
    const [wide] = only(await allRecords(options, "reasonseg"), "bad");
    expect(wide?.message).toMatch(/line 1, byte 0 of "train\/a.json", got UTF-16; save the file as UTF-8/);
  });

  it.skipIf(!pythonHas("cv2", "numpy"))("draws outlines as OpenCV does (needs Python with cv2)", () => {
    const outlines = Array.from({ length: 300 }, (_, n) => {
      const random = (k: number): number => createHash("md5").update(`${n} ${k}`).digest().readUInt16LE() / 65536;
      return Array.from({ length: 2 + (n % 9) }, (_, i) => [random(2 * i) * 63.9, random(2 * i + 1) * 47.9]);
    });
    put(folder(), "outlines.json", JSON.stringify(outlines));
    const theirs = JSON.parse(
      runPython(
        `import cv2, json, sys, hashlib, numpy as np
out = []
for points in json.load(open(sys.argv[1])):
    m = np.zeros((48, 64), np.uint8)
    cv2.polylines(m, np.array([points], dtype=np.int32), True, 1, 1)
    cv2.fillPoly(m, np.array([points], dtype=np.int32), 1)
    out.append(hashlib.md5(m.tobytes()).hexdigest())
print(json.dumps(out))`,
        [join(folder(), "outlines.json")],
      ),
    ) as string[];
    const ours = outlines.map((points) => {
      const data = new Uint8Array(64 * 48);
      fillOutline({ width: 64, height: 48, data }, points as [number, number][], 1);
      return createHash("md5").update(data).digest("hex");
    });
    expect(ours.filter((hash, i) => hash !== theirs[i])).toEqual([]);
  });

  it("draws the example of fill-outline.ts", () => {
    const raster = { width: 3, height: 3, data: new Uint8Array(9) };
    fillOutline(
      raster,
      [
        [0, 0],
        [2, 0],
        [0, 2],
      ],
      1,
    );
    expect([...raster.data]).toEqual([1, 1, 1, 1, 1, 0, 1, 0, 0]);
  });
});

describe("the importer of Sa2VA's fine-tuning data", () => {
  const read = async (ours: boolean): Promise<DatasetRecord[]> => allRecords(makeSa2va(folder(), ours), "sa2va");
  const refsOf = (records: readonly DatasetRecord[]): unknown =>
    only(records, "ref").map(({ id, imageId, annotationIds, split }) => [id, imageId, annotationIds, split]);

  it("reads a mask's texts as one ref's sentences, equal masks of one image as one annotation", async () => {
    const records = await read(false);
    expect(refsOf(records)).toEqual([
      ["train-0-0", "train/images/a.jpg", ["train-0-0"], "train"],
      ["train-0-1", "train/images/a.jpg", ["train-0-1"], "train"],
      ["train-1", "train/images/a.jpg", ["train-0-0"], "train"],
      ["val-0", "val/images/b.jpg", ["val-0"], "val"],
    ]);
    expect(only(records, "expression").map(({ refId, id, sent }) => `${refId} ${id} ${sent}`)).toEqual([
      "train-0-0 0 the mug",
      "train-0-0 1 mug",
      "train-0-1 0 all of it",
      "train-1 0 a cup",
      "val-0 0 a sail",
    ]);
  });

  it("takes a mask without area for nothing meant in our own exports", async () => {
    const records = await read(true);
    expect(only(records, "bad")).toEqual([]);
    expect(refsOf(records)).toContainEqual(["train-1-1", "train/images/a.jpg", [], "train"]);
    expect((await recogniseImporter(join(folder(), "mine"))).importer.name).toBe("sa2va");
  });
});

describe("the importers of MMR, HC-RefLoCo, RefSegRS and RefCOCO-M", () => {
  it("reads MMR's questions with their answers, one or several, equal ones once", async () => {
    const records = await allRecords(makeMmr(folder()), "mmr");
    expect(only(records, "ref")).toMatchObject([
      { id: "train-11-0", annotationIds: ["train-11-0.0"], split: "train" },
      { id: "train-11-1", annotationIds: ["train-11-0.0", "train-11-1.1"], split: "train" },
      { id: "test_mixed-22-0", annotationIds: ["test_mixed-22-0.0"], split: "test_mixed" },
    ]);
    expect(only(records, "annotation")[0]).toMatchObject({
      category: "mug",
      segmentation: { kind: "rle", ...columnRle },
    });
    expect(only(records, "image").map(({ file }) => file)).toEqual([
      "train2017/000000000011.jpg",
      "train2017/000000000022.jpg",
    ]);
  });

  it("reads HC-RefLoCo's captions as boxes without masks, one box one target", async () => {
    const options = makeRefloco(folder());
    const records = await allRecords(options, "refloco");
    expect(only(records, "annotation")).toMatchObject([
      { id: "0000000", segmentation: { kind: "none" }, box: [10.5, 10, 20, 20] },
      { id: "0000002", segmentation: { kind: "none" } },
    ]);
    expect(only(records, "ref").map(({ id, annotationIds, split }) => [id, annotationIds, split])).toEqual([
      ["0000000", ["0000000"], "val"],
      ["0000001", ["0000000"], "val"],
      ["0000002", ["0000002"], "test"],
    ]);
    expect((await findImporter("refloco").open(options)).warnings.join()).toMatch(/boxes and no masks/);
  });

  it("finds the images' folder where the first image, with many captions, is missing", async () => {
    const options = makeRefloco(folder());
    const object = { width: 64, height: 48, bbox: [1, 1, 9, 9], split: "val" };
    const gone = Array.from({ length: 7 }, (_, n) => ({
      ...object,
      id: `g${n}`,
      file_name: "gone.jpg",
      caption: `a ${n}`,
    }));
    const list = [...gone, { ...object, id: "a", file_name: "a.jpg", caption: "a" }];
    put(folder(), "HC_RefLoCo/hc_refloco.json", JSON.stringify(list));
    const { imagesFolder } = await findImporter("refloco").open({ source: options.source });
    expect(imagesFolder).toBe(join(folder(), "HC_RefLoCo/images"));
  });

  it("reads RefSegRS's phrases, those of one number as one target's", async () => {
    const records = await allRecords(await makeRefsegrs(folder()), "refsegrs");
    expect(only(records, "ref").map(({ id, split }) => [id, split])).toEqual([
      ["1", "train"],
      ["2", "train"],
      ["3", "test"],
    ]);
    expect(only(records, "expression").map(({ sent }) => sent)).toEqual([
      "road",
      "the long road",
      "vehicle in the parking area",
      "building",
    ]);
    expect(only(records, "annotation").map(({ segmentation }) => areaOf(segmentation))).toEqual(
      [19, 18, 17].map((w) => w * 24),
    );
  });

  it("reads RefCOCO-M: several refs a row, masks as run lengths", async () => {
    const records = await allRecords(await makeSamplesParquet(folder()), "hf-parquet");
    expect(only(records, "ref").map(({ id, split }) => [id, split])).toEqual([
      ["1", "val"],
      ["2", "val"],
    ]);
    expect(only(records, "annotation")[1]).toMatchObject({
      category: "plate",
      segmentation: { kind: "rle", ...columnRle },
    });
    expect(only(records, "image")).toHaveLength(1);
  });
});

describe("exports read back", () => {
  it("reads WebDataset's samples with their ids; an empty mask without a category means nothing", async () => {
    const records = await allRecords(await makeWebdataset(folder()), "webdataset");
    expect(only(records, "bad")).toEqual([]);
    expect(only(records, "ref")).toMatchObject([
      { id: "1", annotationIds: ["1"], split: "train" },
      { id: "2", annotationIds: [], split: "train" },
      { id: "3", annotationIds: ["3"], split: "val" },
    ]);
    expect(only(records, "expression")[0]).toMatchObject({ id: "s/1", sent: "the mug" });
    expect(only(records, "image")[0]?.file).toBe("000000000011.jpg");
  });

  it("picks the LMDB files of our own cris-lmdb export, whose masks are of what is evaluated only", async () => {
    put(folder(), "export/export.json", "{}");
    put(
      folder(),
      "export/anns/refcoco/train.json",
      JSON.stringify([{ segment_id: 1, img_name: "a.jpg", sentences: [] }]),
    );
    const magic = Buffer.alloc(8192);
    magic.writeUInt32LE(0xbeefc0de, 16);
    put(folder(), "export/lmdb/refcoco/train.lmdb", magic);
    const found = await recogniseImporter(join(folder(), "export"));
    expect([found.importer.name, found.options.source]).toEqual(["cris-lmdb", join(folder(), "export/lmdb/refcoco")]);
  });
});
