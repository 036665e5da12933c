import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { laneTable } from "./part-kernel.ts";
import { farListAt } from "./parted-lists.ts";
import { createScreenKernel, screenListBytes } from "./screen-kernel.ts";
import { listHeaderBytes } from "./selection-kernel.ts";

const capacity = 256;
const start = listHeaderBytes / 4;

/** How an exact score lies in what its bound allows: anywhere, or as far off as can be. */
const errors = fc.array(fc.oneof(fc.constantFrom(-1, 1), fc.double({ min: -1, max: 1, noNaN: true })), {
  minLength: 1,
  maxLength: capacity - 16,
});

describe("part, narrow and join", () => {
  it("leave the exact best in order of their ids, whatever the approximate scores within their bound", () => {
    const lanes = screenListBytes(capacity);
    const kernel = createScreenKernel(lanes + 256);
    new Uint8Array(kernel.memory.buffer).set(laneTable(), lanes);
    const [ints, floats] = [new Int32Array(kernel.memory.buffer), new Float32Array(kernel.memory.buffer)];
    const far = farListAt(0, capacity) / 4;
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
          ints.fill(0, 0, 4);
          floats[1] = Number.NEGATIVE_INFINITY;
          ints[0] = count;
          given.forEach((error, at) => {
            floats[start + at] = exact[at]! - shift + error * bound;
            ints[start + capacity + at] = at * 3;
          });
          const scored = (list: number): void => {
            for (let at = 0; at < ints[list]!; at++) {
              floats[list + start + at] = exact[ints[list + start + capacity + at]! / 3]!;
            }
          };
          kernel.part(0, capacity, depth, 2 * bound + 1e-5, lanes);
          scored(0);
          const parted = ints[far]!;
          kernel.narrow(0, capacity, depth, shift + bound + 1e-5, 1);
          spared += parted - ints[far]!;
          scored(far);
          kernel.join(0, capacity);
          const ids = Array.from(ints.subarray(start + capacity, start + capacity + ints[0]!));
          expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
          expect(Array.from(floats.subarray(start, start + ids.length))).toEqual(ids.map((id) => exact[id / 3]));
          const best = exact.map((_, at) => at * 3).sort((a, b) => exact[b / 3]! - exact[a / 3]! || a - b);
          expect(ids).toEqual(expect.arrayContaining(best.slice(0, depth)));
        },
      ),
      { numRuns: 500 },
    );
    expect(spared).toBeGreaterThan(0);
  });
});
