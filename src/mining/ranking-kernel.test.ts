import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rankBytes } from "./ranking-kernel.ts";
import { createScreenKernel, screenListBytes } from "./screen-kernel.ts";
import { listHeaderBytes } from "./selection-kernel.ts";

const capacity = 320;
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
  it("writes the best in order, ties by their place, or nothing where scores crowd", () => {
    const work = screenListBytes(capacity);
    const into = work + rankBytes(capacity);
    const kernel = createScreenKernel(into + 3 * capacity * 4);
    const [ints, floats] = [new Int32Array(kernel.memory.buffer), new Float32Array(kernel.memory.buffer)];
    const start = listHeaderBytes / 4;
    let [done, left] = [0, 0];
    fc.assert(
      fc.property(scores, fc.nat(), fc.constantFrom(0, 2, 3), (given, seed, column) => {
        const depth = 1 + (seed % given.length);
        ints.fill(-7);
        ints[0] = given.length;
        given.forEach((score, at) => {
          floats[start + at] = score;
          ints[start + capacity + at] = at * 5;
          floats[start + 2 * capacity + at] = at / 2;
          floats[start + 3 * capacity + at] = -at;
        });
        const places = [into, into + depth * 4, into + 2 * depth * 4] as const;
        const ranked = kernel.rank(0, capacity, depth, work, ...places, 0, column) === 1;
        const [ids, first, second] = places.map((place) => place / 4) as [number, number, number];
        if (!ranked) {
          left++;
          expect(Array.from(ints.subarray(ids, ids + 3 * depth))).toEqual(new Array(3 * depth).fill(-7));
          return;
        }
        done++;
        const order = given.map((_, at) => at).sort((a, b) => floats[start + b]! - floats[start + a]! || a - b);
        const best = order.slice(0, depth);
        expect(Array.from(ints.subarray(ids, ids + depth))).toEqual(best.map((at) => at * 5));
        expect(Array.from(floats.subarray(first, first + depth))).toEqual(best.map((at) => floats[start + at]));
        const other = (at: number): number => floats[start + column * capacity + at]!;
        expect(Array.from(floats.subarray(second, second + depth))).toEqual(best.map(other));
        expect(ints[ids + 3 * depth] ?? -7).toBe(-7);
      }),
      { numRuns: 400 },
    );
    expect(done).toBeGreaterThan(40);
    expect(left).toBeGreaterThan(0);
  });
});
