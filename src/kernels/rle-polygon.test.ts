import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { rleFromString, rleToString } from "./rle.ts";
import { rleArea, rleBox, rleUnion } from "./rle-combine.ts";
import { rleFromPolygon } from "./rle-polygon.ts";

interface GoldenMask {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly segmentation: number[][];
  readonly parts: string[];
  readonly rle: string;
  readonly area: number;
  readonly bbox: number[];
}

it("rasterises every golden polygon as pycocotools did, with its union, area and box", () => {
  const lines = readFileSync(join(import.meta.dirname, "../../test/fixtures/golden/masks.jsonl"), "utf8")
    .trim()
    .split("\n");
  const rows = lines.map((line) => JSON.parse(line) as GoldenMask);
  expect(rows.length).toBe(320);
  for (const { name, height, width, segmentation, parts, rle, area, bbox } of rows) {
    const ours = segmentation.map((xy) => rleFromPolygon(xy, height, width));
    expect(ours.map(rleToString), name).toEqual(parts);
    const union = rleUnion(ours, height, width);
    expect(rleToString(union), name).toBe(rle);
    expect(rleArea(union), name).toBe(area);
    expect(rleBox(union), name).toEqual(bbox);
    expect(rleFromString(rle, height, width).counts, name).toEqual(union.counts);
  }
});
