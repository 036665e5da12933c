import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DatasetRecord } from "../model/index.ts";
import { type EntryState, entryRecords, newEntryState } from "./entry-records.ts";
import { bad } from "./findings.ts";
import { embeddedRowRecords } from "./hf-parquet/embedded-rows.ts";
import { rawRowRecords } from "./hf-parquet/raw-rows.ts";
import { expectSoundOrder } from "./importer.contract.ts";
import { lineRecords, newLineState } from "./jsonl/line-records.ts";
import { refRecords } from "./refer/ref-records.ts";
import { square } from "./sample-datasets.contract.ts";
import { parseSegmentation } from "./segmentation.ts";

/** Values that files hold where others belong, with JSON's and pickle's own oddities among them. */
const odd = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue() },
  fc.constantFrom<unknown>(
    undefined,
    -0,
    2 ** 53,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    5n,
    "",
    " ",
    new Uint8Array(3),
    new Map([["id", 1]]),
    new Set([1]),
  ),
);

/** A sound value with some of its members replaced. */
function spoiled<T extends object>(sound: T): fc.Arbitrary<T> {
  const members = Object.keys(sound).map((name) => [name, odd] as const);
  return fc
    .tuple(fc.record(Object.fromEntries(members)), fc.array(fc.constantFrom(...Object.keys(sound)), { maxLength: 2 }))
    .map(([values, names]) => ({ ...sound, ...Object.fromEntries(names.map((name) => [name, values[name]])) }));
}

function expectSound(records: readonly DatasetRecord[]): void {
  for (const record of records) {
    if (record.type === "bad") {
      expect(record.message).toMatch(/^.+: expected .+, got .+; .+$/);
      expect(record.message.length).toBeLessThan(900);
    }
  }
}

const image: DatasetRecord = { type: "image", id: "11", file: "a.jpg" };
const object: DatasetRecord = {
  type: "annotation",
  id: "1",
  imageId: "11",
  category: "",
  segmentation: { kind: "none" },
  isCrowd: false,
};

