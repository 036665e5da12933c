import fc from "fast-check";
import { expect, it } from "vitest";
import { rleFromMask, rleToMask } from "../kernels/index.ts";
import { pixelsCoveredOnce } from "./pixels-covered-once.ts";

it("pixelsCoveredOnce equals a sum of rasters that is 1", () => {
  const cases = fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 4 }))
    .chain(([height, width, count]) =>
      fc.tuple(
        fc.constant(height),
        fc.constant(width),
        fc.array(fc.array(fc.integer({ min: 0, max: 1 }), { minLength: height * width, maxLength: height * width }), {
          minLength: count,
          maxLength: count,
        }),
      ),
    );
  fc.assert(
    fc.property(cases, ([height, width, rasters]) => {
      const once = pixelsCoveredOnce(
        rasters.map((raster) => rleFromMask(Uint8Array.from(raster), height, width)),
        height,
        width,
      );
      expect(once.counts.reduce((sum, count) => sum + count, 0)).toBe(height * width);
      const expected = Array.from({ length: height * width }, (_, i) =>
        rasters.reduce((sum, raster) => sum + raster[i]!, 0) === 1 ? 1 : 0,
      );
      expect([...rleToMask(once)]).toEqual(expected);
    }),
  );
});
