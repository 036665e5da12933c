import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../../test/peers.ts";
import { allRecords, expectOneError, expectSoundOrder, freshFolder } from "../importer.contract.ts";
import { findImporter } from "../registry.ts";
import {
  cocoName,
  instances,
  makeEmbeddedParquet,
  makeRawParquet,
  putImages,
  square,
  triangle,
  twoRefs,
} from "../sample-datasets.contract.ts";

const folder = freshFolder();

describe("the Hugging Face importer on jxu124's layout", () => {
  it("takes annotation, image and sentences from their JSON text and the split from the row", async () => {
    const records = await allRecords(makeRawParquet(folder()), "hf-parquet");
    expect(records).toMatchObject([
      { type: "image", id: "11", file: cocoName(11), width: 64, height: 48 },
      {
        type: "annotation",
        id: "1",
        category: "person",
        segmentation: { parts: [square] },
        area: 400,
        box: [10, 10, 20, 20],
      },
      { type: "ref", id: "100", annotationIds: ["1"], split: "train" },
      { type: "expression", id: "1000", raw: "THE MAN ON THE LEFT", sent: "the man on the left" },
      { type: "expression", id: "1001" },
      { type: "image", id: "22" },
      { type: "annotation", id: "2", category: "car", segmentation: { kind: "rle" } },
      { type: "ref", id: "101", split: "val" },
      { type: "expression", id: "1002", sent: "a red car" },
    ]);
  });

  it("warns that objects nobody refers to are missing", async () => {
    const source = await findImporter("hf-parquet").open(makeRawParquet(folder()));
    expect(source.name).toBe("refcoco");
    expect(source.warnings.join()).toMatch(/referred objects only/);
    expect(source.files).toHaveLength(2);
  });
});

describe("the Hugging Face importer on lmms-lab's layout", () => {
  it("streams each image once, with its bytes and without REFER's running number", async () => {
    const records = await allRecords(makeEmbeddedParquet(folder()), "hf-parquet");
    const images = records.filter((record) => record.type === "image");
    expect(images).toHaveLength(1);
    expect(images[0]).toMatchObject({ id: cocoName(11), file: cocoName(11) });
    expect(Buffer.from(images[0]?.bytes ?? []).toString()).toBe("JPEG bytes of image 11");
    expect(records.filter((record) => record.type !== "image")).toMatchObject([
      { type: "annotation", id: "1", segmentation: { kind: "polygons", parts: [square] }, box: [10, 10, 20, 20] },
      { type: "ref", id: "1", split: "val" },
      { type: "expression", id: "0", sent: "left man" },
      { type: "expression", id: "1", sent: "the man" },
      { type: "annotation", id: "2", segmentation: { kind: "polygons", parts: [triangle] } },
      { type: "ref", id: "2" },
      { type: "expression", id: "0", sent: "woman" },
    ]);
  });

  it("warns that mask parts are lost, and that there is no train split", async () => {
    const { warnings } = await findImporter("hf-parquet").open(makeEmbeddedParquet(folder()));
    expect(warnings.join("\n")).toMatch(/other parts of a mask are lost/);
    expect(warnings.join("\n")).toMatch(/no train split is there \(only val\)/);
  });
});

describe("Parquet files that are neither", () => {
  it.skipIf(!pythonHas("pyarrow"))("says which columns it looked for", async () => {
    const file = join(folder(), "other.parquet");
    runPython("import pyarrow as pa, pyarrow.parquet as pq, sys; pq.write_table(pa.table({'a': [1]}), sys.argv[1])", [
      file,
    ]);
    await expectOneError(
      () => findImporter("hf-parquet").open({ source: file }),
      "bad-input",
      /raw_anns and raw_sentences/,
    );
  });

  it("says where it looked for files", async () => {
    mkdirSync(join(folder(), "data"));
    await expectOneError(() => findImporter("hf-parquet").open({ source: folder() }), "not-found", /Parquet files/);
  });
});

describe.skipIf(!pythonHas("pyarrow"))("files that pyarrow writes", () => {
  it("reads both layouts as the hub's own files are written, dictionary-coded and compressed", async () => {
    const script = `
import json, sys, pyarrow as pa, pyarrow.parquet as pq
folder, inputs = sys.argv[1], json.loads(sys.stdin.read())
anns = json.loads(inputs["instances"])
rows = []
for ref in inputs["refs"]:
    ann = next(a for a in anns["annotations"] if a["id"] == ref["ann_id"])
    image = next(i for i in anns["images"] if i["id"] == ref["image_id"])
    rows.append({"sent_ids": ref["sent_ids"], "file_name": ref["file_name"], "ann_id": ref["ann_id"], "ref_id": ref["ref_id"],
        "image_id": ref["image_id"], "split": ref["split"], "sentences": ref["sentences"], "category_id": ann["category_id"],
        "raw_anns": json.dumps(ann), "raw_image_info": json.dumps(image), "raw_sentences": json.dumps(ref["sentences"]),
        "image_path": "coco/train2014/" + image["file_name"], "bbox": [0.5, 1.5, 2.5, 3.5]})
pq.write_table(pa.Table.from_pylist(rows), folder + "/raw/data/train-00000-of-00001.parquet", compression="zstd")
image = {"bytes": b"\\xff\\xd8 photo", "path": None}
flat = [10.0, 10.0, 30.0, 10.0, 30.0, 30.0]
schema = pa.schema([("question_id", pa.string()), ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
    ("question", pa.string()), ("answer", pa.list_(pa.string())), ("segmentation", pa.list_(pa.float32())),
    ("bbox", pa.list_(pa.float32())), ("iscrowd", pa.int8()), ("file_name", pa.string())])
rows = [{"question_id": str(n), "image": image, "question": "?", "answer": ["a", "b"], "segmentation": flat,
    "bbox": [10.0, 10.0, 20.0, 20.0], "iscrowd": n % 2, "file_name": "COCO_train2014_000000000011_%d.jpg" % n} for n in range(300)]
pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder + "/embedded/data/testA-00000-of-00001.parquet", row_group_size=100)`;
    for (const layout of ["raw", "embedded"]) mkdirSync(join(folder(), layout, "data"), { recursive: true });
    putImages(join(folder(), "images"));
    runPython(script, [folder()], JSON.stringify({ refs: twoRefs, instances: instances() }));
    const raw = await allRecords({ source: join(folder(), "raw"), images: join(folder(), "images") }, "hf-parquet");
    expect(raw).toEqual(await allRecords(makeRawParquet(folder()), "hf-parquet"));
    const embedded = await allRecords({ source: join(folder(), "embedded") }, "hf-parquet");
    const count = (type: string): number => embedded.filter((record) => record.type === type).length;
    expect(["image", "annotation", "ref", "expression", "bad"].map(count)).toEqual([1, 300, 300, 600, 0]);
    expect(embedded.find((record) => record.type === "ref")).toMatchObject({ split: "testA" });
    expect(embedded.filter((record) => record.type === "annotation" && record.isCrowd)).toHaveLength(150);
    expectSoundOrder(embedded);
  });
});
