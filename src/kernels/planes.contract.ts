import fc from "fast-check";
import { expect } from "vitest";
import type { Resize } from "./pixels.ts";
import { CounterRandom } from "./random.ts";

/** A side of a small image. */
export const side = fc.integer({ min: 1, max: 90 });

/** Noise; where `seed` is odd only black and white, for the largest overshoot. */
export function noise(length: number, seed: number): Uint8Array {
  const random = new CounterRandom(seed, 0, 0, 1);
  return Uint8Array.from({ length }, () => (seed % 2 === 1 ? -(random.uint32() >>> 31) : random.uint32() >>> 24));
}

/** Expects of a resize that its RGB, for any part, size, stride and order of sizes, is its three planes resized alone. */
export function expectPlanes(resize: Resize, numRuns: number): void {
  const size = fc.record({ width: side, height: side });
  const gaps = fc.integer({ min: 0, max: 40 });
  fc.assert(
    fc.property(size, size, fc.nat(), fc.nat(), gaps, ({ width: w, height: h }, { width, height }, a, b, gap) => {
      const src = noise(w * h * 3, a);
      const [x, y] = [a % w, b % h];
      const part = { x, y, width: 1 + ((a >>> 3) % (w - x)), height: 1 + ((b >>> 3) % (h - y)) };
      const stride = width * 3 + gap;
      const out = new Uint8Array(gap + height * stride).fill(99);
      resize({ data: src, width: w, height: h, part }, { width, height, data: out, stride, offset: gap });
      const expected = new Uint8Array(out.length).fill(99);
      for (let channel = 0; channel < 3; channel++) {
        const data = src.filter((_, at) => at % 3 === channel);
        resize({ data, width: w, height: h, channels: 1, part }, { width, height }).forEach((value, at) => {
          expected[gap + Math.floor(at / width) * stride + (at % width) * 3 + channel] = value;
        });
      }
      expect(Buffer.compare(out, expected)).toBe(0);
    }),
    { numRuns },
  );
}
