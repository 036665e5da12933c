import { noTiming, type StageTimer } from "../io/index.ts";
import { fail } from "../model/index.ts";
import type { MinedColumns, Rank, ScoreBlock, Scorer, StepMiner } from "./scorer.ts";
import { Selection } from "./selection.ts";

/** Mines steps of expressions with one scorer; memory is taken once and does not depend on how many steps follow. */
export class BlockMiner implements StepMiner {
  readonly #scorer: Scorer;
  readonly #rank: Rank;
  readonly #depth: number;
  readonly #rows: number;
  readonly #selection: Selection;
  readonly #timing: StageTimer;

  /**
   * For steps of at most `rows` expressions, each keeping `depth` candidates (at most the scorer's). `timing` gets the
   * stages "product" (waiting for scores) and "selection".
   */
  constructor(scorer: Scorer, rank: Rank, depth: number, rows: number, timing: StageTimer = noTiming) {
    this.#timing = timing;
    this.#scorer = scorer;
    this.#rank = rank;
    this.#depth = depth;
    this.#rows = rows;
    const places = rank === "mean" ? 2 : scorer.writeTo === undefined ? 0 : 1;
    this.#selection = new Selection(rows, depth, places, scorer.blockRows * scorer.blockColumns);
    scorer.writeTo?.(this.#selection.blocks);
  }

  /**
   * Ranks every candidate exactly, keeps the `depth` best (ties by the smaller id) and fills in both scores.
   * `expressions[e]` has its image in `images[imageOf[e]]`; expressions are sorted by image. Two sweeps over the
   * candidates: one selects, one looks the other scores up.
   */
  async mine(expressions: Int32Array, images: Int32Array, imageOf: Int32Array): Promise<MinedColumns> {
    const count = expressions.length;
    if (count > this.#rows) fail("internal", `asked to mine ${count} expressions, ${this.#rows} is the most`);
    const [scorer, depth] = [this.#scorer, this.#depth];
    const size = count * depth;
    const columns: MinedColumns = {
      ids: new Int32Array(size),
      t2i: new Float32Array(size),
      i2i: new Float32Array(size),
    };
    switch (this.#rank) {
      case "t2i":
        await this.#select("expressions", expressions, columns.ids, columns.t2i);
        await lookUp(scorer, this.#timing, "images", images, imageOf, depth, columns.ids, columns.i2i);
        break;
      case "i2i": {
        const ids = new Int32Array(images.length * depth);
        const scores = new Float32Array(images.length * depth);
        await this.#select("images", images, ids, scores);
        for (let at = 0; at < count; at++) {
          const from = (imageOf[at] as number) * depth;
          columns.ids.set(ids.subarray(from, from + depth), at * depth);
          columns.i2i.set(scores.subarray(from, from + depth), at * depth);
        }
        await lookUp(
          scorer,
          this.#timing,
          "expressions",
          expressions,
          identity(count),
          depth,
          columns.ids,
          columns.t2i,
        );
        break;
      }
      case "mean":
        await this.#selectByMean(expressions, images, imageOf, columns.ids);
        await lookUp(
          scorer,
          this.#timing,
          "expressions",
          expressions,
          identity(count),
          depth,
          columns.ids,
          columns.t2i,
        );
        await lookUp(scorer, this.#timing, "images", images, imageOf, depth, columns.ids, columns.i2i);
        break;
    }
    return columns;
  }

  async #select(side: Side, rows: Int32Array, ids: Int32Array, scores: Float32Array): Promise<void> {
    const selection = this.#selection;
    selection.reset();
    await sweep(
      this.#scorer,
      this.#timing,
      rows,
      (part) => this.#scorer[side](part),
      (block, first, chunk, firstId, valid) => {
        for (let row = 0; row < chunk; row++) selection.offer(first + row, block, row, valid, firstId);
      },
    );
    this.#finish(rows.length, ids, scores);
  }

  async #selectByMean(
    expressions: Int32Array,
    images: Int32Array,
    imageOf: Int32Array,
    ids: Int32Array,
  ): Promise<void> {
    const [scorer, selection] = [this.#scorer, this.#selection];
    selection.reset();
    const parts = new Map<number, Int32Array>();
    // Expressions are sorted by image: a chunk of them needs a consecutive run of at most as many images.
    const imagesOf = (first: number, chunk: number): Int32Array => {
      const part = parts.get(first) ?? images.subarray(imageOf[first], (imageOf[first + chunk - 1] as number) + 1);
      parts.set(first, part);
      return part;
    };
    const both = async (part: Int32Array, first: number): Promise<{ byText: ScoreBlock; byImage: ScoreBlock }> => {
      const byText = kept(await scorer.expressions(part), selection.blocks[0]);
      return { byText, byImage: kept(await scorer.images(imagesOf(first, part.length)), selection.blocks[1]) };
    };
    await sweep(scorer, this.#timing, expressions, both, ({ byText, byImage }, first, chunk, firstId, valid) => {
      for (let row = 0; row < chunk; row++) {
        selection.average(byText, row, byImage, (imageOf[first + row] as number) - (imageOf[first] as number));
        selection.offer(first + row, byText, row, valid, firstId);
      }
    });
    this.#finish(expressions.length, ids, new Float32Array(ids.length));
  }

  #finish(rows: number, ids: Int32Array, scores: Float32Array): void {
    const depth = this.#depth;
    const start = this.#timing.now();
    for (let row = 0; row < rows; row++) {
      const found = this.#selection.finish(row, ids, scores, row * depth);
      if (found !== depth)
        fail("bad-input", `expected ${depth} scored candidates, got ${found}: scores are not numbers`);
    }
    this.#timing.since("selection", start);
  }
}

/** One step: see `BlockMiner`. */
export function mineBlock(
  scorer: Scorer,
  rank: Rank,
  depth: number,
  expressions: Int32Array,
  images: Int32Array,
  imageOf: Int32Array,
): Promise<MinedColumns> {
  return new BlockMiner(scorer, rank, depth, expressions.length).mine(expressions, images, imageOf);
}

type Side = "expressions" | "images";

/** Makes a block of scores for every chunk of rows against every block of candidates, blocks outermost, and visits it. */
async function sweep<Block>(
  scorer: Scorer,
  timing: StageTimer,
  rows: Int32Array,
  make: (part: Int32Array, firstRow: number) => Promise<Block>,
  visit: (block: Block, firstRow: number, chunk: number, firstId: number, valid: number) => void,
): Promise<void> {
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
      visit(block, at * blockRows, part.length, firstId, valid);
      timing.since("selection", made);
    }
  }
}

