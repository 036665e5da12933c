import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rleAreaInside, rleFromMask } from "./index.ts";

describe("rleAreaInside", () => {
  it("counts as a loop over pixels does, for any mask and rectangle", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 144, maxLength: 144 }),
        fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()),
        (width, height, bits, [a, b, c, d]) => {
          const mask = Uint8Array.from(bits.slice(0, width * height));
          const x = a % width;
          const y = b % height;
          const part = { x, y, width: 1 + (c % (width - x)), height: 1 + (d % (height - y)) };
          let expected = 0;
          for (let row = y; row < y + part.height; row++)
            for (let at = x; at < x + part.width; at++) expected += mask[row * width + at]!;
          expect(rleAreaInside(rleFromMask(mask, height, width), part)).toBe(expected);
        },
      ),
    );
  });

  it("refuses a rectangle outside the mask", () => {
    const mask = rleFromMask(new Uint8Array(6), 2, 3);
    expect(() => rleAreaInside(mask, { x: 1, y: 0, width: 3, height: 1 })).toThrow(RangeError);
  });
});
