import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  buildLexicalIndex,
  contentWords,
  lexicalQueries,
  lexicalScorer,
  readLexical,
  scoreBlock,
  sparseRows,
  transpose,
  writeLexical,
} from "./index.ts";

const images = [
  { texts: ["zebra on the left", "the two zebras drinking"], categories: ["zebra", "zebra"] },
  { texts: ["man in a red shirt"], categories: ["person"] },
  { texts: ["guy holding an umbrella", "red umbrella"], categories: ["person", "umbrella"] },
  { texts: [], categories: [] },
];

function scores(texts: string[]): number[][] {
  const index = buildLexicalIndex(images);
  const queries = lexicalQueries(index, texts);
  const block = scoreBlock(queries, 0, queries.rows, transpose(index.images));
  return texts.map((_, q) => [...block.slice(q * images.length, (q + 1) * images.length)]);
}

describe("contentWords", () => {
  it("keeps what is in a picture, in the singular, and drops grammar and place", () => {
    expect(contentWords("The two zebras' heads, 2nd from LEFT")).toEqual(["two", "zebra", "head"]);
    expect(contentWords("women's glasses on dishes; cherries & buses")).toEqual([
      "woman",
      "glasses",
      "dish",
      "cherry",
      "bus",
    ]);
    expect(contentWords("it isn't there")).toEqual([]);
  });
});

describe("lexical scores", () => {
  it("rank the image that people described with the same words first", () => {
    const [zebra, umbrella] = scores(["zebra drinking", "man with umbrella"]);
    expect(zebra!.indexOf(Math.max(...zebra!))).toBe(0);
    expect(umbrella!.indexOf(Math.max(...umbrella!))).toBe(2);
    expect(umbrella![1]).toBeGreaterThan(0);
    expect(zebra!.slice(1)).toEqual([0, 0, 0]);
  });

  it("are 0 for unknown words and for images without words", () => {
    expect(scores(["qwertz", ""])).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    expect(scores(["red umbrella"])[0]![3]).toBe(0);
  });

  it("follow the documented formula", () => {
    // One word in one of two images: both vectors have one entry, so the score is 1 whatever the weights.
    const index = buildLexicalIndex([
      { texts: ["cat dog dog"], categories: [] },
      { texts: ["dog"], categories: [] },
    ]);
    const idf = (n: number): number => Math.log(1 + (2 - n + 0.5) / (n + 0.5));
    expect(index.vocabulary).toEqual(["cat", "dog"]);
    expect([...index.idf]).toEqual([Math.fround(idf(1)), Math.fround(idf(2))]);
    const weight = (f: number, n: number): number => (idf(n) * f * 2.2) / (f + 1.2 * (0.25 + (0.75 * 3) / 2));
    const length = Math.hypot(weight(1, 1), weight(2, 2));
    expect(index.images.values[0]).toBeCloseTo(weight(1, 1) / length, 6);
    expect(index.images.values[1]).toBeCloseTo(weight(2, 2) / length, 6);
    expect(index.images.values[2]).toBe(1);
  });

  it("do not depend on the order of images, and give the same bits again", () => {
    const there = scores(["red shirt"])[0]!;
    const index = buildLexicalIndex([...images].reverse());
    const back = scoreBlock(lexicalQueries(index, ["red shirt"]), 0, 1, transpose(index.images));
    expect([...back].reverse()).toEqual(there);
  });
});

describe("scoreBlock", () => {
  const rows = (columns: number) =>
    fc.array(
      fc.dictionary(
        fc.integer({ min: 0, max: columns - 1 }).map(String),
        fc.float({ min: 0, max: Math.fround(0.3), noNaN: true }),
      ),
      {
        minLength: 1,
        maxLength: 8,
      },
    );

  it("equals the dense product on any block, and transposing twice changes nothing", () => {
    fc.assert(
      fc.property(rows(5), rows(5), (left, right) => {
        const matrix = (list: Record<string, number>[]) =>
          sparseRows(
            list.map((row) => new Map(Object.entries(row).map(([c, v]) => [Number(c), v]))),
            5,
          );
        const queries = matrix(left);
        const documents = matrix(right);
        expect(transpose(transpose(documents))).toEqual(documents);
        const start = Math.floor(left.length / 2);
        const out = new Float32Array(left.length * right.length).fill(7);
        const block = scoreBlock(queries, start, left.length, transpose(documents), out);
        expect(block).toHaveLength((left.length - start) * right.length);
        for (let q = start; q < left.length; q++) {
          for (let d = 0; d < right.length; d++) {
            let sum = 0;
            for (const [c, v] of Object.entries(left[q]!)) sum += v * (right[d]![c] ?? 0);
            expect(block[(q - start) * right.length + d]).toBeCloseTo(Math.min(1, sum), 5);
          }
        }
      }),
    );
  });

  it("gives a vector the score 1 with itself, and nothing outside 0 to 1", () => {
    const index = buildLexicalIndex(images);
    const block = scoreBlock(index.images, 0, 4, transpose(index.images));
    for (let i = 0; i < 3; i++) expect(block[i * 4 + i]).toBeCloseTo(1, 6);
    expect(block.every((score) => score >= 0 && score <= 1)).toBe(true);
  });
});

describe("lexicalScorer", () => {
  it("gives the whole matrix's scores for any candidates, block by block, and pairs to the same bits", async () => {
    const index = buildLexicalIndex(images);
    const expressions = lexicalQueries(index, ["red umbrella", "zebra", "man in red", ""]);
    const whole = scoreBlock(expressions, 0, 4, transpose(index.images));
    const across = scoreBlock(index.images, 0, 4, transpose(index.images));
    const candidates = Int32Array.of(0, 2, 3);
    const scorer = lexicalScorer({ index, expressions }, candidates, 2);
    expect(scorer).toMatchObject({ candidateCount: 3, blockColumns: 2 });
    for (let number = 0; number < 2; number++) {
      await scorer.load(number);
      const mine = [...candidates.slice(number * 2, number * 2 + 2)];
      const { scores: t2i, columns } = await scorer.expressions(Int32Array.of(2, 0));
      for (const [i, row] of [2, 0].entries()) {
        for (const [j, image] of mine.entries()) expect(t2i[i * columns + j]).toBe(whole[row * 4 + image]);
      }
      const { scores: i2i } = await scorer.images(Int32Array.of(1));
      for (const [j, image] of mine.entries()) expect(i2i[j]).toBe(across[4 + image]);
    }
    expect([...(await scorer.pairs(Int32Array.of(0, 2), Int32Array.of(2, 1)))]).toEqual([whole[2], whole[9]]);
    await scorer.close();
  });
});

describe("the stored index", () => {
  it("comes back the same, and says when it is damaged or of another version", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nemosaic-lexical-"));
    try {
      const index = buildLexicalIndex(images);
      const vectors = { index, expressions: lexicalQueries(index, ["red", "zebra", "?"]) };
      await writeLexical(folder, vectors);
      expect(await readLexical(folder)).toEqual(vectors);
      await writeFile(join(folder, "images.indices.npy"), "x");
      await expect(readLexical(folder)).rejects.toMatchObject({ code: "bad-input" });
      await writeFile(join(folder, "lexical.json"), '{"format":"nemosaic-lexical","version":9}');
      await expect(readLexical(folder)).rejects.toMatchObject({ code: "unsupported" });
      await rm(join(folder, "lexical.json"));
      await expect(readLexical(folder)).rejects.toMatchObject({ code: "not-found" });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
