import type { StageTimer } from "../../io/index.ts";
import { TopKBuffer } from "../../kernels/index.ts";
import { fail } from "../../model/index.ts";
import type { ScoreBlock, Scorer } from "../scorer.ts";

export type Side = "expressions" | "images";

/** Aligned columns [rows, depth], best first, ties by the smaller id. */
export interface Best {
  readonly ids: Int32Array;
  readonly scores: Float32Array;
}

/** Lists of the best candidates of rows, made from a scorer's blocks; memory is taken once. */
export class BestLists {
  readonly #scorer: Scorer;
  readonly #depth: number;
  readonly #timing: StageTimer;
  readonly #lists: TopKBuffer[] = [];

  /** Lists of `depth` candidates (at most the scorer's). `timing` gets the stages "reading", "product" and "selection". */
  constructor(scorer: Scorer, depth: number, timing: StageTimer) {
    this.#scorer = scorer;
    this.#depth = depth;
    this.#timing = timing;
  }

  /**
   * The best candidates of each row, by the blocks that `make` asks the scorer for: of a part of the rows that begins at place
   * `first`. Errors: "bad-input" for scores that are not numbers.
   */
  async of(rows: Int32Array, make: (part: Int32Array, first: number) => Promise<ScoreBlock>): Promise<Best> {
    while (this.#lists.length < rows.length) this.#lists.push(new TopKBuffer(this.#depth));
    for (const list of this.#lists) list.reset();
    await sweep(this.#scorer, this.#timing, rows, make, ({ scores, columns }, { first, count, firstId, valid }) => {
      for (let row = 0; row < count; row++) {
        const start = row * columns;
        try {
          this.#lists[first + row]!.offer(scores, start, start + valid, firstId);
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          fail("bad-input", `expected scores that are numbers: ${error.message}`, error);
        }
      }
    });
    const start = this.#timing.now();
    const depth = this.#depth;
    const best = { ids: new Int32Array(rows.length * depth), scores: new Float32Array(rows.length * depth) };
    for (let row = 0; row < rows.length; row++) {
      const [from, to] = [row * depth, (row + 1) * depth];
      this.#lists[row]!.finish(best.ids.subarray(from, to), best.scores.subarray(from, to));
    }
    this.#timing.since("selection", start);
    return best;
  }
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
