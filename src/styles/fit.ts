import type { Layer, PixelRect } from "../model/index.ts";

/** Which part of an image fills which part of a cell: whole pixels on both sides. */
export interface Fitted {
  readonly source: PixelRect;
  readonly destination: PixelRect;
}

/**
 * Fits an image of width × height pixels into a cell. stretch: all of it, whatever the aspect. cover: the largest part
 * of the cell's aspect, centred, or moved as little as keeps `focus` (a box in the image) inside; around the middle
 * of a box that does not fit. contain: all of it, aspect kept, centred in the cell; the rest of the cell stays black.
 */
export function fitImage(
  fit: Layer["fit"],
  width: number,
  height: number,
  cell: PixelRect,
  focus?: readonly [x: number, y: number, width: number, height: number],
): Fitted {
  const [x, y, cellWidth, cellHeight] = cell;
  if (fit === "cover") {
    const scale = Math.max(cellWidth / width, cellHeight / height);
    const partWidth = Math.min(width, Math.max(1, Math.round(cellWidth / scale)));
    const partHeight = Math.min(height, Math.max(1, Math.round(cellHeight / scale)));
    const left = windowStart(width, partWidth, focus?.[0], focus?.[2]);
    const top = windowStart(height, partHeight, focus?.[1], focus?.[3]);
    return { source: [left, top, partWidth, partHeight], destination: cell };
  }
  const source: PixelRect = [0, 0, width, height];
  if (fit === "stretch") return { source, destination: cell };
  const scale = Math.min(cellWidth / width, cellHeight / height);
  const w = Math.min(cellWidth, Math.max(1, Math.round(width * scale)));
  const h = Math.min(cellHeight, Math.max(1, Math.round(height * scale)));
  return { source, destination: [x + ((cellWidth - w) >> 1), y + ((cellHeight - h) >> 1), w, h] };
}

function windowStart(length: number, window: number, start = 0, extent = 0): number {
  const centred = (length - window) >> 1;
  if (extent === 0) return centred;
  const held = (at: number): number => Math.max(0, Math.min(length - window, at));
  if (extent > window) return held(Math.round(start + extent / 2 - window / 2));
  return held(Math.max(start + extent - window, Math.min(start, centred)));
}
