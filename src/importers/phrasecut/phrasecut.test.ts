import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allRecords, expectSoundOrder, freshFolder } from "../importer.contract.ts";
import { findImporter } from "../registry.ts";
import { makePhrasecut, put, square, triangle } from "../sample-datasets.contract.ts";

const folder = freshFolder();

describe("the PhraseCut importer", () => {
  it("makes each instance an annotation with its polygons, equal ones in an image being one", async () => {
    const records = await allRecords(makePhrasecut(folder()), "phrasecut");
    expect(records).toMatchObject([
      { type: "image", id: "1", file: "1.jpg", width: 64, height: 48 },
      { type: "annotation", id: "1__0:0", category: "dog", segmentation: { parts: [triangle] }, box: [10, 10, 20, 20] },
      { type: "ref", id: "1__0", annotationIds: ["1__0:0"], split: "train" },
      { type: "expression", id: "0", sent: "walking dog" },
      { type: "image", id: "2" },
      { type: "annotation", id: "2__0:0", category: "shirt", segmentation: { parts: [square] } },
      { type: "ref", id: "2__0", split: "val" },
      { type: "expression", sent: "black shirt" },
      { type: "annotation", id: "2__1:1", segmentation: { parts: [triangle, square] } },
      { type: "ref", id: "2__1", annotationIds: ["2__0:0", "2__1:1"], split: "val" },
      { type: "expression", sent: "shirts" },
    ]);
  });

  it("reads miniv, a part of val, only where val is not there or where it is named", async () => {
    const options = makePhrasecut(folder());
    const opened = await findImporter("phrasecut").open(options);
    expect(opened.warnings.join()).toMatch(/refer_miniv\.json is a part of refer_val\.json/);
    expect(opened.files.map(({ path }) => path.split("/").at(-1))).toEqual([
      "refer_train.json",
      "refer_val.json",
      "image_data_split3000.json",
    ]);
    const images = join(folder(), "images");
    const named = await allRecords({ source: join(folder(), "refer_miniv.json"), images }, "phrasecut");
    expect(named.flatMap((record) => (record.type === "ref" ? [[record.id, record.split]] : []))).toEqual([
      ["2__0", "miniv"],
    ]);
    for (const split of ["train", "val"]) rmSync(join(folder(), `refer_${split}.json`));
    expect(await allRecords(options, "phrasecut")).toEqual(named);
  });

  it("does without the table of images, sizes left to the images' headers", async () => {
    const options = makePhrasecut(folder());
    rmSync(join(folder(), "image_data_split3000.json"));
    expect((await allRecords(options, "phrasecut"))[0]).toEqual({ type: "image", id: "1", file: "1.jpg" });
  });

  it("calls tasks without polygons, with bad ones or without a phrase bad, and goes on", async () => {
    const options = makePhrasecut(folder());
    const task = {
      task_id: "2__5",
      image_id: 2,
      Polygons: [
        [
          [
            [1, 2],
            [3, 4],
            [9, 5],
          ],
        ],
      ],
      phrase: "hat",
      instance_boxes: [],
    };
    const tasks = [
      { ...task, Polygons: [] },
      { ...task, Polygons: "none" },
      { ...task, Polygons: [[[["a", "b"]]]] },
      { ...task, phrase: "" },
      { ...task, task_id: null },
      task,
      task,
    ];
    put(folder(), "refer_val.json", JSON.stringify(tasks));
    const records = await allRecords(options, "phrasecut");
    expect(records.flatMap((record) => (record.type === "bad" ? [record.reason] : []))).toEqual([
      "bad segmentation",
      "bad segmentation",
      "bad segmentation",
      "empty sentence",
      "bad id",
      "duplicate ref id",
    ]);
    expect(records.filter((record) => record.type === "ref").map(({ id }) => id)).toEqual(["1__0", "2__5"]);
    expectSoundOrder(records);
  });
});
