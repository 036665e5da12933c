/**
 * Counter-based random numbers: any draw can be computed from its coordinates alone, without the draws before it.
 *
 * The generator is Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a block of
 * four 32-bit words out of a counter of four words and a key of two. Words are laid out as
 *
 *   key     = [seed mod 2^32, floor(seed / 2^32)]                 seed: an integer, 0 … 2^53 - 1
 *   counter = [block, stream, index, epoch]                      block: 0, 1, 2, … within one CounterRandom
 *
 * and read from a block in the order 0, 1, 2, 3. Stream 2^32 - 1 is kept for `epochOrder`.
 */

const orderStream = 0xffffffff;

/**
 * The random numbers that belong to (seed, epoch, index, stream). Two objects of the same coordinates give the same
 * numbers; a different value in any one coordinate gives independent ones.
 *
 * `seed` is an integer of 0 … 2^53 - 1; `epoch`, `index` and `stream` are unsigned 32-bit integers, `stream` below
 * 2^32 - 1 (name one per purpose, so that a new draw for one purpose never shifts another). Words come from the
 * blocks described at the top of this file; each method says how many words it takes. A RangeError for other values.
 */
export class CounterRandom {
  readonly #key: PhiloxKey;
  readonly #epoch: number;
  readonly #index: number;
  readonly #stream: number;
  readonly #words = new Uint32Array(4);
  #block = 0;
  #next = 4;

  constructor(seed: number, epoch: number, index: number, stream: number) {
    checkSeed(seed);
    checkWord("an epoch", epoch);
    checkWord("an index", index);
    checkWord("a stream", stream);
    if (stream === orderStream) throw new RangeError("stream 2^32 - 1 is kept for the order of an epoch");
    this.#key = keyOf(seed);
    this.#epoch = epoch;
    this.#index = index;
    this.#stream = stream;
  }

  /** The next word: an integer of 0 … 2^32 - 1. One word. */
  uint32(): number {
    if (this.#next === 4) {
      philox4x32(this.#block++, this.#stream, this.#index, this.#epoch, this.#key, this.#words);
      this.#next = 0;
    }
    return this.#words[this.#next++]!;
  }

  /** A multiple of 2^-53 in [0, 1): (a · 2^26 + b) / 2^53 with a = word >>> 5, then b = word >>> 6. Two words. */
  float(): number {
    const high = this.uint32() >>> 5;
    return (high * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
  }

  /**
   * An integer of 0 … n - 1, all equally likely; n is an integer of 1 … 2^53 - 1. Up to n = 2^32 it takes words until
   * one is below the largest multiple of n in 2^32, and gives that word modulo n; above, the same with 53-bit integers
   * made of two words as in `float`.
   */
  below(n: number): number {
    if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`expected an integer of 1 … 2^53 - 1, got ${n}`);
    if (n <= 2 ** 32) {
      const limit = 2 ** 32 - (2 ** 32 % n);
      for (;;) {
        const word = this.uint32();
        if (word < limit) return word % n;
      }
    }
    const limit = 2 ** 53 - (2 ** 53 % n);
    for (;;) {
      const draw = this.float() * 2 ** 53;
      if (draw < limit) return draw % n;
    }
  }

  /** One element, all equally likely: values[below(length)]. Throws a RangeError where there are none. */
  pick<T>(values: readonly T[]): T {
    if (values.length === 0) throw new RangeError("cannot pick from an empty list");
    return values[this.below(values.length)] as T;
  }

  /** Puts `values` in random order in place and returns it: for i = 0, 1, … swaps i with i + below(length - i). */
  shuffle<T>(values: T[]): T[] {
    for (let i = 0; i < values.length - 1; i++) {
      const j = i + this.below(values.length - i);
      const moved = values[j] as T;
      values[j] = values[i] as T;
      values[i] = moved;
    }
    return values;
  }

  /**
   * k distinct integers of 0 … n - 1 in random order: the first k of `shuffle` applied to 0 … n - 1, in memory that
   * grows with k only. Throws a RangeError unless k is an integer of 0 … n.
   */
  sample(n: number, k: number): number[] {
    if (!Number.isSafeInteger(n) || !Number.isInteger(k) || k < 0 || k > n) {
      throw new RangeError(`cannot draw ${k} distinct integers below ${n}`);
    }
    const drawn: number[] = [];
    const moved = new Map<number, number>();
    for (let i = 0; i < k; i++) {
      const j = n - i === 1 ? i : i + this.below(n - i);
      drawn.push(moved.get(j) ?? j);
      moved.set(j, moved.get(i) ?? i);
    }
    return drawn;
  }

  /**
   * An index drawn with probability weights[index] / sum: the first whose running sum exceeds float() · sum. Never
   * one of weight 0. Throws a RangeError where a weight is negative or not finite, or where all are 0. Two words.
   */
  weighted(weights: ArrayLike<number>): number {
    let sum = 0;
    let last = -1;
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i]!;
      if (!(weight >= 0)) throw new RangeError(`weight ${i} must be 0 or more, got ${weight}`);
      if (weight > 0) last = i;
      sum += weight;
    }
    if (last < 0 || sum === Number.POSITIVE_INFINITY) {
      throw new RangeError(`weights must have a finite sum above 0, got ${sum} over ${weights.length}`);
    }
    const goal = this.float() * sum;
    let running = 0;
    for (let i = 0; i < last; i++) {
      running += weights[i]!;
      if (running > goal) return i;
    }
    return last;
  }

  /** A draw of the standard normal distribution, by Box and Muller: √(-2 ln(1 - u)) · cos(2πv), u before v. Four words. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    return radius * Math.cos(2 * Math.PI * this.float());
  }
}

/**
 * The order of an epoch: a permutation of 0 … n - 1 that depends on (seed, epoch, n) alone. Item i gets a key of
 * 52 bits out of the block at counter [i, 2^32 - 1, 0, epoch] under the key of `seed`:
 *
 *   key(i) = (word0 >>> 6) · 2^26 + (word1 >>> 6)
 *
 * and items are sorted by key, equal keys by i (NumPy: `np.argsort(keys, kind="stable")`). `seed` is an integer of
 * 0 … 2^53 - 1, `epoch` and `n` are unsigned 32-bit integers; a RangeError for others. O(n), 16 bytes an item.
 */
