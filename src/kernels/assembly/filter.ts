/**
 * The two passes of Pillow's resize of RGB images (`filter-kernel.ts` holds the rows and the taps). A coefficient of 22 bits is split
 * into its lower 15 bits and the rest, so that two products of 16 bits are added in one instruction:
 *
 *   sum = (half + Σ pixel · lower) + ((Σ pixel · upper) << 15), cut by 22 bits to a byte
 *
 * By hand: a pixel of 200 with the coefficient 2^21 (a half): lower 0, upper 64; (2^21 + 0) + (200 · 64 << 15) = 421527552, cut
 * by 22 bits: 100.
 */
import { firstPairs, lastPairs } from "./pairs.ts";

const lowerBits = 15;
const sumBits = 22;

/**
 * Filters a row across: for each target pixel from `tap` to `end` its sum over its taps as three bytes from `out` on. A target
 * pixel has the address that it reads from, then `span` bytes: for every two taps a pair of lower and one of upper parts.
 */
export function filterAcross(tap: usize, end: usize, span: usize, out: usize): void {
  while (tap < end) {
    let at = load<usize>(tap);
    tap += 4;
    const stop = tap + span;
    let lower = i32x4.splat(1 << (sumBits - 1));
    let upper = i32x4.splat(0);
    while (tap < stop) {
      const bytes = v128.load64_zero(at);
      // Two pixels, R G B R G B, as pairs R R, G G, B B of 16 bits each; byte 8 is a zero.
      const pixels = v128.shuffle<u8>(bytes, bytes, 0, 8, 3, 8, 1, 8, 4, 8, 2, 8, 5, 8, 8, 8, 8, 8);
      lower = i32x4.add(lower, i32x4.dot_i16x8_s(pixels, v128.load32_splat(tap)));
      upper = i32x4.add(upper, i32x4.dot_i16x8_s(pixels, v128.load32_splat(tap, 4)));
      tap += 8;
      at += 6;
    }
    const sums = wholeOf(lower, upper);
    const halves = i16x8.narrow_i32x4_s(sums, i32x4.splat(0));
    store<i32>(out, i32x4.extract_lane(i8x16.narrow_i16x8_u(halves, i32x4.splat(0)), 0));
    out += 3;
  }
}

/**
 * Filters rows down: the weighted sum of rows of bytes to bytes from `out` to `outEnd`, 16 a step. From `taps` to `end` lie, for
 * every two rows, both addresses, a pair of lower and one of upper parts.
 */
export function filterDown(taps: usize, end: usize, out: usize, outEnd: usize): void {
  const half = i32x4.splat(1 << (sumBits - 1));
  let offset: usize = 0;
  while (out < outEnd) {
    let lowerA = half;
    let lowerB = half;
    let lowerC = half;
    let lowerD = half;
    let upperA = i32x4.splat(0);
    let upperB = i32x4.splat(0);
    let upperC = i32x4.splat(0);
    let upperD = i32x4.splat(0);
    for (let tap = taps; tap < end; tap += 16) {
      const lower = v128.load32_splat(tap, 8);
      const upper = v128.load32_splat(tap, 12);
      const above = load<usize>(tap) + offset;
      const below = load<usize>(tap, 4) + offset;
      let first = v128.load8x8_u(above);
      let second = v128.load8x8_u(below);
      let pairs = firstPairs(first, second);
      lowerA = i32x4.add(lowerA, i32x4.dot_i16x8_s(pairs, lower));
      upperA = i32x4.add(upperA, i32x4.dot_i16x8_s(pairs, upper));
      pairs = lastPairs(first, second);
      lowerB = i32x4.add(lowerB, i32x4.dot_i16x8_s(pairs, lower));
      upperB = i32x4.add(upperB, i32x4.dot_i16x8_s(pairs, upper));
      first = v128.load8x8_u(above, 8);
      second = v128.load8x8_u(below, 8);
      pairs = firstPairs(first, second);
      lowerC = i32x4.add(lowerC, i32x4.dot_i16x8_s(pairs, lower));
      upperC = i32x4.add(upperC, i32x4.dot_i16x8_s(pairs, upper));
      pairs = lastPairs(first, second);
      lowerD = i32x4.add(lowerD, i32x4.dot_i16x8_s(pairs, lower));
      upperD = i32x4.add(upperD, i32x4.dot_i16x8_s(pairs, upper));
    }
    const firstEight = i16x8.narrow_i32x4_s(wholeOf(lowerA, upperA), wholeOf(lowerB, upperB));
    const lastEight = i16x8.narrow_i32x4_s(wholeOf(lowerC, upperC), wholeOf(lowerD, upperD));
    v128.store(out, i8x16.narrow_i16x8_u(firstEight, lastEight));
    out += 16;
    offset += 16;
  }
}

function wholeOf(lower: v128, upper: v128): v128 {
  return i32x4.shr_s(i32x4.add(lower, i32x4.shl(upper, lowerBits)), sumBits);
}
