const minusZero = 0x8000_0000;
/** Entries of a bucket that are moved to their places one by one: more of them in one, and all are sorted by digits. */
const crowded = 24;

/**
 * Sorts scores by their bits, into buckets of equal width first: scores spread well, so that each holds few. Where they do not, a
 * radix sort takes a time that does not depend on the scores. Buffers are taken once for at most `capacity` scores.
 */
export class ScoreOrder {
  readonly #keys: Uint32Array;
  readonly #counts = new Uint32Array(1024);
  readonly #places: readonly [Uint32Array, Uint32Array];
  readonly #starts: Uint32Array;

  constructor(capacity: number) {
    this.#keys = new Uint32Array(capacity);
    this.#places = [new Uint32Array(capacity), new Uint32Array(capacity)];
    this.#starts = new Uint32Array(capacity + 1);
  }

  /** Places of the scores, largest first, equal ones in order, both zeros equal; valid until the next call. */
  of(scores: Float32Array): Uint32Array {
    const { length } = scores;
    const bits = new Uint32Array(scores.buffer, scores.byteOffset, length);
    const keys = this.#keys;
    let [least, most] = [0xffff_ffff, 0];
    for (let at = 0; at < length; at++) {
      const value = bits[at]!;
      // Ascends as the score descends; both zeros are one.
      const key = value > minusZero ? value : minusZero - 1 - (value === minusZero ? 0 : value);
      keys[at] = key;
      if (key < least) least = key;
      if (key > most) most = key;
    }
    return this.#inBuckets(length, least, most) ?? this.#byDigits(length);
  }

  /** As many buckets as scores; nothing where one of them holds too many. */
  #inBuckets(length: number, least: number, most: number): Uint32Array | undefined {
    const keys = this.#keys;
    const starts = this.#starts.fill(0, 0, length + 1);
    const [order, buckets] = this.#places;
    // The last key falls below `length`, since the quotient is rounded down from less than that.
    const share = (length - 0.5) / (most - least + 1);
    for (let at = 0; at < length; at++) {
      const bucket = ((keys[at]! - least) * share) >>> 0;
      buckets[at] = bucket;
      starts[bucket] = starts[bucket]! + 1;
    }
    let sum = 0;
    for (let bucket = 0; bucket < length; bucket++) {
      const count = starts[bucket]!;
      if (count > crowded) return undefined;
      starts[bucket] = sum;
      sum += count;
    }
    for (let at = 0; at < length; at++) {
      const bucket = buckets[at]!;
      order[starts[bucket]!] = at;
      starts[bucket] = starts[bucket]! + 1;
    }
    // Buckets are in order, so nothing moves out of its own; equal keys stay as they came.
    for (let at = 1; at < length; at++) {
      const place = order[at]!;
      const key = keys[place]!;
      let to = at;
      while (to > 0 && keys[order[to - 1]!]! > key) {
        order[to] = order[to - 1]!;
        to--;
      }
      order[to] = place;
    }
    return order;
  }

  /** Four passes of 8 bits, of which those are left out in which all scores agree. */
  #byDigits(length: number): Uint32Array {
    const keys = this.#keys;
    const counts = this.#counts.fill(0);
    for (let at = 0; at < length; at++) {
      const key = keys[at]!;
      increment(counts, key & 255);
      increment(counts, 256 + ((key >>> 8) & 255));
      increment(counts, 512 + ((key >>> 16) & 255));
      increment(counts, 768 + (key >>> 24));
    }
    let [from, to] = this.#places;
    for (let at = 0; at < length; at++) from[at] = at;
    for (let pass = 0; pass < 4; pass++) {
      const [base, shift] = [pass * 256, pass * 8];
      if (length > 0 && counts[base + ((keys[0]! >>> shift) & 255)] === length) continue;
      let sum = 0;
      for (let digit = base; digit < base + 256; digit++) {
        const count = counts[digit]!;
        counts[digit] = sum;
        sum += count;
      }
      for (let at = 0; at < length; at++) {
        const place = from[at]!;
        const digit = base + ((keys[place]! >>> shift) & 255);
        to[counts[digit]!] = place;
        counts[digit] = counts[digit]! + 1;
      }
      [from, to] = [to, from];
    }
    return from;
  }
}

function increment(counts: Uint32Array, at: number): void {
  counts[at] = counts[at]! + 1;
}
