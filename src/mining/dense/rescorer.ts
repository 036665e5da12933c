import type { StageTimer } from "../../io/index.ts";
import type { Rank } from "../scorer.ts";
import type { CandidateBlocks } from "./candidate-blocks.ts";
import type { DenseMemory, Side } from "./dense-memory.ts";
import { i2iColumn, scoreColumn, t2iColumn } from "./lists.ts";

/** Exact scores of lists in `memory` against the candidates: see `assembly/rescore.ts`. */
export class Rescorer {
  readonly #memory: DenseMemory;
  readonly #blocks: CandidateBlocks;
  readonly #dimension: number;
  readonly #columns: number;
  readonly #timing: StageTimer;

  /** Over candidates in blocks of `columns` vectors. `timing` gets the stages "reading" and "scoring". */
  constructor(
    memory: DenseMemory,
    blocks: CandidateBlocks,
    { columns, dimension }: { readonly columns: number; readonly dimension: number },
    timing: StageTimer,
  ) {
    this.#memory = memory;
    this.#blocks = blocks;
    this.#columns = columns;
    this.#dimension = dimension;
    this.#timing = timing;
  }

  /**
   * Fills `column` of the first `count` lists with exact scores by vectors[l], in runs of candidates and lists that fit the caches.
   * `offset` is where the lists lie, in bytes behind the first: 0, or where their far lists are.
   */
  async score(count: number, side: Side, vectors: Int32Array, column: number, offset = 0): Promise<void> {
    const memory = this.#memory;
    const { kernel, lists, stride, places } = memory;
    // Of far lists a run has so few entries that a visit costs more than candidates from a cache further away.
    const run = offset === 0 ? memory.run : memory.cells;
    memory.aim(side, vectors.subarray(0, count));
    await this.#sweep((firstId, endId) => {
      for (let first = 0; first < count; first += listsTogether) {
        const together = Math.min(listsTogether, count - first);
        const [list, addresses] = [lists.address(first) + offset, places.vectors + first * 4];
        for (let from = firstId; from < endId; from += run) {
          const candidates = places.cells + (from - firstId) * stride;
          const to = Math.min(from + run, endId);
          const { table } = places;
          kernel.rescore(list, together, lists.capacity, from, to, candidates, stride, addresses, column, table);
        }
      }
    });
  }

  /** Fills `wanted` lists with the `depth` best of all candidates: query q ranks by text q and image imageOf[q], or by image q. */
  async search(wanted: readonly number[], rank: Rank, depth: number, imageOf: Int32Array): Promise<void> {
    const memory = this.#memory;
    const { kernel, lists, cellList, stride, places } = memory;
    for (const list of wanted) lists.reset(list, Number.NEGATIVE_INFINITY);
    const [cells, scores] = [cellList.address(0), cellList.scoresAddress(0)];
    await this.#sweep((firstId, endId) => {
      const length = endId - firstId;
      const rescore = (side: Side, vector: number, column: number): void => {
        cellList.count(0, length);
        memory.aim(side, Int32Array.of(vector));
        const { vectors, table } = places;
        kernel.rescore(cells, 1, cellList.capacity, 0, length, places.cells, stride, vectors, column, table);
      };
      for (const list of wanted) {
        if (rank === "mean") {
          rescore("texts", list, t2iColumn);
          rescore("images", imageOf[list]!, i2iColumn);
          cellList.average(0);
        } else rescore(rank === "t2i" ? "texts" : "images", list, scoreColumn);
        kernel.offer(lists.address(list), lists.capacity, depth, scores, length, firstId);
      }
    });
  }

  /** Puts one run of candidates' vectors after the other where the kernel reaches them. */
  async #sweep(visit: (firstId: number, endId: number) => void): Promise<void> {
    const { cells, places } = this.#memory;
    const [columns, dimension] = [this.#columns, this.#dimension];
    for (let index = 0; index < this.#blocks.count; index++) {
      const loading = this.#timing.now();
      const data = (await this.#blocks.load(index)).data as Float32Array;
      const loaded = this.#timing.since("reading", loading);
      const valid = Math.min(columns, this.#blocks.candidateCount - index * columns);
      for (let start = 0; start < valid; start += cells) {
        const end = Math.min(start + cells, valid);
        this.#memory.put(data.subarray(start * dimension, end * dimension), dimension, places.cells);
        visit(index * columns + start, index * columns + end);
      }
      this.#timing.since("scoring", loaded);
    }
  }
}

/** Lists that are scored in turn against each run of candidates: what is touched of them stays in a cache. */
const listsTogether = 1024;
