import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createScreenKernel, screenListBytes } from "./screen-kernel.ts";
import { listHeaderBytes } from "./selection-kernel.ts";

const capacity = 192;
const start = listHeaderBytes / 4;

describe("siftBytes", () => {
  it("takes every byte above the threshold, in order, and keeps what is near the best, or says that it could not", () => {
    const bytesAt = screenListBytes(capacity);
    const kernel = createScreenKernel(bytesAt + 1024);
    const { buffer } = kernel.memory;
    const [ints, floats, bytes] = [new Int32Array(buffer), new Float32Array(buffer), new Uint8Array(buffer)];
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 254, 255), fc.integer({ min: 90, max: 110 }));
    const block = fc.array(byte, { minLength: 64, maxLength: 64 });
    let [overflown, cut] = [0, 0];
    fc.assert(
      fc.property(
        fc.array(block, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(0, 0.5, 99, 99.5, 200, 254.9, 255),
        fc.constantFrom(0.5, 3, 20, 300),
        fc.integer({ min: 1, max: 40 }),
        (blocks, threshold, margin, depth) => {
          ints.fill(0, 0, 4);
          floats[1] = threshold;
          blocks.forEach((block, at) => {
            bytes.set(block, bytesAt);
            kernel.siftBytes(0, capacity, depth, margin, bytesAt, 64, at * 64);
          });
          const above = blocks.flat().flatMap((value, id) => (value > threshold ? [[value, id] as const] : []));
          if (ints[2] === 1) {
            overflown++;
            expect(above.length).toBeGreaterThan(capacity - 64);
            return;
          }
          const length = ints[0]!;
          const held = Array.from({ length }, (_, at) => [floats[start + at]!, ints[start + capacity + at]!] as const);
          expect(held.map(([, id]) => id)).toEqual(held.map(([, id]) => id).sort((a, b) => a - b));
          const best = above.map(([value]) => value).sort((a, b) => b - a)[depth - 1] ?? 0;
          const near = above.filter(([value]) => value > best - margin);
          expect(held).toEqual(expect.arrayContaining(near));
          if (floats[1] === threshold) expect(held).toEqual(above);
          else cut++;
          expect(above).toEqual(expect.arrayContaining(held));
        },
      ),
      { numRuns: 300 },
    );
    expect(overflown).toBeGreaterThan(0);
    expect(cut).toBeGreaterThan(0);
  });
});
