import { describe, expect, it } from "vitest";
import type { DatasetRecord } from "../model/index.ts";
import { newEntryState } from "./entry-records.ts";
import { embeddedRowRecords } from "./hf-parquet/embedded-rows.ts";
import { rawRowRecords } from "./hf-parquet/raw-rows.ts";
import { allRecords, freshFolder } from "./importer.contract.ts";
import { makeTable } from "./more-datasets.contract.ts";
import {
  annotation,
  gRefs,
  instances,
  makeGrefcoco,
  makePhrasecut,
  makeRefer,
  makeSeqtr,
  put,
  square,
  twoRefs,
} from "./sample-datasets.contract.ts";

const folder = freshFolder();

/** Segmentations that give no mask, and what the error has to call them. */
const forms: readonly [name: string, segmentation: unknown, words: RegExp][] = [
  [
    "a list of points",
    [
      [10, 10],
      [30, 10],
      [30, 30],
    ],
    /list of points \[\[x, y\], …\]/,
  ],
  [
    "polygons of points",
    [
      [
        [10, 10],
        [30, 10],
        [30, 30],
      ],
    ],
    /lists of points \[\[\[x, y\]/,
  ],
  ["an empty list", [], /an empty list|without a corner/],
  ["an empty polygon", [[]], /without a corner/],
  ["two corners", [[10, 10, 30, 30]], /fewer than three corners/],
  ["an odd number", [[10, 10, 30, 30, 20, 20, 5]], /odd number of coordinates/],
  ["nothing", null, /no segmentation/],
  ["run lengths of nothing", { size: [48, 64], counts: [48 * 64] }, /without a pixel inside/],
];

const coco = (segmentation: unknown): string =>
  instances({
    annotations: [annotation(1, 11, [square]), annotation(12, 11, segmentation), annotation(2, 22, [square])],
  });

const readers: Readonly<Record<string, (segmentation: unknown) => Promise<DatasetRecord[]> | DatasetRecord[]>> = {
  refer: (segmentation) => {
    const [first, ...rest] = twoRefs;
    return allRecords(makeRefer(folder(), [{ ...first, ann_id: 12 }, ...rest] as never, coco(segmentation)), "refer");
  },
  grefcoco: (segmentation) => allRecords(makeGrefcoco(folder(), gRefs, coco(segmentation)), "grefcoco"),
  seqtr: (mask) => {
    const options = makeSeqtr(folder());
    const entry = { image_id: 11, width: 64, height: 48, bbox: [10, 10, 20, 20], expressions: ["a"] };
    const train = [
      { ...entry, mask },
      { ...entry, mask: [square] },
    ];
    put(folder(), "refcoco-unc/instances.json", JSON.stringify({ train }));
    return allRecords(options, "seqtr");
  },
  "seqtr of GRES": (segmentation) => {
    const options = makeSeqtr(folder());
    const entry = { image_id: 11, width: 64, height: 48, expressions: { raw: "a" } };
    const sound = { bbox: [10, 10, 20, 20], segmentation: [square] };
    const train = [
      { ...entry, annotations: [sound, { bbox: [10, 10, 20, 20], segmentation }] },
      { ...entry, annotations: [sound] },
    ];
    put(folder(), "refcoco-unc/instances.json", JSON.stringify({ train }));
    return allRecords(options, "seqtr");
  },
  "hf-parquet of jxu124": (segmentation) =>
    [segmentation, [square]].flatMap((form, id) => [
      ...rawRowRecords(
        {
          ref_id: id,
          raw_anns: JSON.stringify({ id, segmentation: form }),
          raw_image_info: JSON.stringify({ id: 11, file_name: "a.jpg" }),
          raw_sentences: JSON.stringify([{ sent_id: id, sent: "a" }]),
        },
        `a.parquet, row ${id}`,
        "train",
        newEntryState(),
        { folder: "", fileOf: (name) => name, warnings: [] },
      ),
    ]),
  "hf-parquet of lmms-lab": (segmentation) =>
    [segmentation, square].flatMap((form, id) => [
      ...embeddedRowRecords(
        {
          question_id: id,
          image: { bytes: new Uint8Array([1]) },
          answer: ["a"],
          segmentation: form,
          file_name: "a.jpg",
        },
        `a.parquet, row ${id}`,
        "val",
        newEntryState(),
      ),
    ]),
};

describe.each(Object.entries(readers))("a target without a usable segmentation in %s", (_format, read) => {
  it.each(forms)("is a bad record that names its form: %s", async (_name, segmentation, words) => {
    const records = await read(segmentation);
    const bad = records.filter((record) => record.type === "bad");
    expect(bad.length).toBeGreaterThan(0);
    expect(
      bad.some(({ message }) => words.test(message)),
      bad.map(({ message }) => message).join("; "),
    ).toBe(true);
    // No ref is left that names it, and the sound refs stay.
    const refs = records.filter((record) => record.type === "ref");
    expect(refs.length).toBeGreaterThan(0);
    const masked = new Set(
      records.flatMap((record) =>
        record.type === "annotation" && record.segmentation.kind === "polygons" ? [record.id] : [],
      ),
    );
    for (const { annotationIds } of refs) for (const id of annotationIds) expect(masked).toContain(id);
  });
});

describe("a target without a usable segmentation in PhraseCut", () => {
  it("is a bad record that names its form", async () => {
    const options = makePhrasecut(folder());
    const task = { image_id: 1, ann_ids: [1], instance_boxes: [[1, 1, 2, 2]], phrase: "a" };
    const tasks = [
      { ...task, task_id: "1__0", Polygons: [[]] },
      {
        ...task,
        task_id: "1__1",
        Polygons: [
          [
            [
              [1, 1],
              [2, 2],
            ],
          ],
        ],
      },
    ];
    put(folder(), "refer_train.json", JSON.stringify(tasks));
    const bad = (await allRecords(options, "phrasecut")).filter((record) => record.type === "bad");
    expect(bad).toMatchObject([{ reason: "target without a mask" }, { reason: "target without a mask" }]);
    expect(bad.map(({ message }) => message).join()).toMatch(/an empty list.*fewer than three corners/);
  });
});

describe("R-RefCOCO's sentences about nothing in the image", () => {
  it("are no-target expressions beside the ref, under ids of their own", async () => {
    const [first, second] = twoRefs;
    const sentences = [
      { sent_id: 1000, sent: "left man", raw: "left man", exist: true },
      { sent_id: 1000, sent: "left kite", raw: "left kite", exist: false },
      { sent_id: 1000, sent: "left zebra", raw: "left zebra", exist: false },
    ];
    const refs = [
      { ...first, sentences },
      { ...second, sentences: [{ sent_id: 1002, sent: "a blue car", raw: "A blue car", exist: false }] },
    ];
    const records = await allRecords(makeRefer(folder(), refs as never), "refer");
    expect(records.filter((record) => record.type === "bad")).toEqual([]);
    expect(records.filter((record) => record.type === "ref")).toEqual([
      { type: "ref", id: "100", imageId: "11", annotationIds: ["1"], split: "train" },
      { type: "ref", id: "100:no-target", imageId: "11", annotationIds: [], split: "train" },
      { type: "ref", id: "101:no-target", imageId: "22", annotationIds: [], split: "val" },
    ]);
    expect(records.filter((record) => record.type === "expression")).toEqual([
      { type: "expression", id: "1000", refId: "100", raw: "left man", sent: "left man" },
      { type: "expression", id: "1000", refId: "100:no-target", raw: "left kite", sent: "left kite" },
      { type: "expression", id: "1000.1", refId: "100:no-target", raw: "left zebra", sent: "left zebra" },
      { type: "expression", id: "1002", refId: "101:no-target", raw: "A blue car", sent: "a blue car" },
    ]);
  });

  it("are the same where the sentences come as JSON text in Parquet", () => {
    const sentences = [
      { sent_id: 1, sent: "left man", exist: true },
      { sent_id: 2, sent: "left kite", exist: false },
    ];
    const row = {
      ref_id: 7,
      raw_anns: JSON.stringify({ id: 3, segmentation: [square] }),
      raw_image_info: JSON.stringify({ id: 11, file_name: "a.jpg" }),
      raw_sentences: JSON.stringify(sentences),
    };
    const images = { folder: "", fileOf: (name: string) => name, warnings: [] };
    const records = [...rawRowRecords(row, "a.parquet, row 0", "train", newEntryState(), images)];
    expect(records.filter((record) => record.type === "ref")).toMatchObject([
      { id: "7", annotationIds: ["3"] },
      { id: "7:no-target", annotationIds: [] },
    ]);
  });

  it("are the same in SeqTR's entries, on the entry or beside its sentence", async () => {
    const options = makeSeqtr(folder());
    const entry = { image_id: 11, width: 64, height: 48 };
    const annotations = [{ bbox: [10, 10, 20, 20], segmentation: [square] }];
    const train = [
      { ...entry, bbox: [10, 10, 20, 20], mask: [square], expressions: ["a", "b"], exist: false },
      { ...entry, annotations, expressions: { raw: "c", exist: false } },
      { ...entry, annotations, expressions: { raw: "d", exist: true } },
    ];
    put(folder(), "refcoco-unc/instances.json", JSON.stringify({ train }));
    const records = await allRecords(options, "seqtr");
    const targets = new Map(
      records.flatMap((item) => (item.type === "ref" ? [[item.id, item.annotationIds.length]] : [])),
    );
    expect(
      records.flatMap((item) => (item.type === "expression" ? [[item.sent, targets.get(item.refId)]] : [])),
    ).toEqual([
      ["a", 0],
      ["b", 0],
      ["c", 0],
      ["d", 1],
    ]);
  });

  it("are the same in a table with a column that says so, whatever mask their row has", async () => {
    const options = await makeTable(folder());
    const rows = [
      "image,mask,text,ref_id,exists",
      "a.jpg,masks/a.png,the mug,7,True",
      "a.jpg,masks/a.png,the kite,7,False",
      "a.jpg,,the yak,7,0",
      "a.jpg,masks/a.png,the blue mug,7,",
      "b.jpg,masks/b.png,a plate,8,perhaps",
    ];
    put(folder(), "mine.csv", rows.join("\n"));
    const records = await allRecords(options, "table");
    expect(records.filter(({ type }) => type === "ref")).toMatchObject([
      { id: "7", annotationIds: ["7"] },
      { id: "7:no-target", annotationIds: [] },
    ]);
    expect(
      records.flatMap((item) => (item.type === "expression" ? [`${item.refId} ${item.id} ${item.sent}`] : [])),
    ).toEqual(["7 0 the mug", "7:no-target 0 the kite", "7:no-target 1 the yak", "7 1 the blue mug"]);
    expect(records.filter(({ type }) => type === "bad")).toMatchObject([
      { reason: "wrong type", where: "mine.csv, line 6" },
    ]);
  });

  it("must say true or false", async () => {
    const [first] = twoRefs;
    const refs = [{ ...first, sentences: [{ sent_id: 1, sent: "a", raw: "a", exist: "no" }] }];
    const bad = (await allRecords(makeRefer(folder(), refs as never), "refer")).filter(({ type }) => type === "bad");
    expect(bad).toMatchObject([{ reason: "wrong type", where: "refs(unc).p, record 0, sentences[0]" }]);
  });
});
