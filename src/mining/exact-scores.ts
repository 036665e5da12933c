import type { StageTimer } from "../io/index.ts";
import type { CandidateBlocks } from "./candidate-blocks.ts";
import { type DenseMemory, i2iColumn, type Side, t2iColumn } from "./dense-memory.ts";
import type { Rank } from "./scorer.ts";
import { listHeaderBytes } from "./selection-kernel.ts";

/** Exact scores of lists in `memory` against the candidates: see `dots-kernel.ts`. */
export class ExactScores {
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
   * Fills `column` of the first `lists` lists with exact scores by vectors[l], in runs of candidates and lists that fit the caches.
   * `offset` is where the lists lie, in bytes behind the first: 0, or where their far lists are.
   */
  async score(lists: number, side: Side, vectors: Int32Array, column: number, offset = 0): Promise<void> {
    const memory = this.#memory;
    const { kernel, capacity, stride, places } = memory;
    // Of far lists a run has so few entries that a visit costs more than candidates from a cache further away.
    const run = offset === 0 ? memory.run : memory.cells;
    memory.aim(side, vectors.subarray(0, lists));
    await this.#sweep((firstId, endId) => {
      for (let first = 0; first < lists; first += listsTogether) {
        const count = Math.min(listsTogether, lists - first);
        const [list, addresses] = [memory.list(first) + offset, places.vectors + first * 4];
        for (let from = firstId; from < endId; from += run) {
          const candidates = places.cells + (from - firstId) * stride;
          const to = Math.min(from + run, endId);
          kernel.dots(list, count, capacity, from, to, candidates, stride, addresses, column, places.table);
        }
      }
    });
  }

  /** Fills `lists` with the `depth` best of all candidates: unit u ranks by text u and image imageOf[u], or by image u. */
  async search(lists: readonly number[], rank: Rank, depth: number, imageOf: Int32Array): Promise<void> {
    const memory = this.#memory;
    const { kernel, ints, capacity, cells, stride } = memory;
    const { cellList, table, vectors, cells: candidates } = memory.places;
    for (const at of lists) memory.reset(at, Number.NEGATIVE_INFINITY);
    const start = cellList / 4 + listHeaderBytes / 4;
    await this.#sweep((firstId, endId) => {
      const length = endId - firstId;
      const dot = (side: Side, unit: number, column: number): void => {
        ints[cellList / 4] = length;
        for (let each = 0; each < length; each++) ints[start + cells + each] = each;
        memory.aim(side, Int32Array.of(unit));
        kernel.dots(cellList, 1, cells, 0, length, candidates, stride, vectors, column, table);
      };
      for (const at of lists) {
        if (rank === "mean") {
          dot("texts", at, t2iColumn);
          dot("images", imageOf[at] as number, i2iColumn);
          memory.average(cellList, cells);
        } else dot(rank === "t2i" ? "texts" : "images", at, 0);
        kernel.offer(memory.list(at), capacity, depth, start * 4, length, firstId);
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
