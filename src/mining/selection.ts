import { ScoreOrder } from "./score-order.ts";
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
  readonly #order: ScoreOrder;

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
    this.#order = new ScoreOrder(this.#capacity);
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
    const order = this.#order.of(foundBits, length);
    const kept = Math.min(length, this.#depth);
    for (let at = 0; at < kept; at++) {
      const place = order[at] as number;
      ids[offset + at] = foundIds[place] as number;
      scores[offset + at] = foundScores[place] as number;
    }
    return kept;
  }
}

const copiedFloats = 4096;
