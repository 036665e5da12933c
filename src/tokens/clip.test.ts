import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sampleDir } from "../../test/peers.ts";
import { bertTokenizer, clipTokenizer } from "./index.ts";

interface Row {
  readonly text: string;
  readonly clip: number[];
  readonly clip17: number[];
  readonly clip77: number[];
  readonly bert: number[];
}

/** Rows that may differ from the field's programs. Empty: every row agrees. A new difference fails. */
const allowedToDiffer = new Set<string>();

function rowsOf(path: string): Row[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Row);
}

function differing(rows: readonly Row[]): string[] {
  const clip = clipTokenizer();
  const bert = bertTokenizer();
  return rows
    .filter((row) => {
      const ours = [clip.ids(row.text), [...clip.encode(row.text, 17)], [...clip.encode(row.text)], bert.ids(row.text)];
      const theirs = [row.clip, row.clip17, row.clip77, row.bert];
      return JSON.stringify(ours) !== JSON.stringify(theirs);
    })
    .map((row) => row.text);
}

const golden = join(import.meta.dirname, "../../test/fixtures/golden/tokens.jsonl");
const sample = join(sampleDir() ?? "", "tokens.jsonl");

describe("the shipped tokenizers", () => {
  it("give the field's ids for every golden row", () => {
    const rows = rowsOf(golden);
    expect(rows.length).toBeGreaterThanOrEqual(150);
    expect(differing(rows).filter((text) => !allowedToDiffer.has(text))).toEqual([]);
  });

  it.skipIf(!existsSync(sample))("give the field's ids for every real expression of the sample", () => {
    const rows = rowsOf(sample);
    expect(rows.length).toBeGreaterThan(100);
    expect(differing(rows)).toEqual([]);
  });

  it("keep the end token when they cut, and mask exactly the tokens", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme", maxLength: 60 }), { maxLength: 4 }),
        fc.integer({ min: 3, max: 40 }),
        (texts, length) => {
          for (const tokenizer of [clipTokenizer(), bertTokenizer()]) {
            const { ids, mask, count } = tokenizer.encodeBatch(texts, length);
            expect(count).toBe(texts.length);
            texts.forEach((text, row) => {
              const line = ids.slice(row * length, (row + 1) * length);
              const bare = tokenizer.ids(text);
              const used = Math.min(bare.length + 2, length);
              expect([...line]).toEqual([...tokenizer.encode(text, length)]);
              expect(line[0]).toBe(tokenizer.startId);
              expect(line[used - 1]).toBe(tokenizer.endId);
              expect([...line.slice(used)].every((id) => id === tokenizer.padId)).toBe(true);
              expect([...mask.slice(row * length, (row + 1) * length)].indexOf(0)).toBe(used === length ? -1 : used);
            });
          }
        },
      ),
    );
  });

  it("pads OpenAI's way with 0 and refuses a length without room for a word", () => {
    expect([...clipTokenizer().encode("zebra", 5)]).toEqual([49406, 22548, 49407, 0, 0]);
    expect(() => clipTokenizer().encode("zebra", 2)).toThrow("above 2");
  });

  it("read special tokens written in the text as open_clip and BERT do", () => {
    expect(clipTokenizer().ids("<end_of_text> zebra")).toEqual([49407, 22548]);
    expect(bertTokenizer().ids("a [SEP] b")).toEqual([1037, 102, 1038]);
  });

  it("call a word without pieces unknown, and one longer than 100 characters too", () => {
    expect(bertTokenizer().ids("zebra ꙮ")).toEqual([29145, 100]);
    expect(bertTokenizer().ids("x".repeat(101))).toEqual([100]);
  });
});
