import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { python, pythonHas, runPython, sampleDir } from "../../../test/peers.ts";
import type { AnnotationRecord, BadRecord, DatasetRecord } from "../../model/index.ts";
import { allRecords, expectSoundOrder, freshFolder } from "../importer.contract.ts";
import { findImporter } from "../registry.ts";
import {
  annotation,
  cocoName,
  columnRle,
  instances,
  makeRefer,
  put,
  ref,
  square,
  triangle,
  twoRefs,
} from "../sample-datasets.contract.ts";

const folder = freshFolder();
const read = (refs: Parameters<typeof makeRefer>[1], json?: string): Promise<DatasetRecord[]> =>
  allRecords(makeRefer(folder(), refs, json), "refer");
const badOf = (records: readonly DatasetRecord[]): BadRecord[] => records.filter((record) => record.type === "bad");
const reasons = (records: readonly DatasetRecord[]): string[] => badOf(records).map(({ reason }) => reason);
const notes = (records: readonly DatasetRecord[]): string[] =>
  records.flatMap((record) => (record.type === "note" ? [record.reason] : []));
const annotationsOf = (records: readonly DatasetRecord[]): AnnotationRecord[] =>
  records.filter((record) => record.type === "annotation");
const count = (records: readonly DatasetRecord[], type: string): number =>
  records.filter((record) => record.type === type).length;

