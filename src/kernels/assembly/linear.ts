/**
 * OpenCV's bilinear resize of RGB rows, in whole numbers (`linear-kernel.ts` holds the rows and the taps):
 *
 *   stretch   a row across: pixel a · weight a + pixel b · weight b, weights of 11 bits, cut by 4 bits
 *   blend     two stretched rows: each · weight, cut by 16 bits; added, rounded, cut by 2 bits to a byte
 *
 * By hand: pixels 100 and 200, half of each: (100 · 1024 + 200 · 1024) >> 4 = 19200; two such rows, half of each:
 * 19200 · 1024 >> 16 = 300; (300 + 300 + 2) >> 2 = 150.
 */

/**
 * Stretches a row: for each tap from `tap` to `end` (12 bytes: the addresses of two pixels, two weights of 16 bits) three
 * numbers of 32 bits from `out` on.
 */
export function stretch(tap: usize, end: usize, out: usize): void {
  while (tap < end) {
    const a = v128.load32_zero(load<usize>(tap));
    const b = v128.load32_zero(load<usize>(tap, 4));
    // R R, G G, B B of 16 bits each; byte 4 is a zero.
    const pairs = v128.shuffle<u8>(a, b, 0, 4, 16, 4, 1, 4, 17, 4, 2, 4, 18, 4, 4, 4, 4, 4);
    const weights = v128.load32_splat(tap, 8);
    v128.store(out, i32x4.shr_s(i32x4.dot_i16x8_s(pairs, weights), 4));
    tap += 12;
    out += 12;
  }
}

/** Blends the stretched rows at `upper` and `lower` into bytes from `out` to `end`, 16 a step. */
export function blend(upper: usize, lower: usize, above: i32, below: i32, out: usize, end: usize): void {
  const weightAbove = i32x4.splat(above);
  const weightBelow = i32x4.splat(below);
  while (out < end) {
    const a = blendFour(upper, lower, weightAbove, weightBelow);
    const b = blendFour(upper + 16, lower + 16, weightAbove, weightBelow);
    const c = blendFour(upper + 32, lower + 32, weightAbove, weightBelow);
    const d = blendFour(upper + 48, lower + 48, weightAbove, weightBelow);
    v128.store(out, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
    upper += 64;
    lower += 64;
    out += 16;
  }
}

function blendFour(upper: usize, lower: usize, weightAbove: v128, weightBelow: v128): v128 {
  const above = i32x4.shr_s(i32x4.mul(v128.load(upper), weightAbove), 16);
  const below = i32x4.shr_s(i32x4.mul(v128.load(lower), weightBelow), 16);
  return i32x4.shr_s(i32x4.add(i32x4.add(above, below), i32x4.splat(2)), 2);
}
