/**
 * A triangle filter that shrinks RGB images (`shrink-kernel.ts` holds the image and the taps): down first, so that only the target's
 * rows are filtered across. Weights have 14 bits, a number of a filtered row 7 bits beyond its byte, so that both fit 16 signed bits.
 *
 * By hand: rows of 100 and 200, half of each: (64 + 100 · 8192 + 200 · 8192) >> 7 = 19200, which is 150 of 7 bits more; two such
 * pixels, half of each: (2^20 + 2 · 19200 · 8192) >> 21 = 150.
 */
import { firstPairs, lastPairs } from "./pairs.ts";
import { rowBits, weightBits } from "./shrink-bits.ts";

/**
 * Filters rows down: the weighted sum of rows of bytes as numbers of 16 bits from `out` to `outEnd`, 16 a step. From `taps` to
 * `end` lie, for every two rows, both addresses and a pair of weights.
 */
export function filterDown(taps: usize, end: usize, out: usize, outEnd: usize): void {
  const half = i32x4.splat(1 << (weightBits - rowBits - 1));
  let offset: usize = 0;
  while (out < outEnd) {
    let a = half;
    let b = half;
    let c = half;
    let d = half;
    for (let tap = taps; tap < end; tap += 12) {
      const above = load<usize>(tap) + offset;
      const below = load<usize>(tap, 4) + offset;
      const weights = v128.load32_splat(tap, 8);
      let first = v128.load8x8_u(above);
      let second = v128.load8x8_u(below);
      a = i32x4.add(a, i32x4.dot_i16x8_s(firstPairs(first, second), weights));
      b = i32x4.add(b, i32x4.dot_i16x8_s(lastPairs(first, second), weights));
      first = v128.load8x8_u(above, 8);
      second = v128.load8x8_u(below, 8);
      c = i32x4.add(c, i32x4.dot_i16x8_s(firstPairs(first, second), weights));
      d = i32x4.add(d, i32x4.dot_i16x8_s(lastPairs(first, second), weights));
    }
    v128.store(out, cutToHalves(a, b));
    v128.store(out, cutToHalves(c, d), 16);
    out += 32;
    offset += 16;
  }
}

/**
 * Filters a row across: for each target pixel from `tap` to `end` its sum over its taps as three bytes from `out` on. A target pixel
 * has the address that it reads from, then `span` bytes of pairs of weights. At `starts` lies what the sums of R, G and B begin with.
 */
export function filterAcross(tap: usize, end: usize, span: usize, starts: usize, out: usize): void {
  const start = v128.load(starts);
  while (tap < end) {
    let at = load<usize>(tap);
    tap += 4;
    const stop = tap + span;
    let sum = start;
    while (tap < stop) {
      const row = v128.load(at);
      // Two pixels, R G B R G B of 16 bits, as pairs R R, G G, B B; what comes behind meets no store.
      const pixels = v128.shuffle<u8>(row, row, 0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, 12, 13, 14, 15);
      sum = i32x4.add(sum, i32x4.dot_i16x8_s(pixels, v128.load32_splat(tap)));
      tap += 4;
      at += 12;
    }
    const halves = i16x8.narrow_i32x4_s(i32x4.shr_s(sum, weightBits + rowBits), i32x4.splat(0));
    store<i32>(out, i32x4.extract_lane(i8x16.narrow_i16x8_u(halves, i32x4.splat(0)), 0));
    out += 3;
  }
}

function cutToHalves(a: v128, b: v128): v128 {
  const bits = weightBits - rowBits;
  return i16x8.narrow_i32x4_s(i32x4.shr_s(a, bits), i32x4.shr_s(b, bits));
}
