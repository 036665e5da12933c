import { resizeNearest, rleFromString, rleToMask } from "../../../kernels/index.ts";

const colour = [255, 46, 136] as const;

export interface MaskLayer {
  /** The mask in the colour of truth, opaque; the page sets its opacity. */
  readonly fill: ImageData;
  /** Its outline with a white rim, so that it shows on anything. */
  readonly outline: ImageData;
}

/**
 * Draws COCO run lengths over a raster of `height` × `width` at another size, nearest neighbour, as two layers.
 * `thickness` is the outline's, in pixels of the result.
 */
export function maskLayer(
  counts: string,
  height: number,
  width: number,
  shownWidth: number,
  shownHeight: number,
  thickness: number,
): MaskLayer {
  const data = rleToMask(rleFromString(counts, height, width));
  const mask = resizeNearest({ data, width, height, channels: 1 }, { width: shownWidth, height: shownHeight });
  const fill = new ImageData(shownWidth, shownHeight);
  const outline = new ImageData(shownWidth, shownHeight);
  const inner = spread(mask, shownWidth, shownHeight, thickness);
  const outer = spread(inner, shownWidth, shownHeight, 1);
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === 1) paint(fill.data, at, colour, 255);
    else if (inner[at] === 1) paint(outline.data, at, colour, 255);
    else if (outer[at] === 1) paint(outline.data, at, [255, 255, 255], 215);
  }
  return { fill, outline };
}

/** Draws the outline of COCO run lengths over a raster of `height` × `width` into `layer`, stretched to it, inside the mask. */
export function drawOutline(
  layer: ImageData,
  counts: string,
  height: number,
  width: number,
  rgb: readonly [number, number, number],
): void {
  const { width: shownWidth, height: shownHeight } = layer;
  const data = rleToMask(rleFromString(counts, height, width));
  const mask = resizeNearest({ data, width, height, channels: 1 }, { width: shownWidth, height: shownHeight });
  const outside = spread(
    mask.map((pixel) => 1 - pixel),
    shownWidth,
    shownHeight,
    2,
  );
  for (let at = 0; at < mask.length; at++) {
    const x = at % shownWidth;
    const y = (at - x) / shownWidth;
    const isEdge = x < 2 || y < 2 || x >= shownWidth - 2 || y >= shownHeight - 2;
    if (mask[at] === 1 && (outside[at] === 1 || isEdge)) paint(layer.data, at, rgb, 255);
  }
}

/** The mask grown by `by` pixels (a square's neighbourhood), in two passes. */
function spread(mask: Uint8Array, width: number, height: number, by: number): Uint8Array {
  const across = new Uint8Array(mask.length);
  const result = new Uint8Array(mask.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (mask[y * width + x] !== 1) continue;
      across.fill(1, y * width + Math.max(0, x - by), y * width + Math.min(width, x + by + 1));
    }
  }
  for (let y = 0; y < height; y++) {
    const [from, to] = [Math.max(0, y - by), Math.min(height - 1, y + by)];
    for (let x = 0; x < width; x++) {
      if (across[y * width + x] !== 1) continue;
      for (let other = from; other <= to; other++) result[other * width + x] = 1;
    }
  }
  return result;
}

function paint(
  data: Uint8ClampedArray,
  at: number,
  [red, green, blue]: readonly [number, number, number],
  alpha: number,
): void {
  data[at * 4] = red;
  data[at * 4 + 1] = green;
  data[at * 4 + 2] = blue;
  data[at * 4 + 3] = alpha;
}
