import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noTiming } from "../../io/index.ts";
import type { Scorer } from "../scorer.ts";
import { BestLists } from "./best.ts";

/** Gives the scores of each row in blocks of so many columns. */
function scorerOf(rows: readonly Float32Array[], blockColumns: number): Scorer {
  let start = 0;
  const block = async (wanted: Int32Array) => {
    const scores = new Float32Array(wanted.length * blockColumns);
    wanted.forEach((row, at) => {
      scores.set(rows[row]!.subarray(start, start + blockColumns), at * blockColumns);
    });
    return { scores, columns: blockColumns };
  };
  return {
    candidateCount: rows[0]!.length,
    blockColumns,
    blockRows: 2,
    load: async (index: number) => {
      start = index * blockColumns;
    },
    expressions: block,
    images: block,
    pairs: async () => new Float32Array(0),
    close: async () => undefined,
  };
}

function bestOf(rows: readonly Float32Array[], depth: number, blockColumns: number) {
  const scorer = scorerOf(rows, blockColumns);
  const lists = new BestLists(scorer, depth, noTiming);
  return lists.of(Int32Array.from(rows.keys()), (part) => scorer.expressions(part));
}

describe("BestLists", () => {
  it("keeps the two best of two blocks, as one does by hand", async () => {
    const found = await bestOf([Float32Array.of(1, 3, 2, 3, 0)], 2, 3);
    expect([[...found.ids], [...found.scores]]).toEqual([
      [1, 3],
      [3, 3],
    ]);
  });

  it("gives what a full sort gives, ties by the smaller id and both zeros equal, for any depth and blocks", async () => {
    const score = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.float({ noNaN: true, min: -9, max: 9 }),
      fc.constant(-0),
    );
    const lengths = fc.record({ count: fc.integer({ min: 1, max: 700 }), rows: fc.integer({ min: 1, max: 3 }) });
    const cases = lengths.chain(({ count, rows }) =>
      fc.record({
        rows: fc.array(fc.array(score, { minLength: count, maxLength: count }), { minLength: rows, maxLength: rows }),
        depth: fc.integer({ min: 1, max: Math.min(count, 60) }),
        blockColumns: fc.integer({ min: 1, max: 300 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ rows, depth, blockColumns }) => {
        const scores = rows.map((row) => Float32Array.from(row));
        const found = await bestOf(scores, depth, blockColumns);
        scores.forEach((row, at) => {
          const order = Array.from(row.keys()).sort((a, b) => row[b]! - row[a]! || a - b);
          const best = order.slice(0, depth);
          expect([...found.ids.subarray(at * depth, (at + 1) * depth)]).toEqual(best);
          expect([...found.scores.subarray(at * depth, (at + 1) * depth)]).toEqual(best.map((id) => row[id]));
        });
      }),
      { numRuns: 60 },
    );
  });

  it.each([Number.NaN, Number.NEGATIVE_INFINITY])("refuses %s rather than leave a candidate out", async (bad) => {
    const scores = Float32Array.of(0.5, bad, 0.25, Number.POSITIVE_INFINITY);
    await expect(bestOf([scores], 4, 4)).rejects.toMatchObject({ code: "bad-input" });
  });
});
