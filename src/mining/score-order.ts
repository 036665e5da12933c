const minusZero = 0x8000_0000;

/** Sorts scores by their bits: a radix sort, its buffers taken once for at most `capacity` scores. */
export class ScoreOrder {
  readonly #keys: Uint32Array;
  readonly #counts = new Uint32Array(1024);
  readonly #places: readonly [Uint32Array, Uint32Array];

  constructor(capacity: number) {
    this.#keys = new Uint32Array(capacity);
    this.#places = [new Uint32Array(capacity), new Uint32Array(capacity)];
  }

  /**
   * Places of the `length` scores with these bits (float32), largest first, equal ones in order, both zeros equal; valid until
   * the next call. Four passes, of which those are left out in which all scores agree.
   */
  of(bits: Uint32Array, length: number): Uint32Array {
    const keys = this.#keys;
    const counts = this.#counts.fill(0);
    for (let at = 0; at < length; at++) {
      const value = bits[at] as number;
      // Ascends as the score descends; both zeros are one.
      const key = value > minusZero ? value : minusZero - 1 - (value === minusZero ? 0 : value);
      keys[at] = key;
      increment(counts, key & 255);
      increment(counts, 256 + ((key >>> 8) & 255));
      increment(counts, 512 + ((key >>> 16) & 255));
      increment(counts, 768 + (key >>> 24));
    }
    let [from, to] = this.#places;
    for (let at = 0; at < length; at++) from[at] = at;
    for (let pass = 0; pass < 4; pass++) {
      const [base, shift] = [pass * 256, pass * 8];
      if (length > 0 && counts[base + (((keys[0] as number) >>> shift) & 255)] === length) continue;
      let sum = 0;
      for (let digit = base; digit < base + 256; digit++) {
        const count = counts[digit] as number;
        counts[digit] = sum;
        sum += count;
      }
      for (let at = 0; at < length; at++) {
        const place = from[at] as number;
        const digit = base + (((keys[place] as number) >>> shift) & 255);
        to[counts[digit] as number] = place;
        counts[digit] = (counts[digit] as number) + 1;
      }
      [from, to] = [to, from];
    }
    return from;
  }
}

function increment(counts: Uint32Array, at: number): void {
  counts[at] = (counts[at] as number) + 1;
}
