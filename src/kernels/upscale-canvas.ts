/**
 * Scales a square canvas up as the released NeMo loader does: OpenCV's warpAffine by a pure scale, which puts pixel i
 * of the result at i · from / to (no half-pixel shift, unlike a resize). Equal to OpenCV's uint8 code bit for bit:
 * positions in 1/32 of a pixel, weights of 15 bits, taps outside the canvas read a border colour.
 *
 * Source of the arithmetic: OpenCV's imgwarp.cpp (warpAffine, initInterTab2D, remapBicubic, remapBilinear); the cubic
 * is Keys' with A = -0.75.
 */

/** Cubic, for pixels: `src` is uint8 [from, from, 3]; writes [to, to, 3] into `out` from `offset` on. */
export function upscaleCubic(
  src: Uint8Array,
  from: number,
  to: number,
  border: readonly [number, number, number],
  out: Uint8Array,
  offset: number,
): void {
  checkRooms(src.length, from * from * 3, out.length - offset, to * to * 3);
  const weights = cubicWeights();
  const positions = subPixelPositions(from, to);
  let at = offset;
  for (let y = 0; y < to; y++) {
    const top = (positions[y]! >> subPixelBits) - 1;
    const rowWeights = (positions[y]! & subPixelMask) * subPixels * 16;
    for (let x = 0; x < to; x++, at += 3) {
      const left = (positions[x]! >> subPixelBits) - 1;
      const w = rowWeights + (positions[x]! & subPixelMask) * 16;
      for (let channel = 0; channel < 3; channel++) {
        const outside = border[channel]!;
        let sum = outside * one;
        for (let i = 0; i < 4; i++) {
          const row = top + i;
          if (row < 0 || row >= from) continue;
          for (let j = 0; j < 4; j++) {
            const column = left + j;
            if (column < 0 || column >= from) continue;
            sum += (src[(row * from + column) * 3 + channel]! - outside) * weights[w + i * 4 + j]!;
          }
        }
        const value = (sum + half) >> coefficientBits;
        out[at + channel] = value < 0 ? 0 : Math.min(value, 255);
      }
    }
  }
}

/** Linear, for masks of 0 and 1 [from, from]; outside is 0. Writes [to, to] of 0 and 1 into `out` from `offset` on. */
export function upscaleMask(src: Uint8Array, from: number, to: number, out: Uint8Array, offset: number): void {
  checkRooms(src.length, from * from, out.length - offset, to * to);
  const positions = subPixelPositions(from, to);
  const at = (row: number, column: number): number => (row < from && column < from ? src[row * from + column]! : 0);
  for (let y = 0; y < to; y++) {
    const row = positions[y]! >> subPixelBits;
    const down = positions[y]! & subPixelMask;
    for (let x = 0; x < to; x++) {
      const column = positions[x]! >> subPixelBits;
      const across = positions[x]! & subPixelMask;
      const upper = at(row, column) * (subPixels - across) + at(row, column + 1) * across;
      const lower = at(row + 1, column) * (subPixels - across) + at(row + 1, column + 1) * across;
      const sum = upper * (subPixels - down) + lower * down;
      out[offset + y * to + x] = 2 * sum >= subPixels * subPixels ? 1 : 0;
    }
  }
}

const subPixelBits = 5;
const subPixels = 32;
const subPixelMask = 31;
const coefficientBits = 15;
const one = 1 << coefficientBits;
const half = one >> 1;

/** Where each pixel of the result reads, in 1/32 of a pixel. */
function subPixelPositions(from: number, to: number): Int32Array {
  const scale = from / to;
  return Int32Array.from({ length: to }, (_, at) => (roundToEven(scale * at * 1024) + 16) >> 5);
}

let knownWeights: Int16Array | undefined;

/** For each of 32 × 32 fractions (down, across) the 4 × 4 weights, which add up to 2^15. */
function cubicWeights(): Int16Array {
  if (knownWeights !== undefined) return knownWeights;
  const table = new Int16Array(subPixels * subPixels * 16);
  const lines = Array.from({ length: subPixels }, (_, at) => cubicLine(at / subPixels));
  for (let i = 0; i < subPixels; i++) {
    for (let j = 0; j < subPixels; j++) {
      const start = (i * subPixels + j) * 16;
      let sum = 0;
      for (let k = 0; k < 16; k++) {
        const product = Math.fround(lines[i]![k >> 2]! * lines[j]![k & 3]!);
        table[start + k] = Math.min(32767, roundToEven(product * one));
        sum += table[start + k]!;
      }
      settle(table, start, sum - one);
    }
  }
  knownWeights = table;
  return table;
}

/** What rounding left over goes to the largest or smallest of the four weights from the middle on. */
function settle(table: Int16Array, start: number, excess: number): void {
  if (excess === 0) return;
  let [largest, smallest] = [start + 10, start + 10];
  for (const k of [10, 11, 14, 15]) {
    if (table[start + k]! < table[smallest]!) smallest = start + k;
    else if (table[start + k]! > table[largest]!) largest = start + k;
  }
  const place = excess < 0 ? largest : smallest;
  table[place] = table[place]! - excess;
}

/** Exact in single precision for multiples of 1/32. */
function cubicLine(x: number): [number, number, number, number] {
  const a = -0.75;
  const first = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
  const second = ((a + 2) * x - (a + 3)) * x * x + 1;
  const third = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1;
  return [first, second, third, 1 - first - second - third];
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function checkRooms(source: number, wanted: number, room: number, needed: number): void {
  if (source < wanted || room < needed)
    throw new RangeError(`expected ${wanted} values and room for ${needed}, got ${source} and ${room}`);
}
