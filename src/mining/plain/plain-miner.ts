import { noTiming, type StageTimer } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import type { MinedColumns, Rank, ScoreBlock, Scorer, StepMiner } from "../scorer.ts";
import { BestLists, type Side, sweep } from "./best.ts";

export interface PlainMinerOptions {
  readonly rank: Rank;
  /** Candidates to keep, at most the scorer's. */
  readonly depth: number;
  /** The most expressions of a step. */
  readonly rows: number;
  /** Gets the stages "reading", "product" (waiting for scores) and "selection". */
  readonly timing?: StageTimer | undefined;
}

/**
 * Mines by any scorer's blocks of scores, without vectors: one sweep over the candidates selects, one looks the other scores up. Mining by
 * embeddings is `dense`.
 */
export class PlainMiner implements StepMiner {
  readonly #scorer: Scorer;
  readonly #options: PlainMinerOptions;
  readonly #timing: StageTimer;
  readonly #best: BestLists;

  constructor(scorer: Scorer, options: PlainMinerOptions) {
    this.#scorer = scorer;
    this.#options = options;
    this.#timing = options.timing ?? noTiming;
    this.#best = new BestLists(scorer, options.depth, this.#timing);
  }

  async mine(expressions: Int32Array, images: Int32Array, imageOf: Int32Array): Promise<MinedColumns> {
    const { rank, depth, rows } = this.#options;
    const count = expressions.length;
    if (count > rows) fail("internal", `asked to mine ${count} expressions, ${rows} is the most`);
    const scorer = this.#scorer;
    const own = Int32Array.from({ length: count }, (_, at) => at);
    if (rank === "t2i") {
      const { ids, scores } = await this.#best.of(expressions, (part) => scorer.expressions(part));
      return { ids, t2i: scores, i2i: await this.#lookUp("images", images, imageOf, ids) };
    }
    if (rank === "i2i") {
      const best = await this.#best.of(images, (part) => scorer.images(part));
      const ids = spread(best.ids, imageOf, depth);
      return {
        ids,
        t2i: await this.#lookUp("expressions", expressions, own, ids),
        i2i: spread(best.scores, imageOf, depth),
      };
    }
    const { ids } = await this.#best.of(expressions, this.#meansOf(expressions, images, imageOf));
    return {
      ids,
      t2i: await this.#lookUp("expressions", expressions, own, ids),
      i2i: await this.#lookUp("images", images, imageOf, ids),
    };
  }

  /** Blocks of the means of both scores. */
  #meansOf(
    expressions: Int32Array,
    images: Int32Array,
    imageOf: Int32Array,
  ): (part: Int32Array, first: number) => Promise<ScoreBlock> {
    const scorer = this.#scorer;
    // Expressions are sorted by image: a part of them needs a consecutive run of at most as many images.
    const runs = new Map<number, Int32Array>();
    for (let first = 0; first < expressions.length; first += scorer.blockRows) {
      const last = Math.min(expressions.length, first + scorer.blockRows) - 1;
      runs.set(first, images.subarray(imageOf[first], imageOf[last]! + 1));
    }
    const means = new Float32Array(scorer.blockRows * scorer.blockColumns);
    return async (part, first) => {
      const byText = await scorer.expressions(part);
      const { columns } = byText;
      means.set(byText.scores.subarray(0, part.length * columns));
      const byImage = await scorer.images(runs.get(first)!);
      for (let row = 0; row < part.length; row++) {
        const from = (imageOf[first + row]! - imageOf[first]!) * columns;
        for (let at = row * columns, column = 0; column < columns; at++, column++)
          means[at] = Math.fround(means[at]! + byImage.scores[from + column]!) / 2;
      }
      return { scores: means, columns };
    };
  }

  /** The scores [lists, depth] that list l's row `rowOf[l]` gives to its `ids`. */
  async #lookUp(side: Side, rows: Int32Array, rowOf: Int32Array, ids: Int32Array): Promise<Float32Array> {
    const { depth } = this.#options;
    const scores = new Float32Array(ids.length);
    const lists = groupBy(rowOf, rows.length);
    const make = (part: Int32Array): Promise<ScoreBlock> => this.#scorer[side](part);
    await sweep(this.#scorer, this.#timing, rows, make, (block, { first, count, firstId, valid }) => {
      for (let row = 0; row < count; row++) {
        const from = row * block.columns - firstId;
        for (let l = lists.offsets[first + row]!; l < lists.offsets[first + row + 1]!; l++) {
          const start = lists.values[l]! * depth;
          for (let at = start; at < start + depth; at++) {
            const id = ids[at]!;
            if (id >= firstId && id < firstId + valid) scores[at] = block.scores[from + id]!;
          }
        }
      }
    });
    return scores;
  }
}

/** For each list its image's row of `columns` [images, depth]. */
function spread<Column extends Int32Array | Float32Array>(columns: Column, imageOf: Int32Array, depth: number): Column {
  const lists = new (columns.constructor as new (length: number) => Column)(imageOf.length * depth);
  imageOf.forEach((image, list) => {
    lists.set(columns.subarray(image * depth, (image + 1) * depth), list * depth);
  });
  return lists;
}

/** For each of `groups`, the positions in `groupOf` that name it. */
function groupBy(groupOf: Int32Array, groups: number): { readonly offsets: Int32Array; readonly values: Int32Array } {
  const offsets = new Int32Array(groups + 1);
  for (const group of groupOf) offsets[group + 1] = offsets[group + 1]! + 1;
  for (let at = 0; at < groups; at++) offsets[at + 1] = offsets[at + 1]! + offsets[at]!;
  const next = offsets.slice();
  const values = new Int32Array(groupOf.length);
  for (let at = 0; at < groupOf.length; at++) {
    const place = next[groupOf[at]!]!;
    values[place] = at;
    next[groupOf[at]!] = place + 1;
  }
  return { offsets, values };
}
