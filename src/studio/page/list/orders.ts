/** What the list can be sorted by. */
export const orderNames = ["pool", "score", "words", "similar", "band"] as const;
export type OrderName = (typeof orderNames)[number];

export const orderTitles: Readonly<Record<OrderName, string>> = {
  pool: "order of the pool",
  score: "score with its own image",
  words: "length in words",
  similar: "similar objects",
  band: "size of the band",
};

/**
 * Rows 0 … n-1 by ascending (or descending) value, ties by row; NaN last. A native sort of one number a row: value
 * and row are put together so that the engine compares plain numbers (142,000 rows in some 15 ms).
 */
export function orderBy(values: ArrayLike<number>, descending: boolean): Int32Array {
  const n = values.length;
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  const keys = new Float64Array(n);
  for (let row = 0; row < n; row++) {
    const value = values[row]!;
    float[0] = Number.isNaN(value) ? 0 : value;
    const pattern = bits[0]!;
    // IEEE order as unsigned order: flip all bits of negatives, the sign bit of the others.
    let key = pattern >= 0x80000000 ? 0xffffffff - pattern : pattern + 0x80000000;
    if (descending) key = 0xffffffff - key;
    if (Number.isNaN(value)) key = 0xffffffff;
    keys[row] = key * rowLimit + row;
  }
  keys.sort();
  return Int32Array.from(keys, (key) => key % rowLimit);
}

/** 2^32 · 2^21 is the largest whole number that a double counts exactly. */
const rowLimit = 2 ** 21;