describe("odd values in otherwise sound records", () => {
  it("never break the reader of refs", () => {
    const sound = {
      ref_id: 1,
      ann_id: [1],
      image_id: 11,
      split: "val",
      sent_ids: [1],
      sentences: [{ sent_id: 1, sent: "a" }],
      no_target: false,
    };
    const sentence = fc.array(spoiled({ sent_id: 1, sent: "a", raw: "A" }), { maxLength: 3 });
    fc.assert(
      fc.property(spoiled(sound), fc.option(sentence), fc.boolean(), (ref, sentences, lenient) => {
        const catalog = {
          images: new Map([["11", undefined]]),
          annotations: new Map([["1", "11"]]),
          crowds: new Set(["1"]),
          unusable: new Map<string, string>(),
          unions: new Map<string, readonly string[]>(),
        };
        const rules = { skipCrowds: lenient, allowEmpty: lenient };
        const seen = { refs: new Set<string>(), sentences: new Set<string>() };
        const given = sentences === null ? ref : { ...ref, sentences };
        const records = [...refRecords(given, "refs(unc).p, record 0", catalog, seen, rules)];
        expect(records.length).toBeGreaterThan(0);
        expectSound(records);
        expectSoundOrder([image, object, ...records]);
      }),
      { numRuns: 1000 },
    );
  });

  it("never break the reader of plain lines", async () => {
    const sound = {
      image: "a.jpg",
      expressions: ["a"],
      segmentation: [square],
      bbox: [1, 2, 3, 4],
      width: 64,
      height: 48,
      objects: [{ bbox: [1, 2, 3, 4] }],
    };
    await fc.assert(
      fc.asyncProperty(fc.oneof(spoiled(sound), odd), async (line) => {
        const noMask = async (): Promise<{ complaint: { expected: string; came: unknown; remedy: string } }> => ({
          complaint: { expected: "a mask", came: "none", remedy: "make one" },
        });
        const records = await lineRecords(line, 1, "mine.jsonl, line 1", newLineState(), noMask, (name) => name);
        expect(records.length).toBeGreaterThan(0);
        expectSound(records);
        if (records.some((record) => record.type === "ref")) expectSoundOrder(records);
      }),
      { numRuns: 1000 },
    );
  });

  it("never break the readers of Parquet rows", () => {
    const raw = {
      ref_id: 1,
      ann_id: 1,
      image_id: 11,
      split: "train",
      raw_anns: JSON.stringify({ id: 1, segmentation: [square], bbox: [1, 2, 3, 4] }),
      raw_image_info: JSON.stringify({ id: 11, file_name: "a.jpg" }),
      raw_sentences: JSON.stringify([{ sent_id: 1, sent: "a" }]),
    };
    const embedded = {
      question_id: "1",
      image: { bytes: new Uint8Array([1]) },
      answer: ["a"],
      segmentation: square,
      bbox: [1, 2, 3, 4],
      file_name: "a.jpg",
    };
    const images = { folder: "", fileOf: (name: string) => name, warnings: [] };
    fc.assert(
      fc.property(spoiled(raw), spoiled(embedded), (row, other) => {
        expectSound([...rawRowRecords(row, "a.parquet, row 0", "train", newEntryState(), images)]);
        expectSound([...embeddedRowRecords(other, "a.parquet, row 0", "val", newEntryState())]);
      }),
      { numRuns: 1000 },
    );
  });

  it("never break the reader of segmentations", () => {
    const numbers = fc.array(fc.oneof(fc.double(), fc.integer(), odd), { maxLength: 9 });
    const rle = fc.record({
      size: fc.oneof(odd, fc.constant([4, 5])),
      counts: fc.oneof(odd, fc.string(), fc.array(fc.nat(20))),
    });
    fc.assert(
      fc.property(
        fc.oneof(odd, numbers, fc.array(numbers, { maxLength: 3 }), rle, fc.array(rle, { maxLength: 3 })),
        (value) => {
          const parsed = parseSegmentation(value);
          if ("complaint" in parsed) return;
          const { segmentation, notes } = parsed;
          if (segmentation.kind === "none") expect(notes).toContain("annotation without a usable segmentation");
          if (segmentation.kind !== "polygons") return;
          for (const part of segmentation.parts) {
            expect(part.length % 2).toBe(0);
            expect(part.length).toBeGreaterThanOrEqual(6);
            expect(part.every(Number.isFinite)).toBe(true);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("are quoted on one short line even where they are deep, huge or hold themselves", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    const loop: unknown[] = [];
    loop.push(loop, new Map([["self", loop]]));
    for (const came of [
      deep,
      loop,
      new Map([[1n, loop]]),
      "x".repeat(1e6),
      new Array(1e5).fill(2n),
      new Error("one\ntwo"),
    ]) {
      const { message } = bad("wrong type", "here", { expected: "a value", came, remedy: "mend it" });
      expect(message).toMatch(/^here: expected a value, got [^\n]+; mend it$/);
      expect(message.length).toBeLessThan(300);
    }
  });
});

describe("entries that contradict earlier ones", () => {
  const target = { id: "1", category: "", segmentation: { kind: "none" }, isCrowd: false } as const;
  const entry = {
    image: { id: "a", file: "a" },
    targets: [target],
    refId: "1",
    split: "train",
    sentences: [{ id: 0, sent: "x" }],
  };
  const reasonsOf = (records: readonly DatasetRecord[]): string[] =>
    records.flatMap((record) => (record.type === "bad" ? [record.reason] : []));
  const stateAfter = (): EntryState => {
    const state = newEntryState();
    expect(reasonsOf(entryRecords(entry, "here", state))).toEqual([]);
    return state;
  };

  it("are one bad record each and leave no trace", () => {
    const state = stateAfter();
    expect(reasonsOf(entryRecords(entry, "here", state))).toEqual(["duplicate ref id"]);
    const elsewhere = { ...entry, refId: "2", image: { id: "b", file: "b" } };
    expect(reasonsOf(entryRecords(elsewhere, "here", state))).toEqual(["annotation of another image"]);
    expect(state.images.has("b")).toBe(false);
    const bytes = { ...entry, refId: "2", image: { id: "a", file: "a", bytes: new Uint8Array([1]) } };
    expect(reasonsOf(entryRecords(bytes, "here", state))).toEqual(["image differs"]);
    expect(state.refs.has("2")).toBe(false);
  });
});
