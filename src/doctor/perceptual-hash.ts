import { resizeTriangle } from "../kernels/index.ts";

/** Side of the small grey picture that two images are compared by in the end. */
const side = 16;

/** What is kept of an image to find its near-duplicates. */
export interface ImageSketch {
  /** 128 bits: whether each cell of a 9 × 8 and an 8 × 9 grey picture is brighter than its right and lower neighbour ("difference hash"). */
  readonly bits: Uint8Array;
  /** uint8 [16, 16] grey. */
  readonly grey: Uint8Array;
}

/** Bits of a sketch. */
export const sketchBits = 128;

/** Sketches an image (uint8 RGB [height, width, 3], not modified). Source: the difference hash, Krawetz 2013. */
export function sketchImage(image: {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}): ImageSketch {
  const wide = shrinkImage(image, 9, 8);
  const tall = shrinkImage(image, 8, 9);
  const bits = new Uint8Array(sketchBits / 8);
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++) {
      const at = y * 8 + x;
      const right = (wide[y * 9 + x] ?? 0) < (wide[y * 9 + x + 1] ?? 0);
      const below = (tall[y * 8 + x] ?? 0) < (tall[(y + 1) * 8 + x] ?? 0);
      if (right) bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
      if (below) bits[8 + (at >> 3)] = (bits[8 + (at >> 3)] ?? 0) | (1 << (at & 7));
    }
  }
  return { bits, grey: shrinkImage(image, side, side) };
}

/** Mean difference of two sketches' grey pictures, 0 to 255, each moved to the same mean brightness. */
export function greyDifference(a: ImageSketch, b: ImageSketch): number {
  const mean = (grey: Uint8Array): number => grey.reduce((sum, value) => sum + value, 0) / grey.length;
  const shift = mean(a.grey) - mean(b.grey);
  let sum = 0;
  for (let at = 0; at < a.grey.length; at++) sum += Math.abs((a.grey[at] ?? 0) - (b.grey[at] ?? 0) - shift);
  return sum / a.grey.length;
}

function shrinkImage(
  image: { readonly width: number; readonly height: number; readonly data: Uint8Array },
  width: number,
  height: number,
): Uint8Array {
  const rgb = resizeTriangle(image, { width, height });
  return Uint8Array.from({ length: width * height }, (_, at) =>
    Math.round(0.299 * (rgb[at * 3] ?? 0) + 0.587 * (rgb[at * 3 + 1] ?? 0) + 0.114 * (rgb[at * 3 + 2] ?? 0)),
  );
}
