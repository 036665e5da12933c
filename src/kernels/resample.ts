import { type FilterTaps, resampleRgb } from "./filter-kernel.ts";
import { checkPart, type PixelRectangle } from "./rectangle.ts";
import { type Resize, targetOf } from "./resize.ts";

/** Bits after the point of a coefficient, as in Pillow: 8 bits of value and 2 of headroom are left of 32. */
const precision = 22;

/**
 * Bilinear with antialiasing: a triangle filter that widens with the scale, equal to Pillow's BILINEAR (and to the
 * `fast` resample of plans). Arguments as in `Resize`.
 */
export const resizeTriangle: Resize = (src, srcW, srcH, channels, part, dstW, dstH, out, outStride, outOffset = 0) => {
  const stride = outStride ?? dstW * channels;
  const target = targetOf(src, srcW, srcH, channels, part, dstW, dstH, out, stride, outOffset);
  resample(src, srcW, channels, part, dstW, dstH, target, stride, outOffset, triangle, 1);
  return target;
};

/**
 * Bicubic (a = -0.5) with antialiasing, equal to Pillow's BICUBIC for uint8: two passes, across and then down, with
 * coefficients of 22 bits, rounded and clipped to a byte after each. Arguments as in `Resize`.
 */
export const resizeBicubic: Resize = (src, srcW, srcH, channels, part, dstW, dstH, out, outStride, outOffset = 0) => {
  const stride = outStride ?? dstW * channels;
  const target = targetOf(src, srcW, srcH, channels, part, dstW, dstH, out, stride, outOffset);
  resample(src, srcW, channels, part, dstW, dstH, target, stride, outOffset, cubic, 2);
  return target;
};

/** How `resizeWindow` resamples: Pillow's names. */
export type PillowFilter = "bilinear" | "bicubic";

/**
 * A part of a resized RGB image: what `window` of the dstW × dstH pixels of `resizeBicubic` or `resizeTriangle` shows,
 * without making the rest. Returns window.width × window.height pixels. Throws a RangeError for sizes that do not fit.
 */
export function resizeWindow(
  filter: PillowFilter,
  src: Uint8Array,
  srcW: number,
  srcH: number,
  dstW: number,
  dstH: number,
  window: PixelRectangle,
): Uint8Array {
  checkPart(window, dstW, dstH);
  const { x, y, width, height } = window;
  const whole = { x: 0, y: 0, width: srcW, height: srcH };
  const length = width * 3;
  const out = targetOf(src, srcW, srcH, 3, whole, width, height, undefined, length, 0);
  const [weight, support] = filter === "bicubic" ? ([cubic, 2] as const) : ([triangle, 1] as const);
  const across = tapsFrom(filterTaps(srcW, dstW, weight, support), x, width);
  const down = tapsFrom(filterTaps(srcH, dstH, weight, support), y, height);
  resampleRgb(src, { start: 0, stride: srcW * 3, length: srcW * 3 }, across, down, out, length, 0);
  return out;
}

function tapsFrom({ first, count, coefficients, stride }: FilterTaps, start: number, length: number): FilterTaps {
  const end = start + length;
  return {
    first: first.subarray(start, end),
    count: count.subarray(start, end),
    coefficients: coefficients.subarray(start * stride, end * stride),
    stride,
  };
}

function resample(
  src: Uint8Array,
  srcW: number,
  channels: number,
  part: PixelRectangle,
  dstW: number,
  dstH: number,
  out: Uint8Array,
  outStride: number,
  outOffset: number,
  filter: (x: number) => number,
  support: number,
): void {
  const length = dstW * channels;
  const across = filterTaps(part.width, dstW, filter, support);
  const down = filterTaps(part.height, dstH, filter, support);
  if (channels === 3) {
    const bytes = { start: (part.y * srcW + part.x) * 3, stride: srcW * 3, length: part.width * 3 };
    resampleRgb(src, bytes, across, down, out, outStride, outOffset);
    return;
  }
  const stretched = new Uint8Array(part.height * length);
  for (let y = 0; y < part.height; y++) {
    filterRow(src, ((part.y + y) * srcW + part.x) * channels, channels, across, stretched, y * length);
  }
  const sums = new Int32Array(length);
  for (let y = 0; y < dstH; y++) {
    sums.fill(1 << (precision - 1));
    const first = down.first[y]!;
    for (let k = 0; k < down.count[y]!; k++) {
      const weight = down.coefficients[y * down.stride + k]!;
      const from = (first + k) * length;
      for (let i = 0; i < length; i++) sums[i] = sums[i]! + stretched[from + i]! * weight;
    }
    const at = outOffset + y * outStride;
    for (let i = 0; i < length; i++) out[at + i] = toByte(sums[i]!);
  }
}

function filterRow(
  src: Uint8Array,
  row: number,
  channels: number,
  taps: FilterTaps,
  out: Uint8Array,
  offset: number,
): void {
  const { first, count, coefficients, stride } = taps;
  const half = 1 << (precision - 1);
  let at = offset;
  for (let x = 0; x < first.length; x++) {
    const begin = x * stride;
    const end = begin + count[x]!;
    const from = row + first[x]! * channels;
    for (let c = 0; c < channels; c++) {
      let sum = half;
      for (let k = begin, read = from + c; k < end; k++, read += channels) {
        sum = (sum + src[read]! * coefficients[k]!) | 0;
      }
      out[at++] = toByte(sum);
    }
  }
}

/** Pillow's precompute_coeffs and normalize_coeffs_8bpc, with the same order of floating-point operations. */
function filterTaps(
  sourceSize: number,
  targetSize: number,
  filter: (x: number) => number,
  support: number,
): FilterTaps {
  const scale = sourceSize / targetSize;
  const filterScale = Math.max(scale, 1);
  const reach = support * filterScale;
  const stride = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(targetSize);
  const count = new Int32Array(targetSize);
  const coefficients = new Int32Array(targetSize * stride);
  const weights = new Float64Array(stride);
  const inverse = 1 / filterScale;
  for (let x = 0; x < targetSize; x++) {
    const centre = (x + 0.5) * scale;
    const begin = Math.max(Math.trunc(centre - reach + 0.5), 0);
    const length = Math.min(Math.trunc(centre + reach + 0.5), sourceSize) - begin;
    let sum = 0;
    for (let k = 0; k < length; k++) {
      const weight = filter((k + begin - centre + 0.5) * inverse);
      weights[k] = weight;
      sum += weight;
    }
    for (let k = 0; k < length; k++) {
      const weight = sum === 0 ? weights[k]! : weights[k]! / sum;
      coefficients[x * stride + k] = Math.trunc(weight * (1 << precision) + (weight < 0 ? -0.5 : 0.5));
    }
    first[x] = begin;
    count[x] = length;
  }
  return { first, count, coefficients, stride };
}

/** The taps of a triangle filter that widens with the scale, coefficients of 22 bits that add up to about 1. */
export function triangleTaps(sourceSize: number, targetSize: number): FilterTaps {
  return filterTaps(sourceSize, targetSize, triangle, 1);
}

function triangle(x: number): number {
  const distance = Math.abs(x);
  return distance < 1 ? 1 - distance : 0;
}

function cubic(x: number): number {
  const a = -0.5;
  const distance = Math.abs(x);
  if (distance < 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * a;
  return 0;
}

function toByte(sum: number): number {
  const value = sum >> precision;
  return value < 0 ? 0 : Math.min(value, 255);
}