describe("the REFER importer", () => {
  it("streams every annotation, referred to or not, with its category, box and polygons in parts", async () => {
    const records = await read(twoRefs);
    expect(annotationsOf(records).map(({ id, imageId, category }) => [id, imageId, category])).toEqual([
      ["1", "11", "person"],
      ["12", "11", "person"],
      ["2", "22", "car"],
    ]);
    expect(annotationsOf(records)[1]).toEqual({
      type: "annotation",
      id: "12",
      imageId: "11",
      category: "person",
      segmentation: { kind: "polygons", parts: [triangle, square] },
      area: 400,
      box: [10, 10, 20, 20],
      isCrowd: false,
    });
  });

  it("finds the image by image_id, not by the ref's own file_name with its running number", async () => {
    const records = await read(twoRefs);
    expect(records.find((record) => record.type === "image")).toEqual({
      type: "image",
      id: "11",
      file: cocoName(11),
      width: 64,
      height: 48,
    });
    expect(records.find((record) => record.type === "ref")).toEqual({
      type: "ref",
      id: "100",
      imageId: "11",
      annotationIds: ["1"],
      split: "train",
    });
  });

  it("keeps raw and sent as they are", async () => {
    const entry = ref(100, 1, 11, [[1000, "the man"]]);
    entry.sentences = [{ sent_id: 1000, sent: "the man  ", raw: " The MAN!\n", tokens: [] }];
    const records = await read([entry]);
    expect(records.at(-1)).toEqual({
      type: "expression",
      id: "1000",
      refId: "100",
      raw: " The MAN!\n",
      sent: "the man  ",
    });
  });

  it("names itself by dataset and splitting and knows the published counts", async () => {
    const source = await findImporter("refer").open(makeRefer(folder()));
    expect(source.name).toBe("refcoco-unc");
    expect(source.splitBy).toBe("unc");
    expect(source.counts?.testA).toEqual({ refs: 1975, images: 750, expressions: 5657 });
    expect(source.files.map(({ path }) => path.split("/").at(-1))).toEqual(["refs(unc).p", "instances.json"]);
  });

  it("gives compressed run lengths for counts in a list, and leaves compressed ones as they are", async () => {
    const json = instances({
      annotations: [annotation(1, 11, { size: [48, 64], counts: [2, 46, 3024] }), annotation(2, 22, columnRle)],
    });
    const [first, second] = annotationsOf(await read(twoRefs, json));
    expect(first?.segmentation).toEqual({ kind: "rle", ...columnRle });
    expect(second?.segmentation).toEqual({ kind: "rle", ...columnRle });
  });

  it("skips polygons that are no polygons with a note each, and keeps the annotation", async () => {
    const json = instances({
      annotations: [annotation(1, 11, [square, [1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7]]), annotation(2, 22, [[1, 2]])],
    });
    const records = await read(twoRefs.slice(0, 1), json);
    expect(annotationsOf(records).map(({ segmentation }) => segmentation)).toEqual([
      { kind: "polygons", parts: [square] },
      { kind: "none" },
    ]);
    expect(notes(records)).toEqual([
      "polygon with fewer than 6 or an odd number of coordinates skipped",
      "polygon with fewer than 6 or an odd number of coordinates skipped",
      "polygon with fewer than 6 or an odd number of coordinates skipped",
      "annotation without a usable segmentation",
    ]);
    expect(badOf(records)).toEqual([]);
  });

  it("takes the targets of an annotation that is their union, and no target where it lists none", async () => {
    const union = (id: number, image: number, targets: number[]) => ({
      ...annotation(id, image, [square]),
      target_ids: targets,
    });
    const objects = [annotation(1, 11, [triangle]), annotation(2, 11, [square])];
    const json = instances({ annotations: [...objects, union(7, 11, [1, 2]), union(8, 22, [])] });
    const both = ref(100, 7, 11, [[8, "both"]]);
    const none = {
      ...ref(101, 8, 22, []),
      sentences: [{ sent_id: 9, sent: "a ghost", raw: "a ghost", exist: false }],
      sent_ids: [9],
    };
    const records = await read([both, none], json);
    expect(badOf(records)).toEqual([]);
    expect(annotationsOf(records).map(({ id }) => id)).toEqual(["1", "2"]);
    const refs = records.flatMap((record) => (record.type === "ref" ? [[record.id, record.annotationIds]] : []));
    expect(refs).toEqual([
      ["100", ["1", "2"]],
      ["101:no-target", []],
    ]);
    const lost = instances({ annotations: [...objects, union(7, 11, [1, 3])] });
    expect(reasons(await read([both], lost))).toEqual(["unknown annotation"]);
  });

  it("keeps an iscrowd annotation and says that it is one", async () => {
    const crowd = { ...annotation(1, 11, columnRle), iscrowd: 1 };
    const records = await read(twoRefs, instances({ annotations: [crowd, annotation(2, 22, [square])] }));
    expect(annotationsOf(records).map(({ isCrowd }) => isCrowd)).toEqual([true, false]);
    expect(count(records, "ref")).toBe(2);
  });

  const contradictions: [
    oddity: string,
    refs: () => Parameters<typeof makeRefer>[1],
    reason: string,
    message: RegExp,
  ][] = [
    [
      "a ref of an unknown image",
      () => [ref(1, 1, 99, [[1, "a"]])],
      "unknown image",
      /record 0: expected "image_id" to be in instances\.json, got "99"; /,
    ],
    ["a ref of an unknown annotation", () => [ref(1, 77, 11, [[1, "a"]])], "unknown annotation", /got "77"/],
    [
      "a ref of another image's annotation",
      () => [ref(1, 2, 11, [[1, "a"]])],
      "annotation of another image",
      /annotation 2 of image 22/,
    ],
    [
      "a ref without an id",
      () => [{ ...ref(1, 1, 11, [[1, "a"]]), ref_id: null }],
      "bad id",
      /"ref_id" to be an integer or text, got null/,
    ],
    ["a ref without sentences", () => [ref(1, 1, 11, [])], "no sentences", /a sentence or more/],
    ["a ref without a split", () => [{ ...ref(1, 1, 11, [[1, "a"]]), split: "" }], "missing field", /"split"/],
    ["a ref that is a number", () => [5], "not a record", /got 5;/],
    [
      "the same ref twice",
      () => [ref(1, 1, 11, [[1, "a"]]), ref(1, 1, 11, [[2, "b"]])],
      "duplicate ref id",
      /record 1: .*got "1"/,
    ],
    [
      "the same sentence id twice",
      () => [ref(1, 1, 11, [[1, "a"]]), ref(2, 1, 11, [[1, "b"]])],
      "duplicate sentence id",
      /record 1, sentences\[0\]/,
    ],
    ["only empty sentences", () => [ref(1, 1, 11, [[1, "  "]])], "empty sentence", /sentences\[0\]/],
    ["a fractional annotation id", () => [ref(1, 1.5, 11, [[1, "a"]])], "bad id", /1\.5/],
  ];
  for (const [oddity, refs, reason, message] of contradictions) {
    it(`calls ${oddity} bad and goes on`, async () => {
      const given = refs() as ReturnType<typeof ref>[];
      const records = await read([...given, ref(900, 1, 11, [[9000, "the last one"]])]);
      expect(reasons(records)).toEqual([reason]);
      expect(badOf(records)[0]?.message).toMatch(message);
      expect(badOf(records)[0]?.where).toMatch(/^refs\(unc\)\.p, record \d/);
      expect(records.at(-1)).toMatchObject({ type: "expression", refId: "900" });
      expectSoundOrder(records);
    });
  }

  it("keeps a ref whose other sentences are usable when one is empty", async () => {
    const records = await read([
      ref(1, 1, 11, [
        [1, "left man"],
        [2, ""],
        [3, "man"],
      ]),
    ]);
    expect(reasons(records)).toEqual(["empty sentence"]);
    expect(records.flatMap((record) => (record.type === "expression" ? [record.id] : []))).toEqual(["1", "3"]);
  });

  it("notes sent_ids that differ from the sentences", async () => {
    const records = await read([
      { ...ref(1, 1, 11, [[1, "a"]]), sent_ids: [1, 2] },
      { ...ref(2, 1, 11, [[5, "b"]]), sent_ids: [6] },
    ]);
    expect(notes(records)).toEqual(["sent_ids differ from sentences", "sent_ids differ from sentences"]);
    expect(count(records, "ref")).toBe(2);
  });

  it("keeps ids beyond 2^53 from pickles digit for digit", async () => {
    const big = 2n ** 60n + 1n;
    const records = await read([
      {
        ...ref(1, 1, 11, [[1, "a"]]),
        ref_id: big,
        sentences: [{ sent_id: big + 1n, sent: "a", raw: "a" }],
        sent_ids: [big + 1n],
      },
    ]);
    expect(records.at(-1)).toMatchObject({
      type: "expression",
      id: "1152921504606846978",
      refId: "1152921504606846977",
    });
  });

  it("never rounds an id beyond 2^53 in JSON", async () => {
    const json = instances().replaceAll('"id":12,', '"id":9007199254740993,');
    const records = await read(twoRefs, json);
    const ids = annotationsOf(records).map(({ id }) => id);
    expect(ids.includes("9007199254740993") || reasons(records).includes("bad id")).toBe(true);
    expect(ids).not.toContain("9007199254740992");
  });

  it("reports instances.json's own contradictions", async () => {
    const images = [
      { id: 11, file_name: cocoName(11), height: 48, width: 64 },
      { id: 11, file_name: cocoName(11), height: 48, width: 64 },
      { id: 22, file_name: "../../etc/passwd", height: 48, width: 64 },
      { id: 33, file_name: "c.jpg", height: 48, width: -1 },
      "no image",
    ];
    const annotations = [
      annotation(1, 11, [square]),
      annotation(1, 11, [square]),
      annotation(2, 22, [square]),
      annotation(3, 11, [[1, 2, 3, 4, 5, null]]),
      annotation(4, 11, { size: [48, 64], counts: "not run lengths" }),
      annotation(5, 11, { size: [64, 48], counts: [64 * 48] }),
      annotation(6, 11, "text"),
      { ...annotation(7, 11, [square]), bbox: [1, 2], category_id: 99 },
      { ...annotation(8, 11, undefined) },
    ];
    const records = await read([ref(1, 1, 11, [[1, "a"]])], instances({ images, annotations }));
    expect(reasons(records)).toEqual([
      "duplicate image id",
      "unsafe file name",
      "bad image size",
      "not a record",
      "duplicate annotation id",
      "unknown image",
      "bad segmentation",
      "bad segmentation",
      "mask of another size",
      "bad segmentation",
    ]);
    expect(notes(records)).toEqual([
      "unknown category",
      "box of four numbers expected, left out",
      "annotation without a usable segmentation",
    ]);
    expect(annotationsOf(records).map(({ id }) => id)).toEqual(["1", "7", "8"]);
    for (const { message } of badOf(records))
      expect(message).toMatch(/^instances\.json, (images|annotations)\[\d+\]: expected .*, got .*; /);
  });

  it("reads instances.json whose members come in another order", async () => {
    const { images, annotations, categories } = JSON.parse(instances()) as Record<string, unknown>;
    const turned = JSON.stringify({ annotations, categories, images });
    expect(await read(twoRefs, turned)).toEqual(await read(twoRefs));
  });
});

