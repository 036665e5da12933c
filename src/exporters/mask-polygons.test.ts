import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../test/peers.ts";
import { rleFromPolygon, rleOverlapArea, rleToMask, rleUnion } from "../kernels/index.ts";
import { maskPolygons, storedPolygons } from "./mask-polygons.ts";

const rasterised = (polygons: readonly (readonly number[])[], height: number, width: number): number[] => {
  const parts = polygons.map((polygon) => rleFromPolygon(polygon, height, width));
  if (parts.length > 0) expect(rleOverlapArea(parts)).toBe(0);
  return Array.from(rleToMask(rleUnion(parts, height, width)));
};

const masks = fc
  .tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 9 }))
  .chain(([height, width, density]) =>
    fc
      .array(fc.integer({ min: 0, max: 9 }), { minLength: height * width, maxLength: height * width })
      .map((cells) => ({ height, width, mask: Uint8Array.from(cells, (cell) => (cell < density ? 1 : 0)) })),
  );

describe("polygons of a mask", () => {
  it("cover exactly the mask, without sharing a pixel, with three corners or more each", () => {
    fc.assert(
      fc.property(masks, ({ height, width, mask }) => {
        const polygons = maskPolygons(mask, height, width);
        expect(rasterised(polygons, height, width)).toEqual(Array.from(mask));
        expect(polygons.every((polygon) => polygon.length >= 6 && polygon.length % 2 === 0)).toBe(true);
      }),
      { numRuns: 600 },
    );
  });

  it("joins holes, and holes inside islands inside holes", () => {
    const rows = ["1111111", "1000001", "1011101", "1010101", "1011101", "1000001", "1111111"];
    const mask = Uint8Array.from(rows.join(""), Number);
    const polygons = maskPolygons(mask, 7, 7);
    expect(polygons).toHaveLength(2);
    expect(rasterised(polygons, 7, 7)).toEqual(Array.from(mask));
  });

  it("turns a straight border into two corners, not one a pixel", () => {
    expect(maskPolygons(new Uint8Array(12).fill(1), 3, 4)).toEqual([[4, 0, 4, 3, 0, 3, 0, 0]]);
  });

  it("keeps to the mask when a reader resizes the polygons, within the pixels of the border", () => {
    const size = 40;
    const mask = Uint8Array.from({ length: size * size }, (_, at) =>
      Math.hypot((at % size) - 19.5, Math.floor(at / size) - 19.5) < 15 ? 1 : 0,
    );
    const scaled = maskPolygons(mask, size, size).map((polygon) => polygon.map((value) => value * 2.5));
    const large = rasterised(scaled, 100, 100);
    const wrong = large.filter((value, at) => {
      const inside = Math.hypot((at % 100) / 2.5 - 19.8, Math.floor(at / 100) / 2.5 - 19.8);
      return (inside < 13.5 && value === 0) || (inside > 16.5 && value === 1);
    });
    expect(wrong).toEqual([]);
  });

  it("stands for an empty mask by a polygon without area", () => {
    expect(maskPolygons(new Uint8Array(9), 3, 3)).toEqual([]);
    const stored = storedPolygons({ mask: new Uint8Array(9), polygons: undefined }, { height: 3, width: 3 });
    expect(stored.map(({ length }) => length)).toEqual([6]);
    expect(rasterised(stored, 3, 3)).toEqual(Array.from({ length: 9 }, () => 0));
  });

  it.skipIf(!pythonHas("pycocotools"))("is read by pycocotools as the same mask, by sum and by union", () => {
    const cases = fc.sample(masks, { numRuns: 300, seed: 7 }).map(({ height, width, mask }) => ({
      height,
      width,
      mask: Array.from(mask),
      polygons: maskPolygons(mask, height, width),
    }));
    const script = `
import json, sys
import numpy as np
from pycocotools import mask as m
seen = 0
for case in json.load(sys.stdin):
    want = np.array(case["mask"], np.uint8).reshape(case["height"], case["width"])
    if not case["polygons"]:
        assert want.sum() == 0
        continue
    got = m.decode(m.frPyObjects(case["polygons"], case["height"], case["width"]))
    assert (got.sum(axis=2) == want).all(), case
    seen += 1
print(seen)
`;
    expect(Number(runPython(script, [], JSON.stringify(cases)))).toBeGreaterThan(200);
  });
});
