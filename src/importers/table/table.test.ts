import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { allRecords, areaOf, freshFolder, only } from "../importer.contract.ts";
import { makeTable, makeTableOfLines } from "../more-datasets.contract.ts";
import { columnRle, maskPng, put, square } from "../sample-datasets.contract.ts";

const folder = freshFolder();

describe("the table importer", () => {
  it("reads CSV: rows of one ref are its sentences, masks by path or JSON, an empty one means nothing", async () => {
    const records = await allRecords(await makeTable(folder()), "table");
    expect(only(records, "image").map(({ file }) => file)).toEqual(["a.jpg", "b.jpg"]);
    expect(only(records, "ref")).toMatchObject([
      { id: "7", imageId: "a.jpg", annotationIds: ["7"], split: "train" },
      { id: "8", imageId: "b.jpg", annotationIds: ["8"], split: "val" },
      { id: "9", imageId: "b.jpg", annotationIds: [], split: "val" },
    ]);
    expect(only(records, "expression").map(({ refId, id, sent }) => [refId, id, sent])).toEqual([
      ["7", "s1", "the mug, left"],
      ["7", "s2", "the blue mug"],
      ["8", "s3", "a plate"],
      ["9", "s4", "no such thing"],
    ]);
    const [mug, plate] = only(records, "annotation");
    expect([mug?.category, areaOf(mug?.segmentation)]).toEqual(["mug", 15 * 24]);
    expect(plate).toMatchObject({ category: "plate", segmentation: { kind: "polygons", parts: [square] } });
    expect(only(records, "note").map(({ reason }) => reason)).toEqual([
      "row without a mask taken as one that means nothing",
    ]);
  });

  it("reads JSON lines, lists of sentences, run lengths, and takes the split from the file's name", async () => {
    const records = await allRecords(await makeTableOfLines(folder()), "table");
    expect(only(records, "ref").map(({ id, split }) => [id, split])).toEqual([
      ["train-0", "train"],
      ["train-1", "val"],
    ]);
    expect(only(records, "expression").map(({ sent }) => sent)).toEqual(["the mug", "mug", "edge"]);
    expect(only(records, "annotation")[1]?.segmentation).toEqual({ kind: "rle", ...columnRle });
  });

  it("takes columns as --columns says, templates among them, as medical sets need", async () => {
    put(folder(), "set/Train.csv", "Image,Description,Extra\ncovid_1.png,one lung,x\n");
    put(folder(), "set/labels/mask_covid_1.png", await maskPng());
    put(folder(), "set/images/covid_1.png", "a picture");
    const source = join(folder(), "set/Train.csv");
    const columns = "text=Description,mask=labels/mask_{Image}";
    const records = await allRecords({ source, columns }, "table");
    expect(only(records, "bad")).toEqual([]);
    expect(areaOf(only(records, "annotation")[0]?.segmentation)).toBe(15 * 24);
    await expect(allRecords({ source }, "table")).rejects.toThrow(
      /columns for mask .*Image, Description.*--columns mask=…/,
    );
    await expect(allRecords({ source, columns: "text=Descripton" }, "table")).rejects.toThrow(
      /Did you mean "Description"/,
    );
    await expect(allRecords({ source, columns: "txt=Description" }, "table")).rejects.toThrow(/Did you mean "text"/);
  });

  it("calls rows bad that have other cells than the header, another mask for a ref, or no mask file", async () => {
    const options = await makeTable(folder());
    put(
      folder(),
      "mine.csv",
      "image,mask,text,ref\na.jpg,masks/a.png\na.jpg,masks/a.png,one,1\na.jpg,masks/b.png,two,1\nb.jpg,masks/c.png,three,2\n../x,,four,3\n",
    );
    expect(only(await allRecords(options, "table"), "bad").map(({ reason, where }) => [where, reason])).toEqual([
      ["mine.csv, line 2", "not a record"],
      ["mine.csv, line 4", "contradictory target"],
      ["mine.csv, line 5", "unreadable mask"],
      ["mine.csv, line 6", "unsafe file name"],
    ]);
  });
});

describe("a row with a box and no mask", () => {
  it("is a bad record of a table: it does not say that its text means nothing", async () => {
    const options = await makeTable(folder());
    put(
      folder(),
      "mine.csv",
      'image,mask,text,bbox\na.jpg,masks/a.png,one,\na.jpg,,two,"[1, 2, 3, 4]"\nb.jpg,,none,\n',
    );
    const records = await allRecords(options, "table");
    expect(only(records, "bad")).toMatchObject([{ where: "mine.csv, line 3", reason: "target without a mask" }]);
    expect(only(records, "expression").map(({ sent }) => sent)).toEqual(["one", "none"]);
  });
});

/** sharp is what writes the masks of these datasets; a palette PNG counts by index. */
describe("masks of tables", () => {
  it("are read from a palette PNG by index and from an alpha channel", async () => {
    const rgba = Buffer.from(Array.from({ length: 64 * 48 * 4 }, (_, k) => (k % 4 === 3 && k / 4 < 64 * 10 ? 255 : 0)));
    const alpha = await sharp(rgba, { raw: { width: 64, height: 48, channels: 4 } })
      .png()
      .toBuffer();
    const options = await makeTable(folder());
    put(folder(), "masks/a.png", alpha);
    expect(areaOf(only(await allRecords(options, "table"), "annotation")[0]?.segmentation)).toBe(640);
  });
});