describe("Python's own pickles", () => {
  it("reads Python 2's byte strings, UTF-8 or not, in protocol 0", async () => {
    const text = (value: string): string => `S'${value}'\n`;
    const sentence = `(dS'sent_id'\nI7\nsS'sent'\n${text("caf\\xc3\\xa9 on the left")}sS'raw'\n${text("Caf\\xe9\\x99 on the left")}s`;
    const refText = `(dS'ref_id'\nL5L\nsS'ann_id'\nI1\nsS'image_id'\nI11\nsS'split'\n${text("testA")}sS'sent_ids'\n(lI7\nasS'sentences'\n(l${sentence}as`;
    makeRefer(folder());
    put(folder(), "refcoco/refs(unc).p", Buffer.from(`(l${refText}a.`, "latin1"));
    const options = { source: join(folder(), "refcoco"), images: join(folder(), "images/train2014") };
    expect((await allRecords(options, "refer")).slice(-3)).toEqual([
      { type: "note", reason: "sentence that is no UTF-8 read as latin-1", where: "refs(unc).p, record 0" },
      { type: "ref", id: "5", imageId: "11", annotationIds: ["1"], split: "testA" },
      { type: "expression", id: "7", refId: "5", sent: "café on the left", raw: "Caf\u00e9\u0099 on the left" },
    ]);
  });

  it.skipIf(python() === undefined)(
    "reads refs as Python 2 wrote them (protocols 0 to 2) and as Python 3 rewrites them",
    async () => {
      const expected = await read(twoRefs);
      const script = `
import pickle, json, sys
refs = json.loads(sys.stdin.read())
pickle.dump(refs, open(sys.argv[1], "wb"), protocol=int(sys.argv[2]))`;
      for (const protocol of [0, 1, 2, 3, 4, 5]) {
        runPython(script, [join(folder(), "refcoco/refs(unc).p"), String(protocol)], JSON.stringify(twoRefs));
        const options = { source: join(folder(), "refcoco"), images: join(folder(), "images/train2014") };
        expect(await allRecords(options, "refer"), `protocol ${protocol}`).toEqual(expected);
      }
    },
  );
});

