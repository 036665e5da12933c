import { type Rle, rleFromPolygon, rleFromString, rleUnion } from "../kernels/index.ts";
import { fail, type Segmentation } from "../model/index.ts";

/**
 * A segmentation as the pool's table holds it: COCO's own JSON. `[[x0,y0,x1,y1,…],…]` for polygons in parts,
 * `{"size":[height,width],"counts":"…"}` for run lengths, `null` for none. Numbers keep every bit.
 */
export function segmentationText(segmentation: Segmentation): string {
  switch (segmentation.kind) {
    case "polygons":
      return JSON.stringify(segmentation.parts);
    case "rle":
      return JSON.stringify({ size: segmentation.size, counts: segmentation.counts });
    case "none":
      return "null";
  }
}

/** The inverse of `segmentationText`. `where` names the row in errors ("bad-input"). */
export function parseSegmentation(text: string, where: string): Segmentation {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    fail("bad-input", `expected a segmentation's JSON in ${where}: ${(error as Error).message}`, error);
  }
  if (value === null) return { kind: "none" };
  if (Array.isArray(value) && value.every((part) => Array.isArray(part) && part.every(Number.isFinite))) {
    return { kind: "polygons", parts: value as number[][] };
  }
  const { size, counts } = value as { size?: unknown; counts?: unknown };
  if (Array.isArray(size) && size.length === 2 && size.every(Number.isInteger) && typeof counts === "string") {
    return { kind: "rle", size: size as [number, number], counts };
  }
  return fail("bad-input", `expected polygons, {size, counts} or null as segmentation in ${where}`);
}

/**
 * A segmentation's masks, one a polygon part (or one in all), over a height × width raster, as pycocotools rasterises
 * them. Errors: "bad-input" naming `where` for run lengths that are malformed or of another size.
 */
export function segmentationParts(segmentation: Segmentation, height: number, width: number, where: string): Rle[] {
  try {
    switch (segmentation.kind) {
      case "polygons":
        return segmentation.parts.map((part) => rleFromPolygon(part, height, width));
      case "rle": {
        const [rleHeight, rleWidth] = segmentation.size;
        if (rleHeight !== height || rleWidth !== width) {
          throw new RangeError(`expected run lengths of ${width}×${height} as its image, got ${rleWidth}×${rleHeight}`);
        }
        return [rleFromString(segmentation.counts, height, width)];
      }
      case "none":
        return [];
    }
  } catch (error) {
    if (error instanceof RangeError) fail("bad-input", `${where}: ${error.message}`, error);
    throw error;
  }
}

/** The union of parts as one mask; empty where there are none. */
export function unionOf(parts: readonly Rle[], height: number, width: number): Rle {
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : rleUnion(parts, height, width);
}
