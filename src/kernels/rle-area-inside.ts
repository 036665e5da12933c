import { checkPart, type PixelRectangle } from "./rectangle.ts";
import type { Rle } from "./rle.ts";

/**
 * The number of pixels set inside a rectangle of the mask. Visits runs, never pixels. Throws a RangeError for a
 * rectangle that leaves the mask.
 */
export function rleAreaInside(rle: Rle, part: PixelRectangle): number {
  checkPart(part, rle.width, rle.height);
  const { counts, height } = rle;
  let area = 0;
  // Run i begins at `begin`; both follow the columns, which never go back.
  let i = 0;
  let begin = 0;
  for (let x = part.x; x < part.x + part.width; x++) {
    const top = x * height + part.y;
    const bottom = top + part.height;
    while (i < counts.length && begin + counts[i]! <= top) begin += counts[i++]!;
    let runBegin = begin;
    for (let j = i; j < counts.length && runBegin < bottom; j++) {
      const runEnd = runBegin + counts[j]!;
      if (j & 1) area += Math.min(runEnd, bottom) - Math.max(runBegin, top);
      runBegin = runEnd;
    }
  }
  return area;
}
