import { fail } from "../model/index.ts";
import type { ScoreBlock, Scorer } from "./scorer.ts";
import { Selection } from "./selection.ts";

/** What candidates are ranked by: text-to-image, image-to-image, or the mean of the two scores. */
export type Rank = "t2i" | "i2i" | "mean";

/** Aligned columns [expressions, depth], best first; ids are positions among the candidates until translated. */
export interface MinedColumns {
  readonly ids: Int32Array;
  readonly t2i: Float32Array;
  readonly i2i: Float32Array;
}

/**
 * Mines expressions exactly: ranks every candidate, keeps the `depth` best (ties by the smaller id) and fills in both
 * scores. `expressions[e]` has its image in `images[imageOf[e]]`. Two sweeps over the candidates: one selects, one
 * looks the other scores up; memory depends on the block alone.
 */
export async function mineBlock(
  scorer: Scorer,
  rank: Rank,
  depth: number,
  expressions: Int32Array,
  images: Int32Array,
  imageOf: Int32Array,
): Promise<MinedColumns> {
  const count = expressions.length;
  const size = count * depth;
  const columns: MinedColumns = { ids: new Int32Array(size), t2i: new Float32Array(size), i2i: new Float32Array(size) };
  switch (rank) {
    case "t2i":
      await select(scorer, "expressions", expressions, depth, columns.ids, columns.t2i);
      await lookUp(scorer, "images", images, imageOf, depth, columns.ids, columns.i2i);
      break;
    case "i2i": {
      const ids = new Int32Array(images.length * depth);
      const scores = new Float32Array(images.length * depth);
      await select(scorer, "images", images, depth, ids, scores);
      for (let at = 0; at < count; at++) {
        const from = (imageOf[at] as number) * depth;
        columns.ids.set(ids.subarray(from, from + depth), at * depth);
        columns.i2i.set(scores.subarray(from, from + depth), at * depth);
      }
      await lookUp(scorer, "expressions", expressions, identity(count), depth, columns.ids, columns.t2i);
      break;
    }
    case "mean":
      await selectByMean(scorer, expressions, images, imageOf, depth, columns.ids);
      await lookUp(scorer, "expressions", expressions, identity(count), depth, columns.ids, columns.t2i);
      await lookUp(scorer, "images", images, imageOf, depth, columns.ids, columns.i2i);
      break;
  }
  return columns;
}

type Side = "expressions" | "images";

/** Calls `visit` for every chunk of rows against every block of candidates, blocks outermost. */
async function sweep(
  scorer: Scorer,
  side: Side,
  rows: Int32Array,
  visit: (block: ScoreBlock, firstRow: number, chunk: number, firstId: number, valid: number) => void | Promise<void>,
): Promise<void> {
  const { candidateCount, blockColumns, blockRows } = scorer;
  for (let firstId = 0, index = 0; firstId < candidateCount; firstId += blockColumns, index++) {
    await scorer.load(index);
    const valid = Math.min(blockColumns, candidateCount - firstId);
    for (let start = 0; start < rows.length; start += blockRows) {
      const part = rows.subarray(start, start + blockRows);
      await visit(await scorer[side](part), start, part.length, firstId, valid);
    }
  }
}

async function select(scorer: Scorer, side: Side, rows: Int32Array, depth: number, ids: Int32Array, scores: Float32Array): Promise<void> {
  const selection = new Selection(rows.length, depth);
  await sweep(scorer, side, rows, (block, first, chunk, firstId, valid) => {
    for (let row = 0; row < chunk; row++) selection.offer(first + row, block, row, valid, firstId);
  });
  finishAll(selection, rows.length, depth, ids, scores);
}

async function selectByMean(
  scorer: Scorer,
  expressions: Int32Array,
  images: Int32Array,
  imageOf: Int32Array,
  depth: number,
  ids: Int32Array,
): Promise<void> {
  const selection = new Selection(expressions.length, depth);
  const scores = new Float32Array(expressions.length * depth);
  const mean = new Float32Array(scorer.blockRows * scorer.blockColumns);
  await sweep(scorer, "expressions", expressions, async (block, first, chunk, firstId, valid) => {
    mean.set(block.scores.subarray(0, chunk * block.columns));
    const { columns } = block;
    // Expressions are sorted by image: a chunk of them needs a consecutive run of at most as many images.
    const firstImage = imageOf[first] as number;
    const lastImage = imageOf[first + chunk - 1] as number;
    const byImage = await scorer.images(images.subarray(firstImage, lastImage + 1));
    for (let row = 0; row < chunk; row++) {
      const from = ((imageOf[first + row] as number) - firstImage) * columns;
      const to = row * columns;
      for (let at = 0; at < valid; at++) mean[to + at] = ((mean[to + at] as number) + (byImage.scores[from + at] as number)) / 2;
      selection.offer(first + row, { scores: mean, columns }, row, valid, firstId);
    }
  });
  finishAll(selection, expressions.length, depth, ids, scores);
}

function finishAll(selection: Selection, rows: number, depth: number, ids: Int32Array, scores: Float32Array): void {
  for (let row = 0; row < rows; row++) {
    const found = selection.finish(row, ids, scores, row * depth);
    if (found !== depth) fail("bad-input", `expected ${depth} scored candidates, got ${found}: scores are not numbers`);
  }
}

/** Fills `scores` [lists, depth] with the scores that list l's row `rowOf[l]` gives to its `ids`. */
async function lookUp(
  scorer: Scorer,
  side: Side,
  rows: Int32Array,
  rowOf: Int32Array,
  depth: number,
  ids: Int32Array,
  scores: Float32Array,
): Promise<void> {
  const lists = grouped(rowOf, rows.length);
  await sweep(scorer, side, rows, (block, first, chunk, firstId, valid) => {
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
  });
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
