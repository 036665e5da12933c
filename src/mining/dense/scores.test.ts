import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openDense } from "./compiled/dense.ts";

const most = 4096;
const kernel = openDense(most * 4 * 4);

describe("reachedBy", () => {
  it("finds a score that three of eight reach, as one does by hand", () => {
    // Between 1 and 8 half is 4.5, which 4 reach: two more than wanted would do, and one is. All reach the lowest.
    kernel.floats.set([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(kernel.reachedBy(0, 8, 3)).toBe(4.5);
    expect(kernel.reachedBy(0, 8, 8)).toBe(1);
  });

  it("is reached by as many as wanted and at most two more, unless they are equal", () => {
    const score = fc.oneof(fc.float({ min: -1, max: 1, noNaN: true }), fc.constantFrom(0, -0, 0.5, 1e-45, 3e38, -3e38));
    fc.assert(
      fc.property(fc.array(score, { minLength: 1, maxLength: 200 }), fc.nat(), (some, seed) => {
        const scores = Float32Array.from([...some, ...some, ...some, ...some]);
        const wanted = 1 + (seed % scores.length);
        kernel.floats.set(scores);
        const found = kernel.reachedBy(0, scores.length, wanted);
        const reaching = scores.filter((each) => each >= found);
        expect(reaching.length).toBeGreaterThanOrEqual(wanted);
        const above = scores.filter((each) => each > found);
        if (reaching.length > wanted + 2) expect(above.length).toBeLessThan(wanted);
      }),
      { numRuns: 300 },
    );
  });
});

describe("dequantise", () => {
  it("multiplies with both scales and adds the offset", () => {
    kernel.ints.set([300, -2, 0, 7]);
    kernel.floats.set([0.5, 1, 1, 2], 16);
    kernel.floats.set([1, 0, -4, 0.25], 32);
    kernel.dequantise(0, 4, 64, 128, 0.25);
    expect([...kernel.floats.subarray(0, 4)]).toEqual([38.5, -0.5, -4, 3.75]);
  });

  it("rounds to float32 at each step, for any numbers", () => {
    const float = fc.float({ min: -100, max: 100, noNaN: true });
    const four = fc.tuple(fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), float, float);
    fc.assert(
      fc.property(fc.array(four, { minLength: 1, maxLength: 30 }), float, (some, scale) => {
        const all = [...some, ...some, ...some, ...some];
        kernel.ints.set(all.map(([value]) => value));
        kernel.floats.set(
          all.map(([, each]) => each),
          most,
        );
        kernel.floats.set(
          all.map(([, , each]) => each),
          2 * most,
        );
        kernel.dequantise(0, all.length, most * 4, 2 * most * 4, scale);
        const { fround } = Math;
        const expected = all.map(([value, each, offset]) =>
          fround(fround(fround(fround(value) * each) * scale) + offset),
        );
        expect(Array.from(kernel.floats.subarray(0, all.length), (value) => value + 0)).toEqual(
          expected.map((value) => value + 0),
        );
      }),
    );
  });
});
