import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rankBytes } from "./dense-memory.ts";
import { openOneList } from "./one-list.contract.ts";

const capacity = 320;
const list = openOneList(capacity, rankBytes(capacity) + 3 * capacity * 4);
const { kernel, lists, free: work } = list;
const { ints, floats } = kernel;
const into = work + rankBytes(capacity);

const size = fc.integer({ min: 1, max: capacity });
const float = fc.float({ min: -1, max: 1, noNaN: true });
const often = fc.constantFrom(0, -0, 0.5, Math.fround(0.1), 1e-45, -1e-45);
const scores = fc
  .tuple(
    size,
    fc.constantFrom(
      float,
      fc.oneof({ weight: 9, arbitrary: float }, often),
      fc.oneof(float, fc.constantFrom(3e38, -3e38)),
    ),
  )
  .chain(([length, each]) => fc.array(each, { minLength: length, maxLength: length }));

describe("rank", () => {
  it("puts four scores in order, as their buckets do by hand", () => {
    list.put([0.125, 0.875, 0.5, 0.75], [10, 11, 12, 13]);
    lists.scores(0, 3).set([1, 2, 3, 4]);
    expect(kernel.rank(0, capacity, 3, work, into, into + 12, into + 24, 0, 3)).toBe(1);
    expect([...ints.subarray(into / 4, into / 4 + 3)]).toEqual([11, 13, 12]);
    expect([...floats.subarray(into / 4 + 3, into / 4 + 9)]).toEqual([0.875, 0.75, 0.5, 2, 4, 3]);
  });

  it("writes the best in order, ties by their place, or nothing where scores crowd", () => {
    let [done, left] = [0, 0];
    fc.assert(
      fc.property(scores, fc.nat(), fc.constantFrom(0, 2, 3), (given, seed, column) => {
        const depth = 1 + (seed % given.length);
        ints.fill(-7);
        list.put(
          given,
          given.map((_, at) => at * 5),
        );
        lists.scores(0, 2).set(given.map((_, at) => at / 2));
        lists.scores(0, 3).set(given.map((_, at) => -at));
        const [own, other] = [Array.from(lists.scores(0, 0)), Array.from(lists.scores(0, column))];
        const places = [into, into + depth * 4, into + 2 * depth * 4] as const;
        const ranked = kernel.rank(0, capacity, depth, work, ...places, 0, column) === 1;
        const [ids, first, second] = places.map((place) => place / 4) as [number, number, number];
        if (!ranked) {
          left++;
          expect(Array.from(ints.subarray(ids, ids + 3 * depth))).toEqual(new Array(3 * depth).fill(-7));
          return;
        }
        done++;
        const order = given.map((_, at) => at).sort((a, b) => own[b]! - own[a]! || a - b);
        const best = order.slice(0, depth);
        expect(Array.from(ints.subarray(ids, ids + depth))).toEqual(best.map((at) => at * 5));
        expect(Array.from(floats.subarray(first, first + depth))).toEqual(best.map((at) => own[at]));
        expect(Array.from(floats.subarray(second, second + depth))).toEqual(best.map((at) => other[at]));
        expect(ints[ids + 3 * depth] ?? -7).toBe(-7);
      }),
      { numRuns: 400 },
    );
    expect(done).toBeGreaterThan(40);
    expect(left).toBeGreaterThan(0);
  });
});
