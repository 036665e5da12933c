import { type LinearTaps, resizeLinearRgb } from "./linear-kernel.ts";
import { nearestPositions } from "./nearest-positions.ts";
import { type Resize, type Resizing, resizingOf, rowsOf } from "./pixels.ts";

/** Nearest neighbour, equal to OpenCV's INTER_NEAREST. */
export const resizeNearest: Resize = (from, to) => {
  const { source, target } = resizingOf(from, to);
  const { data, channels, part } = source;
  const columns = nearestPositions(part.width, target.width).map((x) => (part.x + x) * channels);
  const rows = nearestPositions(part.height, target.height);
  for (let y = 0; y < target.height; y++) {
    const row = (part.y + rows[y]!) * source.width * channels;
    let at = target.offset + y * target.stride;
    for (let x = 0; x < target.width; x++) {
      const read = row + columns[x]!;
      for (let c = 0; c < channels; c++) target.data[at++] = data[read + c]!;
    }
  }
  return target.data;
};

/**
 * Bilinear without antialiasing, equal to OpenCV's INTER_LINEAR for uint8: coefficients of 11 bits and
 * its rounding (where both sides are halved exactly this is also its 2 × 2 mean).
 */
export const resizeLinear: Resize = (from, to) => {
  const resizing = resizingOf(from, to);
  const { source, target } = resizing;
  if (source.channels === 3) {
    const across = linearTaps(source.part.width, target.width, 0, 1);
    const down = linearTaps(source.part.height, target.height, 0, 1);
    resizeLinearRgb(rowsOf(source), across, down, target);
  } else resizePlainly(resizing);
  return target.data;
};

/** As the vector kernel, for any number of channels. */
function resizePlainly({ source, target }: Resizing): void {
  const { data, width, channels, part } = source;
  const across = linearTaps(part.width, target.width, part.x * channels, channels);
  const down = linearTaps(part.height, target.height, part.y, 1);
  const length = target.width * channels;
  // The two source rows in use, stretched across; consecutive target rows often share one or both.
  let upper = new Int32Array(length);
  let lower = new Int32Array(length);
  let upperRow = -1;
  let lowerRow = -1;
  for (let y = 0; y < target.height; y++) {
    const first = down.first[y]!;
    const second = down.second[y]!;
    if (first === lowerRow && first !== upperRow) {
      [upper, lower] = [lower, upper];
      upperRow = lowerRow;
      lowerRow = -1;
    }
    if (first !== upperRow) stretchRow(data, first * width * channels, channels, across, upper);
    upperRow = first;
    if (second !== lowerRow && second !== first) {
      stretchRow(data, second * width * channels, channels, across, lower);
      lowerRow = second;
    }
    const at = target.offset + y * target.stride;
    blendRows(upper, second === first ? upper : lower, down.weights, 2 * y, target.data, at);
  }
}

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
