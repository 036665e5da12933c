import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pythonHas, runPython, sampleDir } from "../../test/peers.ts";
import { CounterRandom } from "./random.ts";
import { rleFromString, rleToString } from "./rle.ts";
import { rleArea, rleBox, rleUnion } from "./rle-combine.ts";
import { rleFromPolygon } from "./rle-polygon.ts";

interface GoldenMask {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly segmentation: number[][];
  readonly parts?: string[];
  readonly rle: string;
  readonly area?: number;
  readonly bbox?: number[];
}

function goldenMasks(path: string): GoldenMask[] {
  const lines = readFileSync(path, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as GoldenMask);
}

function checkGolden({ name, height, width, segmentation, parts, rle, area, bbox }: GoldenMask): void {
  const ours = segmentation.map((xy) => rleFromPolygon(xy, height, width));
  if (parts !== undefined) expect(ours.map(rleToString), name).toEqual(parts);
  const union = rleUnion(ours, height, width);
  expect(rleToString(union), name).toBe(rle);
  if (area !== undefined) expect(rleArea(union), name).toBe(area);
  if (bbox !== undefined) expect(rleBox(union), name).toEqual(bbox);
  expect(rleFromString(rle, height, width).counts, name).toEqual(union.counts);
}

const sample = sampleDir();
const cocoMasks = sample === undefined ? undefined : join(sample, "coco-masks.jsonl");

interface Polygon {
  readonly height: number;
  readonly width: number;
  readonly xy: number[];
}

/** Polygons of every kind that has a trap in it: see the names of the kinds. */
function hardPolygons(count: number): Polygon[] {
  const random = new CounterRandom(5, 0, 0, 3);
  const within = (low: number, high: number) => low + random.float() * (high - low);
  const kinds: ((w: number, h: number) => number)[] = [
    (w, h) => within(0, Math.max(w, h)), // inside, mostly
    (w, h) => within(-2 * w - 5, 3 * h + 5), // out of bounds
    (w) => Math.floor(within(-2, w + 3)), // integers
    (w) => Math.floor(within(-2, w + 3)) + 0.5, // half pixels
    (w) => Math.floor(within(-10, 10 * w)) / 10, // the grid of fifths, and its ties
    () => within(0, 1.2), // tiny
    (w) => within(-30_000, 30_000 + w), // huge
    (w) => Math.round(within(0, w) * 100) / 100, // as COCO writes them
  ];
  return Array.from({ length: count }, (_, i) => {
    const width = 1 + random.below(i % 7 === 0 ? 640 : 50);
    const height = 1 + random.below(i % 7 === 0 ? 480 : 50);
    const coordinate = kinds[i % kinds.length]!;
    const corners = i % 10 === 9 ? 1 + random.below(2) : 3 + random.below(12);
    const xy = Array.from({ length: 2 * corners }, () => coordinate(width, height));
    if (i % 6 === 5) xy.push(...xy.slice(0, 2), ...xy.slice(0, 2)); // repeated and closing points
    if (i % 13 === 12) for (let j = 0; j < xy.length; j += 2) xy[j] = xy[0]!; // an upright line
    if (i % 17 === 16) for (let j = 1; j < xy.length; j += 2) xy[j] = xy[1]!; // a level line
    return { height, width, xy };
  });
}

describe("rleFromPolygon", () => {
  it("draws every golden polygon as pycocotools did, with its union, area and box", () => {
    const rows = goldenMasks(join(import.meta.dirname, "../../test/fixtures/golden/masks.jsonl"));
    expect(rows.length).toBe(320);
    rows.forEach(checkGolden);
  });

  it.skipIf(cocoMasks === undefined || !existsSync(cocoMasks))("draws COCO's own polygons as pycocotools did", () => {
    const rows = goldenMasks(cocoMasks!);
    expect(rows.length).toBeGreaterThan(10);
    rows.forEach(checkGolden);
  });

  it.skipIf(!pythonHas("pycocotools.mask"))("equals pycocotools on 4000 hard polygons", () => {
    const polygons = hardPolygons(4000);
    const script = `
import sys, json
import numpy as np
from pycocotools import _mask as M
for p in json.load(sys.stdin):
    # frPoly itself: frUncompressedRLE and frBbox would take lists of other lengths for something else
    print(M.frPoly([np.array(p["xy"], np.double)], p["height"], p["width"])[0]["counts"].decode())
`;
    const theirs = runPython(script, [], JSON.stringify(polygons)).split("\n");
    let set = 0;
    for (const [i, { xy, height, width }] of polygons.entries()) {
      const ours = rleFromPolygon(xy, height, width);
      expect(rleToString(ours), JSON.stringify(polygons[i])).toBe(theirs[i]);
      set += Number(rleArea(ours) > 0);
    }
    expect(set).toBeGreaterThan(2000);
  });

  it("takes a Float64Array as well, and does not modify it", () => {
    const xy = Float64Array.of(1, 1, 8, 2, 4, 9);
    expect(rleFromPolygon(xy, 10, 10)).toEqual(rleFromPolygon([1, 1, 8, 2, 4, 9], 10, 10));
    expect([...xy]).toEqual([1, 1, 8, 2, 4, 9]);
  });

  it("draws a polygon of astronomic size at once", () => {
    const far = 2 ** 27;
    const rle = rleFromPolygon([-far, -far, far, -far, far, far, -far, far], 480, 640);
    expect(rleArea(rle)).toBe(480 * 640);
    expect([...rleFromPolygon([-far, 0, 0, far, far, 0], 0, 3).counts]).toEqual([0]);
  });

  it.each([
    ["no coordinates", []],
    ["an odd number of them", [1, 2, 3, 4, 5]],
    ["NaN", [1, 2, 3, Number.NaN, 5, 6]],
    ["infinity", [1, 2, Number.NEGATIVE_INFINITY, 4, 5, 6]],
    ["a coordinate beyond C's integers", [1, 2, 1e12, 4, 5, 6]],
  ])("refuses %s", (_, xy) => {
    expect(() => rleFromPolygon(xy, 10, 10)).toThrow(RangeError);
  });
});
