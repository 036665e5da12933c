import type { ScoreBlock } from "./scorer.ts";
import { createSelectionKernel, listCapacity, listHeaderBytes, type SelectionKernel } from "./selection-kernel.ts";

/**
 * Running top lists for a fixed number of rows: each keeps the `depth` best (score, id), ties by the smaller id.
 * Candidates must be offered in ascending order of id, each once; scores that are not numbers are never kept. Lists
 * and the score blocks live in one WebAssembly memory, so that nothing is copied in between.
 */
export class Selection {
  /** Places for score blocks of `blockFloats` numbers each: blocks that lie here are offered without a copy. */
  readonly blocks: readonly Float32Array[];
  readonly #depth: number;
  readonly #capacity: number;
  readonly #kernel: SelectionKernel;
  readonly #rows: number;
  readonly #copied: Float32Array;
  readonly #keys: Uint32Array;
  readonly #counts = new Uint32Array(1024);
  readonly #places: readonly [Uint32Array, Uint32Array];

  constructor(rows: number, depth: number, blockCount = 0, blockFloats = 0) {
    this.#depth = depth;
    this.#rows = rows;
    this.#capacity = listCapacity(depth);
    const start = rows * this.#stride;
    this.#kernel = createSelectionKernel(start + (copiedFloats + blockCount * blockFloats) * 4);
    const { buffer } = this.#kernel.memory;
    this.#copied = new Float32Array(buffer, start, copiedFloats);
    this.blocks = Array.from(
      { length: blockCount },
      (_, at) => new Float32Array(buffer, start + (copiedFloats + at * blockFloats) * 4, blockFloats),
    );
    this.#keys = new Uint32Array(this.#capacity);
    this.#places = [new Uint32Array(this.#capacity), new Uint32Array(this.#capacity)];
    this.reset();
  }

  get #stride(): number {
    return listHeaderBytes + this.#capacity * 8;
  }

  /** Forgets everything offered so far. */
  reset(): void {
    const view = new DataView(this.#kernel.memory.buffer);
    for (let row = 0; row < this.#rows; row++) {
      view.setInt32(row * this.#stride, 0, true);
      view.setFloat32(row * this.#stride + 4, Number.NEGATIVE_INFINITY, true);
    }
  }

  /** Offers row `blockRow` of a block, its first `valid` columns, to list `row`; column c has id `firstId` + c. */
  offer(row: number, block: ScoreBlock, blockRow: number, valid: number, firstId: number): void {
    const { scores, columns } = block;
    const start = blockRow * columns;
    const list = row * this.#stride;
    if (scores.buffer === this.#kernel.memory.buffer) {
      this.#kernel.offer(list, this.#capacity, this.#depth, scores.byteOffset + start * 4, valid, firstId);
      return;
    }
    for (let at = 0; at < valid; at += copiedFloats) {
      const count = Math.min(copiedFloats, valid - at);
      this.#copied.set(scores.subarray(start + at, start + at + count));
      this.#kernel.offer(list, this.#capacity, this.#depth, this.#copied.byteOffset, count, firstId + at);
    }
  }

  /** Replaces row `row` of `block` by its mean with row `otherRow` of `other`; both must lie in `blocks`. */
  average(block: ScoreBlock, row: number, other: ScoreBlock, otherRow: number): void {
    const { columns } = block;
    const [to, from] = [row * columns, otherRow * columns];
    const whole = columns & ~3;
    this.#kernel.mean(block.scores.byteOffset + to * 4, other.scores.byteOffset + from * 4, whole);
    for (let at = whole; at < columns; at++) {
      block.scores[to + at] = Math.fround((block.scores[to + at] as number) + (other.scores[from + at] as number)) / 2;
    }
  }

  /** Writes list `row`, best first, to `ids` and `scores` at `offset`; returns its length (at most the depth). */
  finish(row: number, ids: Int32Array, scores: Float32Array, offset: number): number {
    const list = row * this.#stride;
    const { buffer } = this.#kernel.memory;
    this.#kernel.cut(list, this.#capacity, this.#depth);
    const length = new Int32Array(buffer, list, 1)[0] as number;
    const foundScores = new Float32Array(buffer, list + listHeaderBytes, this.#capacity);
    const foundBits = new Uint32Array(buffer, list + listHeaderBytes, this.#capacity);
    const foundIds = new Int32Array(buffer, list + listHeaderBytes + this.#capacity * 4, this.#capacity);
    const order = this.#order(foundBits, length);
    const kept = Math.min(length, this.#depth);
    for (let at = 0; at < kept; at++) {
      const place = order[at] as number;
      ids[offset + at] = foundIds[place] as number;
      scores[offset + at] = foundScores[place] as number;
    }
    return kept;
  }

  /**
   * Places of the scores with these bits, largest first, equal ones in order: a radix sort of four passes, of which
   * those are left out in which all scores agree.
   */
  #order(bits: Uint32Array, length: number): Uint32Array {
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

const copiedFloats = 4096;
const minusZero = 0x8000_0000;

function increment(counts: Uint32Array, at: number): void {
  counts[at] = (counts[at] as number) + 1;
}
