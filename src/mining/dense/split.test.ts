import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openOneList } from "./one-list.contract.ts";

const list = openOneList(256);
const { kernel, lists, capacity, lanes } = list;

/** How an exact score lies in what its bound allows: anywhere, or as far off as can be. */
const errors = fc.array(fc.oneof(fc.constantFrom(-1, 1), fc.double({ min: -1, max: 1, noNaN: true })), {
  minLength: 1,
  maxLength: capacity - 16,
});

describe("split, prune and merge", () => {
  it("rescore two of four entries, and find the best of them, as one does by hand", () => {
    list.put([5.5, 7, 4, 5.25], [3, 8, 12, 20]);
    kernel.split(0, capacity, 1, 2, lanes);
    // Scores are off by at most 1. One entry reaches a score between 6.25 and 7; what is below that by 2 cannot be the best.
    expect(list.entries()).toEqual([[8, 7]]);
    expect(list.farEntries()).toEqual([
      [3, 5.5],
      [20, 5.25],
    ]);
    lists.scores(0, 0)[0] = 6.375; // the near one's exact score, which 5.25 + 1 cannot reach
    kernel.prune(0, capacity, 1, 1, 1);
    expect(list.farEntries()).toEqual([[3, 5.5]]);
    kernel.floats[(lists.scoresAddress(0) + lists.farOffset) / 4] = 6.5;
    kernel.merge(0, capacity);
    expect(list.entries()).toEqual([
      [3, 6.5],
      [8, 6.375],
    ]);
  });

  it("leave the exact best in order of their ids, whatever the approximate scores within their bound", () => {
    const { ints, floats } = kernel;
    const [scores, ids] = [lists.scoresAddress(0) / 4, lists.scoresAddress(0) / 4 + capacity];
    let spared = 0;
    fc.assert(
      fc.property(
        errors,
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom(0, 1e-3, 0.02, 0.3),
        fc.constantFrom(0, -0.7, 0.4),
        fc.nat(),
        (given, wanted, bound, shift, seed) => {
          const count = given.length;
          const depth = Math.min(wanted, count);
          const exact = given.map((_, at) => Math.fround(((Math.imul(at + 1, seed | 1) >>> 8) % 64) / 64 - 0.3));
          list.put(
            given.map((error, at) => exact[at]! - shift + error * bound),
            given.map((_, at) => at * 3),
          );
          const rescore = (offset: number, length: number): void => {
            for (let at = offset; at < offset + length; at++) floats[scores + at] = exact[ints[ids + at]! / 3]!;
          };
          kernel.split(0, capacity, depth, 2 * bound + 1e-5, lanes);
          rescore(0, lists.length(0));
          const parted = list.farEntries().length;
          kernel.prune(0, capacity, depth, shift + bound + 1e-5, 1);
          const far = list.farEntries().length;
          spared += parted - far;
          rescore(lists.farOffset / 4, far);
          kernel.merge(0, capacity);
          const entries = list.entries();
          const held = entries.map(([id]) => id);
          expect(held).toEqual([...new Set(held)].sort((a, b) => a - b));
          expect(entries.map(([, score]) => score)).toEqual(held.map((id) => exact[id / 3]));
          const best = exact.map((_, at) => at * 3).sort((a, b) => exact[b / 3]! - exact[a / 3]! || a - b);
          expect(held).toEqual(expect.arrayContaining(best.slice(0, depth)));
        },
      ),
      { numRuns: 500 },
    );
    expect(spared).toBeGreaterThan(0);
  });
});
