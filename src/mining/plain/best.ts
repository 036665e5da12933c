import type { StageTimer } from "../../io/index.ts";
import type { WasmKernel } from "../../kernels/index.ts";
import { fail } from "../../model/index.ts";
import { type DenseKernel, openDense } from "../dense/compiled/dense.ts";
import { bytesOfList, Lists, scoreColumn } from "../dense/lists.ts";
import { ScoreOrder } from "../dense/score-order.ts";
import type { ScoreBlock, Scorer } from "../scorer.ts";

export type Side = "expressions" | "images";

/** Aligned columns [rows, depth], best first, ties by the smaller id. */
export interface Best {
  readonly ids: Int32Array;
  readonly scores: Float32Array;
}

/**
 * Lists of the best candidates of rows, made from a scorer's blocks by the kernel that ends lists of `dense` too (`assembly/shortlist.ts`,
 * `offer`); memory is taken once.
 */
export class BestLists {
  readonly #scorer: Scorer;
  readonly #depth: number;
  readonly #timing: StageTimer;
  readonly #capacity: number;
  readonly #order: ScoreOrder;
  #memory: Memory | undefined;

  /** Lists of `depth` candidates (at most the scorer's). `timing` gets the stages "reading", "product" and "selection". */
  constructor(scorer: Scorer, depth: number, timing: StageTimer) {
    this.#scorer = scorer;
    this.#depth = depth;
    this.#timing = timing;
    this.#capacity = Math.ceil((2 * depth + spareEntries) / 16) * 16;
    this.#order = new ScoreOrder(this.#capacity);
  }

  /**
   * The best candidates of each row, by the blocks that `make` asks the scorer for: of a part of the rows that begins at place
   * `first`. Errors: "bad-input" for scores that are not numbers.
   */
  async of(rows: Int32Array, make: (part: Int32Array, first: number) => Promise<ScoreBlock>): Promise<Best> {
    const { kernel, lists, scoresAt } = this.#memoryFor(rows.length);
    const depth = this.#depth;
    for (let row = 0; row < rows.length; row++) lists.reset(row, Number.NEGATIVE_INFINITY);
    await sweep(this.#scorer, this.#timing, rows, make, ({ scores, columns }, { first, count, firstId, valid }) => {
      for (let row = 0; row < count; row++) {
        const of = scores.subarray(row * columns, row * columns + valid);
        refuseNaN(of, firstId);
        kernel.floats.set(of, scoresAt >> 2);
        kernel.offer(lists.address(first + row), lists.capacity, depth, scoresAt, valid, firstId);
      }
    });
    const start = this.#timing.now();
    const best = { ids: new Int32Array(rows.length * depth), scores: new Float32Array(rows.length * depth) };
    for (let row = 0; row < rows.length; row++) {
      kernel.cut(lists.address(row), lists.capacity, depth);
      if (lists.length(row) < depth)
        fail("bad-input", `expected ${depth} finite scores, got ${lists.length(row)} above -∞`);
      const [ids, scores] = [lists.ids(row), lists.scores(row, scoreColumn)];
      const places = this.#order.of(scores);
      for (let at = 0, to = row * depth; at < depth; at++, to++) {
        best.ids[to] = ids[places[at]!]!;
        best.scores[to] = scores[places[at]!]!;
      }
    }
    this.#timing.since("selection", start);
    return best;
  }

  /** For `rows` lists and the scores of one row of a block. */
  #memoryFor(rows: number): Memory {
    if (this.#memory !== undefined && this.#memory.rows >= rows) return this.#memory;
    const scoresAt = rows * bytesOfList(this.#capacity);
    const kernel = openDense(scoresAt + this.#scorer.blockColumns * 4);
    this.#memory = { rows, kernel, scoresAt, lists: new Lists(kernel.bytes.buffer, this.#capacity) };
    return this.#memory;
  }
}

interface Memory {
  readonly rows: number;
  readonly kernel: WasmKernel<DenseKernel>;
  readonly lists: Lists;
  /** The byte at which a row of scores is offered. */
  readonly scoresAt: number;
}

/** Entries beyond twice the depth: lists are cut the less often. */
const spareEntries = 64;

/** The kernel leaves out what is no number; that nothing is left out is seen here. Four sums, since each waits for its last. */
function refuseNaN(scores: Float32Array, firstId: number): void {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = scores.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    a += scores[at]!;
    b += scores[at + 1]!;
    c += scores[at + 2]!;
    d += scores[at + 3]!;
  }
  for (let at = whole; at < scores.length; at++) a += scores[at]!;
  if (!Number.isNaN(a + b + c + d)) return;
  const place = scores.findIndex(Number.isNaN); // infinite ones can sum to NaN as well
  if (place >= 0) fail("bad-input", `expected scores that are numbers: that of candidate ${firstId + place} is NaN`);
}

/** What a block of scores is of: `count` rows from place `first` on, and `valid` candidates from `firstId` on. */
export interface BlockPlace {
  readonly first: number;
  readonly count: number;
  readonly firstId: number;
  readonly valid: number;
}

/** Makes a block of scores for every part of the rows against every block of candidates, blocks outermost, and visits it. */
export async function sweep(
  scorer: Scorer,
  timing: StageTimer,
  rows: Int32Array,
  make: (part: Int32Array, first: number) => Promise<ScoreBlock>,
  visit: (block: ScoreBlock, place: BlockPlace) => void,
): Promise<void> {
  if (rows.length === 0) return;
  const { candidateCount, blockColumns, blockRows } = scorer;
  const parts: Int32Array[] = [];
  for (let start = 0; start < rows.length; start += blockRows) parts.push(rows.subarray(start, start + blockRows));
  for (let firstId = 0, index = 0; firstId < candidateCount; firstId += blockColumns, index++) {
    const loading = timing.now();
    await scorer.load(index);
    timing.since("reading", loading);
    const valid = Math.min(blockColumns, candidateCount - firstId);
    for (const [at, part] of parts.entries()) {
      const asked = timing.now();
      const block = await make(part, at * blockRows);
      const made = timing.since("product", asked);
      visit(block, { first: at * blockRows, count: part.length, firstId, valid });
      timing.since("selection", made);
    }
  }
}
