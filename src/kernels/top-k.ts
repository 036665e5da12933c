/**
 * Keeps the best `capacity` of scores that come block by block, in any order of blocks. Candidates above a rising
 * threshold are appended to a buffer of twice the capacity, which is halved by quickselect whenever it is full: about
 * one comparison for each score offered. Holds 16 bytes for each place. Throws a RangeError for a capacity that is no integer of
 * 0 or more.
 */
export class TopKBuffer {
  readonly #capacity: number;
  readonly #scores: Float32Array;
  readonly #ids: Int32Array;
  #used = 0;
  // Worse than these, a candidate cannot be among the best: the last of the best `capacity` seen so far.
  #leastScore = Number.NEGATIVE_INFINITY;
  #leastId = Number.POSITIVE_INFINITY;

  constructor(capacity: number) {
    checkCount(capacity);
    this.#capacity = capacity;
    this.#scores = new Float32Array(2 * capacity + 32);
    this.#ids = new Int32Array(2 * capacity + 32);
  }

  /** How many candidates `finish` will give. */
  get size(): number {
    return Math.min(this.#used, this.#capacity);
  }

  /** Looks at scores[start] … scores[end - 1], of ids from `firstId` on; an id is offered once at most. Throws a RangeError for NaN. */
  offer(scores: Float32Array, start: number, end: number, firstId: number): void {
    if (!(start >= 0 && end <= scores.length)) {
      throw new RangeError(`expected a block within ${scores.length} scores, got ${start} to ${end}`);
    }
    if (this.#capacity === 0) return;
    let least = this.#leastScore;
    for (let i = start; i < end; i++) {
      const score = scores[i]!;
      if (score < least) continue;
      const id = firstId + (i - start);
      if (!(score > least) && !this.#isTieToKeep(score, id, i)) continue;
      this.#scores[this.#used] = score;
      this.#ids[this.#used++] = id;
      if (this.#used === this.#scores.length) {
        this.#shrink();
        least = this.#leastScore;
      }
    }
  }

  /** Writes the best, best first, to the first `size` elements of both arrays; returns how many. The buffer stays usable. */
  finish(outIds: Int32Array, outScores: Float32Array): number {
    if (this.#used > this.#capacity) this.#shrink();
    const size = this.#used;
    if (outIds.length < size || outScores.length < size) {
      throw new RangeError(`expected room for ${size} candidates, got ${Math.min(outIds.length, outScores.length)}`);
    }
    sortBest(this.#scores, this.#ids, 0, size - 1);
    outIds.set(this.#ids.subarray(0, size));
    outScores.set(this.#scores.subarray(0, size));
    return size;
  }

  /** Forgets all candidates. */
  reset(): void {
    this.#used = 0;
    this.#leastScore = Number.NEGATIVE_INFINITY;
    this.#leastId = Number.POSITIVE_INFINITY;
  }

  #isTieToKeep(score: number, id: number, at: number): boolean {
    if (Number.isNaN(score)) throw new RangeError(`score ${at} is NaN (candidate ${id})`);
    return id < this.#leastId;
  }

  #shrink(): void {
    const last = this.#capacity - 1;
    selectBest(this.#scores, this.#ids, this.#used, last);
    this.#used = this.#capacity;
    this.#leastScore = this.#scores[last]!;
    this.#leastId = this.#ids[last]!;
  }
}

/** Moves the `place` + 1 best of the first `length` to the front, the last of them to `place` (Hoare's quickselect). */
function selectBest(scores: Float32Array, ids: Int32Array, length: number, place: number): void {
  let low = 0;
  let high = length - 1;
  while (low < high) {
    const split = partition(scores, ids, low, high);
    if (place <= split) high = split;
    else low = split + 1;
  }
}

/** Quicksort, best first, with insertion for short stretches. */
function sortBest(scores: Float32Array, ids: Int32Array, from: number, to: number): void {
  let low = from;
  let high = to;
  while (high - low > 16) {
    const split = partition(scores, ids, low, high);
    // The shorter side first, so that the stack stays shallow.
    if (split - low < high - split) {
      sortBest(scores, ids, low, split);
      low = split + 1;
    } else {
      sortBest(scores, ids, split + 1, high);
      high = split;
    }
  }
  for (let i = low + 1; i <= high; i++) {
    const score = scores[i]!;
    const id = ids[i]!;
    let j = i - 1;
    while (j >= low && (scores[j]! < score || (scores[j]! === score && ids[j]! > id))) {
      scores[j + 1] = scores[j]!;
      ids[j + 1] = ids[j]!;
      j--;
    }
    scores[j + 1] = score;
    ids[j + 1] = id;
  }
}

/** Hoare's partition around the median of three: nothing in low … result is worse than anything after it. */
function partition(scores: Float32Array, ids: Int32Array, low: number, high: number): number {
  const middle = (low + high) >>> 1;
  if (isBetter(scores, ids, middle, low)) swap(scores, ids, middle, low);
  if (isBetter(scores, ids, high, low)) swap(scores, ids, high, low);
  if (isBetter(scores, ids, high, middle)) swap(scores, ids, high, middle);
  const score = scores[middle]!;
  const id = ids[middle]!;
  let i = low - 1;
  let j = high + 1;
  for (;;) {
    do i++;
    while (scores[i]! > score || (scores[i]! === score && ids[i]! < id));
    do j--;
    while (scores[j]! < score || (scores[j]! === score && ids[j]! > id));
    if (i >= j) return j;
    swap(scores, ids, i, j);
  }
}

function isBetter(scores: Float32Array, ids: Int32Array, a: number, b: number): boolean {
  return scores[a]! > scores[b]! || (scores[a]! === scores[b]! && ids[a]! < ids[b]!);
}

function swap(scores: Float32Array, ids: Int32Array, a: number, b: number): void {
  const score = scores[a]!;
  scores[a] = scores[b]!;
  scores[b] = score;
  const id = ids[a]!;
  ids[a] = ids[b]!;
  ids[b] = id;
}

function checkCount(count: number): void {
  if (!Number.isInteger(count) || count < 0)
    throw new RangeError(`expected a count of 0 or more, got ${String(count)}`);
}
