import { type Rle, rleFromMask, rleToMask } from "../kernels/index.ts";

/**
 * Resizes a mask by Pillow's nearest neighbour, pixel for pixel (Image.resize with NEAREST; what torchvision's
 * F.resize does to a PIL mask, and with it LAVT's evaluator). Does not modify `mask`.
 */
export function resizeMask(mask: Rle, height: number, width: number): Rle {
  if (mask.height === height && mask.width === width) return mask;
  const source = rleToMask(mask);
  const columns = pillowPositions(mask.width, width);
  const rows = pillowPositions(mask.height, height);
  const target = new Uint8Array(height * width);
  let at = 0;
  for (const row of rows) {
    const start = row * mask.width;
    for (const column of columns) target[at++] = source[start + column] ?? 0;
  }
  return rleFromMask(target, height, width);
}

/**
 * The source position of each target pixel: the sum of a half and of i whole steps of source / target, cut to an
 * integer. The steps are *added* one by one, as in Pillow's Geometry.c (ImagingScaleAffine): a product rounds
 * differently, and with 640 → 480 every third position lies on the border between two pixels.
 */
export function pillowPositions(source: number, target: number): Int32Array {
  const step = source / target;
  const positions = new Int32Array(target);
  let position = step * 0.5;
  for (let i = 0; i < target; i++) {
    positions[i] = Math.min(Math.trunc(position), source - 1);
    position += step;
  }
  return positions;
}
