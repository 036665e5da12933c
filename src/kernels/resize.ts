import { type LinearTaps, resizeLinearRgb } from "./linear-kernel.ts";
import { nearestPositions } from "./nearest-positions.ts";
import { checkPart, checkRoom, checkTarget, type PixelRectangle } from "./rectangle.ts";

/**
 * A resampling of one part of an image: `src` is uint8, row-major, interleaved, srcW × srcH pixels of 1 to 4
 * `channels`, each on its own (alpha is not multiplied in); `part` is stretched to dstW × dstH as if it were an image
 * cut out before (nothing outside it is read). Writes rows `outStride` values apart into `out` from `outOffset` on
 * (by default a new, dense image) and returns `out`. Does not modify `src`, which must not overlap `out`. Throws a
 * RangeError for sizes that do not fit.
 */
export type Resize = (
  src: Uint8Array,
  srcW: number,
  srcH: number,
  channels: number,
  part: PixelRectangle,
  dstW: number,
  dstH: number,
  out?: Uint8Array,
  outStride?: number,
  outOffset?: number,
) => Uint8Array;

/** Nearest neighbour, equal to OpenCV's INTER_NEAREST. Arguments as in `Resize`. */
export const resizeNearest: Resize = (src, srcW, srcH, channels, part, dstW, dstH, out, outStride, outOffset = 0) => {
  const stride = outStride ?? dstW * channels;
  const target = targetOf(src, srcW, srcH, channels, part, dstW, dstH, out, stride, outOffset);
  const columns = nearestPositions(part.width, dstW).map((x) => (part.x + x) * channels);
  const rows = nearestPositions(part.height, dstH);
  for (let y = 0; y < dstH; y++) {
    const row = (part.y + rows[y]!) * srcW * channels;
    let at = outOffset + y * stride;
    for (let x = 0; x < dstW; x++) {
      const from = row + columns[x]!;
      for (let c = 0; c < channels; c++) target[at++] = src[from + c]!;
    }
  }
  return target;
};

/**
 * Bilinear without antialiasing, equal to OpenCV's INTER_LINEAR for uint8: coefficients of 11 bits and
 * its rounding (where both sides are halved exactly this is also its 2 × 2 mean). Arguments as in `Resize`.
 */
export const resizeLinear: Resize = (src, srcW, srcH, channels, part, dstW, dstH, out, outStride, outOffset = 0) => {
  const stride = outStride ?? dstW * channels;
  const target = targetOf(src, srcW, srcH, channels, part, dstW, dstH, out, stride, outOffset);
  if (channels === 3) {
    const bytes = { start: (part.y * srcW + part.x) * 3, stride: srcW * 3, length: part.width * 3 };
    const [columns, rows] = [linearTaps(part.width, dstW, 0, 1), linearTaps(part.height, dstH, 0, 1)];
    resizeLinearRgb(src, bytes, columns, rows, target, stride, outOffset);
    return target;
  }
  const across = linearTaps(part.width, dstW, part.x * channels, channels);
  const down = linearTaps(part.height, dstH, part.y, 1);
  const length = dstW * channels;
  // The two source rows in use, stretched across; consecutive target rows often share one or both.
  let upper = new Int32Array(length);
  let lower = new Int32Array(length);
  let upperRow = -1;
  let lowerRow = -1;
  for (let y = 0; y < dstH; y++) {
    const first = down.first[y]!;
    const second = down.second[y]!;
    if (first === lowerRow && first !== upperRow) {
      const spare = upper;
      upper = lower;
      lower = spare;
      upperRow = lowerRow;
      lowerRow = -1;
    }
    if (first !== upperRow) stretchRow(src, first * srcW * channels, channels, across, upper);
    upperRow = first;
    if (second !== lowerRow && second !== first) {
      stretchRow(src, second * srcW * channels, channels, across, lower);
      lowerRow = second;
    }
    blendRows(upper, second === first ? upper : lower, down.weights, 2 * y, target, outOffset + y * stride);
  }
  return target;
};

function linearTaps(sourceSize: number, targetSize: number, base: number, step: number): LinearTaps {
  const scale = 1 / (targetSize / sourceSize);
  const first = new Int32Array(targetSize);
  const second = new Int32Array(targetSize);
  const weights = new Int32Array(2 * targetSize);
  for (let i = 0; i < targetSize; i++) {
    const centre = Math.fround((i + 0.5) * scale - 0.5);
    const floor = Math.floor(centre);
    const fraction = Math.fround(centre - floor);
    first[i] = base + step * Math.min(Math.max(floor, 0), sourceSize - 1);
    second[i] = base + step * Math.min(Math.max(floor + 1, 0), sourceSize - 1);
    weights[2 * i] = roundHalfEven(Math.fround(1 - fraction) * 2048);
    weights[2 * i + 1] = roundHalfEven(fraction * 2048);
  }
  return { first, second, weights };
}

function stretchRow(src: Uint8Array, row: number, channels: number, taps: LinearTaps, out: Int32Array): void {
  const { first, second, weights } = taps;
  const size = first.length;
  let at = 0;
  for (let x = 0; x < size; x++) {
    const a = row + first[x]!;
    const b = row + second[x]!;
    const wa = weights[2 * x]!;
    const wb = weights[2 * x + 1]!;
    for (let c = 0; c < channels; c++) out[at++] = src[a + c]! * wa + src[b + c]! * wb;
  }
}

/** OpenCV's vertical step: 32-bit sums cut to 16 bits, each product's upper half kept, and rounded at the end. */
function blendRows(
  upper: Int32Array,
  lower: Int32Array,
  weights: Int32Array,
  at: number,
  out: Uint8Array,
  offset: number,
): void {
  const wa = weights[at]!;
  const wb = weights[at + 1]!;
  for (let i = 0; i < upper.length; i++) {
    out[offset + i] = (((wa * (upper[i]! >> 4)) >> 16) + ((wb * (lower[i]! >> 4)) >> 16) + 2) >> 2;
  }
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Checks all sizes and returns `out`, or a new image where there is none. */
export function targetOf(
  src: Uint8Array,
  srcW: number,
  srcH: number,
  channels: number,
  part: PixelRectangle,
  dstW: number,
  dstH: number,
  out: Uint8Array | undefined,
  stride: number,
  offset: number,
): Uint8Array {
  if (!Number.isInteger(channels) || channels < 1 || channels > 4) {
    throw new RangeError(`expected 1 to 4 channels, got ${channels}`);
  }
  checkTarget(srcW, srcH);
  if (src.length < srcW * srcH * channels) {
    throw new RangeError(
      `an image of ${srcW} × ${srcH} × ${channels} has ${srcW * srcH * channels} bytes, got ${src.length}`,
    );
  }
  checkPart(part, srcW, srcH);
  checkTarget(dstW, dstH);
  const target = out ?? new Uint8Array(offset + (dstH - 1) * stride + dstW * channels);
  checkRoom(target.length, offset, stride, dstH, dstW * channels);
  return target;
}
