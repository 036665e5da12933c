import type { ScoreBlock } from "./scorer.ts";

/**
 * Running top lists for a fixed number of rows: each keeps the `depth` best (score, id), ties by the smaller id.
 * Candidates must be offered in ascending order of id, each once. A row's buffer holds up to twice the depth and is
 * cut back when full, so that an offer costs one comparison per group of columns once the threshold has risen.
 */
export class Selection {
  readonly #depth: number;
  readonly #capacity: number;
  readonly #scores: Float32Array;
  readonly #ids: Int32Array;
  readonly #lengths: Int32Array;
  readonly #thresholds: Float32Array;

  constructor(rows: number, depth: number) {
    this.#depth = depth;
    this.#capacity = Math.max(depth * 2, depth + 64);
    this.#scores = new Float32Array(rows * this.#capacity);
    this.#ids = new Int32Array(rows * this.#capacity);
    this.#lengths = new Int32Array(rows);
    this.#thresholds = new Float32Array(rows).fill(Number.NEGATIVE_INFINITY);
  }

  /** Forgets everything offered so far. */
  reset(): void {
    this.#lengths.fill(0);
    this.#thresholds.fill(Number.NEGATIVE_INFINITY);
  }

  /** Offers row `blockRow` of a block, its first `valid` columns, to list `row`; column c has id `firstId` + c. */
  offer(row: number, block: ScoreBlock, blockRow: number, valid: number, firstId: number): void {
    const start = blockRow * block.columns;
    if (block.peaks === undefined || block.group === undefined) {
      this.#scan(row, block.scores, start, start + valid, firstId - start);
      return;
    }
    const { peaks, group } = block;
    const peakStart = (blockRow * block.columns) / group;
    const groups = Math.ceil(valid / group);
    for (let at = 0; at < groups; at++) {
      // Equal to the threshold cannot win: its id is larger than every id seen.
      if ((peaks[peakStart + at] as number) > (this.#thresholds[row] as number)) {
        const from = start + at * group;
        this.#scan(row, block.scores, from, Math.min(from + group, start + valid), firstId - start);
      }
    }
  }

  /** Writes list `row`, best first, to `ids` and `scores` at `offset`; returns its length (at most the depth). */
  finish(row: number, ids: Int32Array, scores: Float32Array, offset: number): number {
    const base = row * this.#capacity;
    const length = this.#lengths[row] as number;
    const order = Array.from({ length }, (_, at) => base + at);
    order.sort((a, b) => (this.#scores[b] as number) - (this.#scores[a] as number) || (this.#ids[a] as number) - (this.#ids[b] as number));
    const kept = Math.min(length, this.#depth);
    for (let at = 0; at < kept; at++) {
      ids[offset + at] = this.#ids[order[at] as number] as number;
      scores[offset + at] = this.#scores[order[at] as number] as number;
    }
    return kept;
  }

  #scan(row: number, scores: Float32Array, from: number, to: number, idOffset: number): void {
    const base = row * this.#capacity;
    const end = base + this.#capacity;
    let threshold = this.#thresholds[row] as number;
    let next = base + (this.#lengths[row] as number);
    for (let at = from; at < to; at++) {
      const score = scores[at] as number;
      if (score > threshold) {
        this.#scores[next] = score;
        this.#ids[next] = at + idOffset;
        if (++next === end) {
          threshold = this.#cut(base, this.#capacity);
          next = base + this.#depth;
        }
      }
    }
    this.#thresholds[row] = threshold;
    this.#lengths[row] = next - base;
  }

  /** Keeps the best `depth` of `length` entries in the order they came, and returns the smallest score kept. */
  #cut(base: number, length: number): number {
    const scores = this.#scores;
    const ids = this.#ids;
    const smallest = nthLargest(scores.slice(base, base + length), this.#depth);
    let above = 0;
    for (let at = base; at < base + length; at++) if ((scores[at] as number) > smallest) above++;
    let ties = this.#depth - above; // entries came in ascending id: the first ties are the smaller ids
    let write = base;
    for (let at = base; at < base + length; at++) {
      const score = scores[at] as number;
      if (score > smallest || (score === smallest && ties-- > 0)) {
        scores[write] = score;
        ids[write] = ids[at] as number;
        write++;
      }
    }
    return smallest;
  }
}

/** The n-th largest value (n from 1) by quickselect; reorders `values`. */
function nthLargest(values: Float32Array, n: number): number {
  let low = 0;
  let high = values.length - 1;
  const goal = n - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const pivot = medianOfThree(values[low] as number, values[middle] as number, values[high] as number);
    let left = low;
    let right = high;
    while (left <= right) {
      while ((values[left] as number) > pivot) left++;
      while ((values[right] as number) < pivot) right--;
      if (left <= right) {
        const swap = values[left] as number;
        values[left++] = values[right] as number;
        values[right--] = swap;
      }
    }
    if (goal <= right) high = right;
    else if (goal >= left) low = left;
    else break;
  }
  return values[goal] as number;
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
