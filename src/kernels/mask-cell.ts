import { nearestPositions } from "./nearest-positions.ts";
import type { MaskTarget } from "./pixels.ts";
import { checkPart, checkRoom, checkTarget, type PixelRectangle } from "./rectangle.ts";
import type { Rle } from "./rle.ts";

/**
 * Draws the part `source` of a mask, stretched to the target's size by nearest neighbour, or the part `window` of that, of
 * its own size: sets ones, leaves the rest as it is. Pixel (x, y) of the cell lies at data[offset + y · stride + x]. The
 * result is that of cropping the decoded mask and calling OpenCV's INTER_NEAREST, but no full raster is made: only the
 * runs of the columns needed are visited. Throws a RangeError for a source outside the mask, a window outside the target's
 * size or a cell outside its data.
 */
export function maskCell(rle: Rle, source: PixelRectangle, target: MaskTarget, window = wholeOf(target)): void {
  const { width, height, data, stride = width, offset = 0 } = target;
  checkPart(source, rle.width, rle.height);
  checkTarget(width, height);
  checkPart(window, width, height);
  checkRoom(data.length, offset, stride, window.height, window.width);
  const { counts } = rle;
  const columns = nearestPositions(source.width, width).subarray(window.x, window.x + window.width);
  const firstRow = firstRows(source.height, height, window);
  // Run i is counts[i] long and begins at `begin`; both follow the columns, which never go back.
  let i = 0;
  let begin = 0;
  for (let x = 0; x < columns.length; x++) {
    const top = (source.x + columns[x]!) * rle.height + source.y;
    const bottom = top + source.height;
    while (i < counts.length && begin + counts[i]! <= top) begin += counts[i++]!;
    let j = i;
    let runBegin = begin;
    while (j < counts.length && runBegin < bottom) {
      const runEnd = runBegin + counts[j]!;
      if (j & 1) {
        const from = firstRow[Math.max(runBegin, top) - top]!;
        const to = firstRow[Math.min(runEnd, bottom) - top]!;
        const end = offset + to * stride + x;
        for (let at = offset + from * stride + x; at < end; at += stride) data[at] = 1;
      }
      runBegin = runEnd;
      j++;
    }
  }
}

function wholeOf({ width, height }: MaskTarget): PixelRectangle {
  return { x: 0, y: 0, width, height };
}

/** For each source row, and the one past the last, the first row of the target's window that reads it or a later one. */
function firstRows(sourceHeight: number, height: number, window: PixelRectangle): Int32Array {
  const positions = nearestPositions(sourceHeight, height);
  const first = new Int32Array(sourceHeight + 1).fill(window.height);
  let row = 0;
  for (let y = 0; y < window.height; y++) {
    while (row <= positions[window.y + y]!) first[row++] = y;
  }
  return first;
}