const sample = sampleDir();
describe("refs whose keys and texts are bytes", () => {
  it.skipIf(python() === undefined)("are read as text: what Python 3 writes after encoding='bytes'", async () => {
    const expected = await read(twoRefs);
    const script = `
import pickle, json, sys
def as_bytes(x):
    if isinstance(x, str): return x.encode()
    if isinstance(x, list): return [as_bytes(i) for i in x]
    if isinstance(x, dict): return {as_bytes(k): as_bytes(v) for k, v in x.items()}
    return x
pickle.dump(as_bytes(json.loads(sys.stdin.read())), open(sys.argv[1], "wb"), protocol=int(sys.argv[2]))`;
    for (const protocol of [2, 3, 5]) {
      runPython(script, [join(folder(), "refcoco/refs(unc).p"), String(protocol)], JSON.stringify(twoRefs));
      const options = { source: join(folder(), "refcoco"), images: join(folder(), "images/train2014") };
      expect(await allRecords(options, "refer"), `protocol ${protocol}`).toEqual(expected);
    }
  });
});

describe.skipIf(sample === undefined)("the real sample", () => {
  it("streams whole: 243 images, 261 annotations, 262 refs, 287 expressions, nothing bad", async () => {
    const source = join(sample!, "refer/cocorefs");
    const opened = await findImporter("refer").open({ source, images: join(sample!, "images") });
    expect(opened.name).toBe("cocorefs-unc");
    expect(opened.warnings).toEqual([]);
    const records = await allRecords({ source, images: join(sample!, "images") }, "refer");
    expect(badOf(records)).toEqual([]);
    expect(["image", "annotation", "ref", "expression"].map((type) => count(records, type))).toEqual([
      243, 261, 262, 287,
    ]);
    expect(records.filter((record) => record.type === "ref" && record.split === "val")).toHaveLength(47);
    expectSoundOrder(records);
  });

  it.skipIf(!pythonHas("pickle"))(
    "agrees with what Python reads, sentence by sentence and polygon by polygon",
    async () => {
      const source = join(sample!, "refer/cocorefs");
      const records = await allRecords({ source, images: join(sample!, "images") }, "refer");
      const script = `
import pickle, json, sys
refs = pickle.load(open(sys.argv[1] + "/refs(unc).p", "rb"), encoding="latin1")
print(json.dumps([[str(r["ref_id"]), str(s["sent_id"]), s["sent"], s["raw"]] for r in refs for s in r["sentences"]]))`;
      const theirs: unknown = JSON.parse(runPython(script, [source]));
      const ours = records.flatMap((record) =>
        record.type === "expression" ? [[record.refId, record.id, record.sent, record.raw]] : [],
      );
      expect(ours).toEqual(theirs);
      const json = JSON.parse(readFileSync(join(source, "instances.json"), "utf8")) as {
        annotations: { id: number; segmentation: unknown }[];
      };
      const given = new Map(json.annotations.map(({ id, segmentation }) => [String(id), segmentation]));
      for (const { id, segmentation } of annotationsOf(records)) {
        const plain =
          segmentation.kind === "polygons"
            ? segmentation.parts
            : segmentation.kind === "rle"
              ? { size: segmentation.size, counts: segmentation.counts }
              : null;
        expect(plain, `annotation ${id}`).toEqual(given.get(id));
      }
    },
  );
});
