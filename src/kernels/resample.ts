import { type FilterTaps, resampleRgb } from "./filter-kernel.ts";
import { type Pixels, type Resize, type Resizing, resizingOf, rowsOf } from "./pixels.ts";
import { checkPart, type PixelRectangle } from "./rectangle.ts";

/** Bits after the point of a coefficient, as in Pillow: 8 bits of value and 2 of headroom are left of 32. */
const precision = 22;

/** A function of the distance in target pixels, and where it ends. */
interface Filter {
  readonly weight: (distance: number) => number;
  readonly support: number;
}

/**
 * Bilinear with antialiasing: a triangle filter that widens with the scale, equal to Pillow's BILINEAR (and to the
 * `fast` resample of plans).
 */
export const resizeTriangle: Resize = (source, target) => resample(resizingOf(source, target), triangle);

/**
 * Bicubic (a = -0.5) with antialiasing, equal to Pillow's BICUBIC for uint8: two passes, across and then down, with
 * coefficients of 22 bits, rounded and clipped to a byte after each.
 */
export const resizeBicubic: Resize = (source, target) => resample(resizingOf(source, target), cubic);

/** How `resizeWindow` resamples: Pillow's names. */
export type PillowFilter = "bilinear" | "bicubic";

/**
 * A part of a resized RGB image: what `window` of the size's pixels of `resizeBicubic` or `resizeTriangle` shows,
 * without making the rest. Returns window.width × window.height pixels. Throws a RangeError for sizes that do not fit.
 */
export function resizeWindow(
  name: PillowFilter,
  image: Pixels,
  size: { readonly width: number; readonly height: number },
  window: PixelRectangle,
): Uint8Array {
  checkPart(window, size.width, size.height);
  const { x, y, width, height } = window;
  const { source, target } = resizingOf({ ...image, channels: 3 }, { width, height });
  const filter = name === "bicubic" ? cubic : triangle;
  const across = tapsFrom(filterTaps(source.part.width, size.width, filter), x, width);
  const down = tapsFrom(filterTaps(source.part.height, size.height, filter), y, height);
  resampleRgb(rowsOf(source), across, down, target);
  return target.data;
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

function resample({ source, target }: Resizing, filter: Filter): Uint8Array {
  const { data, channels, part } = source;
  const length = target.width * channels;
  const across = filterTaps(part.width, target.width, filter);
  const down = filterTaps(part.height, target.height, filter);
  if (channels === 3) {
    resampleRgb(rowsOf(source), across, down, target);
    return target.data;
  }
  const stretched = new Uint8Array(part.height * length);
  for (let y = 0; y < part.height; y++) {
    const row = ((part.y + y) * source.width + part.x) * channels;
    filterRow(data, row, channels, across, stretched, y * length);
  }
  const sums = new Int32Array(length);
  for (let y = 0; y < target.height; y++) {
    sums.fill(1 << (precision - 1));
    const first = down.first[y]!;
    for (let k = 0; k < down.count[y]!; k++) {
      const weight = down.coefficients[y * down.stride + k]!;
      const from = (first + k) * length;
      for (let i = 0; i < length; i++) sums[i] = sums[i]! + stretched[from + i]! * weight;
    }
    const at = target.offset + y * target.stride;
    for (let i = 0; i < length; i++) target.data[at + i] = toByte(sums[i]!);
  }
  return target.data;
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
function filterTaps(sourceSize: number, targetSize: number, { weight: weightAt, support }: Filter): FilterTaps {
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
      const weight = weightAt((k + begin - centre + 0.5) * inverse);
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
  return filterTaps(sourceSize, targetSize, triangle);
}

const triangle: Filter = {
  support: 1,
  weight(distance) {
    const x = Math.abs(distance);
    return x < 1 ? 1 - x : 0;
  },
};

const cubic: Filter = {
  support: 2,
  weight(distance) {
    const a = -0.5;
    const x = Math.abs(distance);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
  },
};

function toByte(sum: number): number {
  const value = sum >> precision;
  return value < 0 ? 0 : Math.min(value, 255);
}
