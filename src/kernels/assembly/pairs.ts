/** Of eight numbers of 16 bits from each of two rows, the first four of either as pairs. */
export function firstPairs(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
}

/** As `firstPairs`, the last four. */
export function lastPairs(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
}