/** A block in `place`, where the kernel can reach it and further calls leave it alone; copied unless it lies there. */
function kept(block: ScoreBlock, place: Float32Array | undefined): ScoreBlock {
  if (place === undefined) return fail("internal", "no place for a block");
  if (block.scores === place) return block;
  place.set(block.scores.subarray(0, place.length));
  return { scores: place, columns: block.columns };
}

/** Fills `scores` [lists, depth] with the scores that list l's row `rowOf[l]` gives to its `ids`. */
async function lookUp(
  scorer: Scorer,
  timing: StageTimer,
  side: Side,
  rows: Int32Array,
  rowOf: Int32Array,
  depth: number,
  ids: Int32Array,
  scores: Float32Array,
): Promise<void> {
  const lists = grouped(rowOf, rows.length);
  await sweep(
    scorer,
    timing,
    rows,
    (part) => scorer[side](part),
    (block, first, chunk, firstId, valid) => {
      for (let row = 0; row < chunk; row++) {
        const from = row * block.columns - firstId;
        for (let l = lists.offsets[first + row] as number; l < (lists.offsets[first + row + 1] as number); l++) {
          const start = (lists.values[l] as number) * depth;
          for (let at = start; at < start + depth; at++) {
            const id = ids[at] as number;
            if (id >= firstId && id < firstId + valid) scores[at] = block.scores[from + id] as number;
          }
        }
      }
    },
  );
}

function identity(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, at) => at);
}

/** For each of `groups`, the positions in `groupOf` that name it. */
function grouped(groupOf: Int32Array, groups: number): { readonly offsets: Int32Array; readonly values: Int32Array } {
  const offsets = new Int32Array(groups + 1);
  for (const group of groupOf) offsets[group + 1] = (offsets[group + 1] as number) + 1;
  for (let at = 0; at < groups; at++) offsets[at + 1] = (offsets[at + 1] as number) + (offsets[at] as number);
  const next = offsets.slice();
  const values = new Int32Array(groupOf.length);
  for (let at = 0; at < groupOf.length; at++) {
    const place = next[groupOf[at] as number] as number;
    values[place] = at;
    next[groupOf[at] as number] = place + 1;
  }
  return { offsets, values };
}
