import { rleArea, rleFromPolygon } from "../kernels/index.ts";
import type { Segmentation } from "../model/index.ts";

/** Pixels of an image: what a segmentation is rasterised over. */
export interface Raster {
  readonly width: number;
  readonly height: number;
}

/**
 * Whether polygons have a pixel inside. Run lengths are taken to have one: importers look at these as they read them.
 */
export function hasPixel(segmentation: Segmentation, { width, height }: Raster): boolean {
  if (segmentation.kind !== "polygons") return true;
  return segmentation.parts.some((part) => rleArea(rleFromPolygon(part, height, width)) > 0);
}

/** Why polygons have no pixel inside, and what to do: "polygons …; …". */
export function emptinessOf(segmentations: readonly Segmentation[], { width, height }: Raster): string {
  const parts = segmentations.flatMap((segmentation) => (segmentation.kind === "polygons" ? segmentation.parts : []));
  const [left, right] = extent(parts, 0);
  const [top, bottom] = extent(parts, 1);
  if (left >= 0 && top >= 0 && right <= 1 && bottom <= 1)
    return "polygons that run from 0 to 1; multiply x by the image's width and y by its height";
  if (right <= 0 || bottom <= 0 || left >= width || top >= height) {
    const range = `x from ${left} to ${right}, y from ${top} to ${bottom}`;
    return `polygons outside its image of ${width}×${height} (${range}); check that the two belong together`;
  }
  return "polygons so thin that they cover no pixel; correct them or remove the ref";
}

function extent(parts: readonly (readonly number[])[], axis: 0 | 1): [least: number, most: number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const part of parts) {
    for (let at = axis; at < part.length; at += 2) {
      least = Math.min(least, part[at]!);
      most = Math.max(most, part[at]!);
    }
  }
  return [least, most];
}
