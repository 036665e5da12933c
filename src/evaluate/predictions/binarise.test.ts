import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rleToMask } from "../../kernels/index.ts";
import { binarise } from "./binarise.ts";

const half = { value: 0.5, inclusive: false };

describe("a raster of whole numbers", () => {
  it("is cut where its share of the largest value passes, and told by what it holds, wherever it lies in memory", () => {
    const level = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.constantFrom(1, 127, 128, 255));
    const cases = fc.record({
      width: fc.integer({ min: 1, max: 9 }),
      held: fc.constantFrom<readonly number[]>([0], [0, 1], [0, 255], [0, 1, 127, 128, 255]),
      values: fc.array(level, { minLength: 1, maxLength: 60 }),
      offset: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(cases, ({ width, held, values, offset }) => {
        const height = Math.ceil(values.length / width);
        const levels = new Uint8Array(new ArrayBuffer(height * width + offset), offset);
        levels.set(values.map((value) => (held.includes(value) ? value : 0)));
        const found = binarise({ kind: "levels", height, width, levels, max: 255 }, half, "auto", "made");
        const seen = new Set(levels);
        seen.delete(0);
        const evidence =
          seen.size === 0
            ? "nothing"
            : seen.size > 1
              ? "graded"
              : seen.has(1)
                ? "ones"
                : seen.has(255)
                  ? "full"
                  : "graded";
        expect(found?.evidence).toBe(evidence);
        expect([...rleToMask(found!.mask)]).toEqual(Array.from(levels, (value) => Number(value / 255 > 0.5)));
        const asOnes = evidence === "ones" ? Array.from(levels, (value) => Number(value > 0)) : undefined;
        expect(found?.asOnes && [...rleToMask(found.asOnes)]).toEqual(asOnes);
      }),
    );
  });
});
