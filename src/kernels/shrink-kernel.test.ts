import fc from "fast-check";
import { expect, it } from "vitest";
import { CounterRandom } from "./random.ts";
import { resizeTriangle } from "./resample.ts";
import { openShrinkFrame } from "./shrink-kernel.ts";

/** Noise; where `seed` is odd only black and white. */
function noise(length: number, seed: number): Uint8Array {
  const random = new CounterRandom(seed, 0, 0, 1);
  return Uint8Array.from({ length }, () => (seed % 2 === 1 ? -(random.uint32() >>> 31) : random.uint32() >>> 24));
}

it("shrinks two by two pixels to one, the mean that one can work out by hand", () => {
  const frame = openShrinkFrame();
  // Down: 100 and 200 give 19200, 150 of 7 bits more; 90 and 0 give 5760. Across: (19200 + 5760) / 2 is 97.5, rounded up.
  frame
    .open({ width: 2, height: 2, targetWidth: 1, targetHeight: 1 })
    .set([100, 100, 100, 90, 90, 90, 200, 200, 200, 0, 0, 0]);
  expect([...frame.shrink()]).toEqual([98, 98, 98]);
});

function shrunk(frame: ReturnType<typeof openShrinkFrame>, src: Uint8Array, sides: readonly number[]): Uint8Array {
  const [width, height, targetWidth, targetHeight] = sides as [number, number, number, number];
  frame.open({ width, height, targetWidth, targetHeight }).set(src);
  return frame.shrink();
}

const side = fc.integer({ min: 1, max: 90 });

it("is within a level of the triangle filter, whatever the sizes and what the frame held before", () => {
  const frame = openShrinkFrame();
  let compared = 0;
  fc.assert(
    fc.property(side, side, side, side, fc.nat(), (width, height, a, b, seed) => {
      const [dstW, dstH] = [1 + (a % width), 1 + (b % height)];
      const src = noise(width * height * 3, seed);
      const expected = resizeTriangle({ data: src, width, height }, { width: dstW, height: dstH });
      const got = shrunk(frame, src, [width, height, dstW, dstH]);
      expect(got.length).toBe(expected.length);
      const most = got.reduce((worst, value, at) => Math.max(worst, Math.abs(value - expected[at]!)), 0);
      expect(most).toBeLessThanOrEqual(1);
      compared += got.length;
    }),
    { numRuns: 300 },
  );
  expect(compared).toBeGreaterThan(10_000);
});

it("leaves an image as it is at its own size, and black and white at any", () => {
  const frame = openShrinkFrame();
  const src = noise(41 * 23 * 3, 4);
  expect(shrunk(frame, src, [41, 23, 41, 23])).toEqual(src);
  for (const value of [0, 255]) {
    const flat = new Uint8Array(100 * 70 * 3).fill(value);
    expect(new Set(shrunk(frame, flat, [100, 70, 33, 47]))).toEqual(new Set([value]));
  }
});

it("adds to each channel before it rounds, and holds to a byte", () => {
  const frame = openShrinkFrame();
  frame.open({ width: 20, height: 10, targetWidth: 5, targetHeight: 4 }).fill(254);
  expect([...frame.shrink(undefined, [-1.4, 0.6, 3])].slice(0, 3)).toEqual([253, 255, 255]);
  frame.open({ width: 20, height: 10, targetWidth: 5, targetHeight: 4 }).fill(1);
  const out = new Uint8Array(5 * 4 * 3);
  expect(frame.shrink(out, [-3, 0.4, 1.6])).toBe(out);
  expect([...out].slice(-3)).toEqual([0, 1, 3]);
  expect([...frame.shrink()].slice(0, 3)).toEqual([1, 1, 1]);
  expect(() => frame.shrink(new Uint8Array(5))).toThrow(RangeError);
});

it("refuses to enlarge, and sizes that are none", () => {
  const frame = openShrinkFrame();
  expect(() => frame.shrink()).toThrow(RangeError);
  for (const sides of [
    [10, 10, 11, 5],
    [10, 10, 5, 11],
    [0, 10, 0, 5],
    [10, 10, 2.5, 5],
  ])
    expect(() => shrunk(frame, new Uint8Array(0), sides)).toThrow(RangeError);
});
