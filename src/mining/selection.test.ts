import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Selection } from "./selection.ts";

/** The plain way: sort everything. */
function sorted(scores: readonly number[], depth: number): [id: number, score: number][] {
  return scores
    .map((score, id): [number, number] => [id, score])
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, depth);
}

function select(scores: readonly number[], depth: number, columns: number, group: number | undefined): [number, number][] {
  const selection = new Selection(2, depth);
  for (let start = 0; start < scores.length; start += columns) {
    const valid = Math.min(columns, scores.length - start);
    const block = new Float32Array(2 * columns).fill(9); // row 0 and padding must never be looked at
    block.set(scores.slice(start, start + valid), columns);
    const peaks =
      group === undefined
        ? undefined
        : Float32Array.from({ length: (2 * columns) / group }, (_, at) => Math.max(...block.subarray(at * group, (at + 1) * group)));
    selection.offer(1, { scores: block, columns, ...(peaks && group ? { peaks, group } : {}) }, 1, valid, start);
  }
  const ids = new Int32Array(depth);
  const found = new Float32Array(depth);
  const length = selection.finish(1, ids, found, 0);
  return Array.from({ length }, (_, at) => [ids[at]!, found[at]!]);
}

describe("Selection", () => {
  it("equals a full sort with ties by the smaller id, for any blocks and groups", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -40, max: 40 }).map((n) => n / 32), { minLength: 1, maxLength: 700 }),
        fc.integer({ min: 1, max: 90 }),
        fc.constantFrom(16, 64, 256, 1024),
        fc.constantFrom(undefined, 4, 16),
        (scores, depth, columns, group) => {
          expect(select(scores, depth, columns, group)).toEqual(sorted(scores, depth));
        },
      ),
    );
  });

  it("keeps every candidate where there are fewer than the depth", () => {
    expect(select([0.5, -1, 0.5], 10, 16, 4)).toEqual([
      [0, 0.5],
      [2, 0.5],
      [1, -1],
    ]);
  });
});