export function epochOrder(seed: number, epoch: number, n: number): Uint32Array {
  checkSeed(seed);
  checkWord("an epoch", epoch);
  checkWord("a number of items", n);
  const high = new Uint32Array(n);
  const low = new Uint32Array(n);
  const words = new Uint32Array(4);
  const key = keyOf(seed);
  let order = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    philox4x32(i, orderStream, 0, epoch, key, words);
    high[i] = words[0]! >>> 6;
    low[i] = words[1]! >>> 6;
    order[i] = i;
  }
  let spare = new Uint32Array(n);
  for (const [keys, shift] of [
    [low, 0],
    [low, 13],
    [high, 0],
    [high, 13],
  ] as const) {
    sortByDigit(keys, shift, order, spare);
    [order, spare] = [spare, order];
  }
  return order;
}

/** One stable pass of a radix sort: writes `order`, sorted by 13 bits of its keys, to `sorted`. */
function sortByDigit(keys: Uint32Array, shift: number, order: Uint32Array, sorted: Uint32Array): void {
  const ends = new Uint32Array(8193);
  for (let i = 0; i < keys.length; i++) ends[((keys[i]! >>> shift) & 8191) + 1]!++;
  for (let digit = 1; digit < ends.length; digit++) ends[digit]! += ends[digit - 1]!;
  for (let i = 0; i < order.length; i++) {
    const item = order[i]!;
    const digit = (keys[item]! >>> shift) & 8191;
    sorted[ends[digit]!++] = item;
  }
}

/**
 * Philox4x32-10: fills `out` with the four words of the block at counter [block, stream, index, epoch] under `key`, all
 * of them unsigned 32-bit integers. Checked against the known answers of the Random123 library. The counter's words come
 * one by one, since an array for each generator makes opening one 1.4 times as slow.
 */
export function philox4x32(
  block: number,
  stream: number,
  index: number,
  epoch: number,
  key: PhiloxKey,
  out: Uint32Array,
): void {
  let c0 = block;
  let c1 = stream;
  let c2 = index;
  let c3 = epoch;
  let k0 = key.low;
  let k1 = key.high;
  for (let round = 0; round < 10; round++) {
    const high0 = upperProduct(0xd251, 0x1f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = upperProduct(0xcd9e, 0x8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** The upper 32 bits of the 64-bit product of (high · 2^16 + low) and `value`. */
function upperProduct(high: number, low: number, value: number): number {
  const valueLow = value & 0xffff;
  const valueHigh = value >>> 16;
  const carry = Math.imul(low, valueLow) >>> 16;
  const middle = (Math.imul(high, valueLow) >>> 0) + carry;
  const other = (Math.imul(low, valueHigh) >>> 0) + (middle & 0xffff);
  return (Math.imul(high, valueHigh) + Math.floor(middle / 65536) + Math.floor(other / 65536)) | 0;
}

/** A seed's halves, as laid out above. */
export interface PhiloxKey {
  readonly low: number;
  readonly high: number;
}

function keyOf(seed: number): PhiloxKey {
  return { low: seed >>> 0, high: Math.floor(seed / 2 ** 32) };
}

function checkSeed(seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`a seed must be an integer of 0 … 2^53 - 1, got ${String(seed)}`);
  }
}

function checkWord(what: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new RangeError(`${what} must be an integer of 0 … 2^32 - 1, got ${String(value)}`);
  }
}
