import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openOneList } from "./one-list.contract.ts";

const list = openOneList(256);
const { kernel, lists, capacity } = list;
const score = fc.oneof(
  fc.float({ min: -1, max: 1, noNaN: true }),
  fc.integer({ min: -4, max: 4 }).map((n) => n / 4),
);
const scores = fc.array(score, { minLength: 1, maxLength: capacity });

describe("cut", () => {
  it("keeps the two best of five, the earlier of equal ones, as one does by hand", () => {
    list.put([5, 1, 4, 4, 4]);
    kernel.cut(0, capacity, 2);
    expect(list.entries()).toEqual([
      [0, 5],
      [1 + 1, 4],
    ]);
    expect(lists.threshold(0)).toBe(4);
  });

  it("keeps the best in order of their ids, and at most a sixteenth more", () => {
    fc.assert(
      fc.property(scores, fc.integer({ min: 1, max: 100 }), (some, depth) => {
        const given = some.map(Math.fround);
        list.put(given);
        kernel.cut(0, capacity, depth);
        const held = list.entries();
        expect(held.length).toBeLessThanOrEqual(Math.max(depth + (depth >> 4), Math.min(depth, given.length)));
        const best = given.map((value, id) => [id, value] as const).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
        expect(held).toEqual(best.slice(0, held.length).sort((a, b) => a[0] - b[0]));
        expect(held.length).toBeGreaterThanOrEqual(Math.min(depth, given.length));
      }),
      { numRuns: 300 },
    );
  });
});

describe("cutToMargin", () => {
  it("keeps what is less than the margin below the second best, as one does by hand", () => {
    list.put([5, 1, 4, 2, 3.5]);
    kernel.cutToMargin(0, capacity, 2, 2);
    // 4 is what two reach: all above 2.
    expect(list.entries()).toEqual([
      [0, 5],
      [2, 4],
      [4, 3.5],
    ]);
    expect(lists.threshold(0)).toBe(2);
  });

  it("keeps all within the margin of the best, and nothing else but those a few places further down", () => {
    fc.assert(
      fc.property(scores, fc.integer({ min: 1, max: 100 }), fc.constantFrom(0.125, 0.5, 3), (some, depth, margin) => {
        const given = some.map(Math.fround);
        list.put(given);
        kernel.cutToMargin(0, capacity, depth, margin);
        const all = given.map((value, id) => [id, value] as const);
        if (given.length <= depth) return void expect(list.entries()).toEqual(all);
        const low = lists.threshold(0);
        const sorted = given.toSorted((a, b) => b - a);
        expect(list.entries()).toEqual(all.filter(([, value]) => value > low));
        expect(low).toBeLessThanOrEqual(Math.fround(sorted[depth - 1]! - margin));
        expect(low).toBeGreaterThanOrEqual(Math.fround((sorted[depth + (depth >> 4)] ?? -4) - margin));
      }),
      { numRuns: 300 },
    );
  });
});
