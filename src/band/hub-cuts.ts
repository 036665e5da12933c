/**
 * Which expressions an image belongs to under a hub cap: the `cap` expressions that score it best, ties by the smaller
 * expression row. Static, so that the order of sampling never matters; one entry an image row.
 */
export interface HubCuts {
  /** The score of the last expression that keeps the image; -∞ where all do. */
  readonly score: Float32Array;
  /** Its row: an expression of that very score is kept up to this row. */
  readonly expression: Int32Array;
}

/** True where an expression may use an image under `cuts`. */
export function isWithinCap(cuts: HubCuts, image: number, expression: number, score: number): boolean {
  const last = cuts.score[image]!;
  return score > last || (score === last && expression <= cuts.expression[image]!);
}

/** Collects who wants which image, in any order; memory is bounded by images × cap. */
export class HubCounter {
  readonly #cap: number;
  /** Per image a heap of its best `cap` wishes, the worst on top. */
  readonly #heaps: (Wish[] | undefined)[];

  constructor(images: number, cap: number) {
    this.#cap = cap;
    this.#heaps = new Array<Wish[] | undefined>(images);
  }

  /** Expression row `expression` would keep `image`, which it scores `score`. Each pair comes once. */
  want(image: number, expression: number, score: number): void {
    const wish = { score, expression };
    const heap = this.#heaps[image];
    if (heap === undefined) {
      this.#heaps[image] = [wish];
    } else if (heap.length < this.#cap) {
      heap.push(wish);
      siftUp(heap);
    } else if (isWorse(heap[0]!, wish)) {
      heap[0] = wish;
      siftDown(heap);
    }
  }

  cuts(): HubCuts {
    const isFull = (heap: Wish[] | undefined): heap is Wish[] => heap !== undefined && heap.length === this.#cap;
    return {
      score: Float32Array.from(this.#heaps, (heap) => (isFull(heap) ? heap[0]!.score : -Infinity)),
      expression: Int32Array.from(this.#heaps, (heap) => (isFull(heap) ? heap[0]!.expression : -1)),
    };
  }
}

interface Wish {
  readonly score: number;
  readonly expression: number;
}

function isWorse(a: Wish, b: Wish): boolean {
  return a.score < b.score || (a.score === b.score && a.expression > b.expression);
}

function siftUp(heap: Wish[]): void {
  for (let at = heap.length - 1; at > 0; ) {
    const parent = (at - 1) >> 1;
    if (!isWorse(heap[at]!, heap[parent]!)) return;
    swap(heap, at, parent);
    at = parent;
  }
}

function siftDown(heap: Wish[]): void {
  for (let at = 0; ; ) {
    const left = 2 * at + 1;
    if (left >= heap.length) return;
    const right = left + 1;
    const child = right < heap.length && isWorse(heap[right]!, heap[left]!) ? right : left;
    if (!isWorse(heap[child]!, heap[at]!)) return;
    swap(heap, at, child);
    at = child;
  }
}

function swap(heap: Wish[], a: number, b: number): void {
  const moved = heap[a]!;
  heap[a] = heap[b]!;
  heap[b] = moved;
}
