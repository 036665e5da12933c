import type { Progress } from "../../io/index.ts";
import { type Mined, minedFolder, type Pool } from "../../pool/index.ts";
import type { Scorer } from "../scorer.ts";
import { makeExtra } from "./extras.ts";

export interface TextScoreOptions {
  readonly name: string;
  readonly force: boolean;
  readonly progress: Progress;
  /** Expressions per step: what is lost when a run is killed. Never changes a byte. */
  readonly stepExpressions?: number;
}

/**
 * The expression rows that text-to-text scores are taken against, in the order that `mineTextScores` asks for: all of
 * the pool that are true of something in their image, sorted by it. What a no-target expression says is not there.
 */
export function expressionsByImage(pool: Pool): Int32Array {
  const imageOf = (row: number): number => pool.refs.image[pool.expressions.ref[row]!]!;
  return Int32Array.from({ length: pool.expressions.count }, (_, row) => row)
    .filter((row) => pool.targetsOfRef(pool.expressions.ref[row]!).length > 0)
    .sort((a, b) => imageOf(a) - imageOf(b) || a - b);
}

/**
 * Adds column `t2t` to mined/<name>: for each expression and listed candidate image the highest text-to-text score of
 * that image's own expressions with it, no-target ones left out; -1 where the image has none. `scorer` compares
 * expressions with expressions: its `images` asks for expression rows, its candidates are `expressionsByImage(pool)`.
 * Steps are journalled; does nothing where it is there already.
 */
export async function mineTextScores(
  pool: Pool,
  mined: Mined,
  scorer: Scorer,
  options: TextScoreOptions,
): Promise<void> {
  const { name, force, progress, stepExpressions = mostExpressions } = options;
  const { depth, expressions } = mined.manifest;
  const segments = segmentsOf(pool);
  const extra = {
    mined: mined.manifest,
    shape: [expressions, depth],
    facts: { depth, expressions },
    stepRows: Math.max(1, Math.min(stepExpressions, Math.floor(stepBytes / (8 * depth)))),
    force,
    progress,
    label: "text-to-text",
    unit: "expressions",
  } as const;
  await makeExtra(minedFolder(pool.folder, name), "t2t", extra, async (start, count) => [
    await textScores(mined, scorer, segments, start, count),
  ]);
}

const mostExpressions = 4096;
const stepBytes = 2 ** 27;

/** Runs of columns that belong to one image: segment s is columns starts[s] up to starts[s + 1]. */
interface Segments {
  readonly starts: Int32Array;
  /** The segment of each column, ascending. */
  readonly ofColumn: Int32Array;
  /** The segment of each image; -1 where it has no expression. */
  readonly ofImage: Int32Array;
}

function segmentsOf(pool: Pool): Segments {
  const ofImage = new Int32Array(pool.images.count).fill(-1);
  const starts: number[] = [];
  const rows = expressionsByImage(pool);
  const ofColumn = rows.map((row, column) => {
    const image = pool.refs.image[pool.expressions.ref[row]!]!;
    if (ofImage[image] === -1) {
      ofImage[image] = starts.length;
      starts.push(column);
    }
    return ofImage[image]!;
  });
  return { starts: Int32Array.from([...starts, rows.length]), ofColumn, ofImage };
}

/** [size, depth]: the highest score within the segment of each listed candidate. */
async function textScores(
  mined: Mined,
  scorer: Scorer,
  { starts, ofColumn, ofImage }: Segments,
  start: number,
  size: number,
): Promise<Float32Array> {
  const { depth } = mined.manifest;
  const { candidateCount, blockColumns, blockRows } = scorer;
  const wanted = new Int32Array(size * depth).fill(-1);
  for (let row = 0; row < size; row++)
    wanted.set(
      mined.row(start + row).ids.map((image) => ofImage[image]!),
      row * depth,
    );
  const found = new Float32Array(size * depth).fill(-1);
  const highest = new Float32Array(starts.length);
  const parts: Int32Array[] = [];
  for (let at = 0; at < size; at += blockRows)
    parts.push(Int32Array.from({ length: Math.min(blockRows, size - at) }, (_, row) => start + at + row));
  for (let index = 0, first = 0; first < candidateCount; index++, first += blockColumns) {
    await scorer.load(index);
    const valid = Math.min(blockColumns, candidateCount - first);
    const low = ofColumn[first]!;
    const high = ofColumn[first + valid - 1]!;
    const block = { first, end: first + valid, low, high };
    for (const [chunk, part] of parts.entries()) {
      const { scores, columns } = await scorer.images(part);
      for (let row = 0; row < part.length; row++) {
        highestOf(scores, row * columns - first, starts, block, highest);
        const from = (chunk * blockRows + row) * depth;
        for (let at = from; at < from + depth; at++) {
          const segment = wanted[at]!;
          // An image's expressions may lie in two blocks.
          if (segment >= low && segment <= high) found[at] = Math.max(found[at]!, highest[segment]!);
        }
      }
    }
  }
  return found;
}

/** Columns from `first` up to `end`, and the segments that these touch. */
interface Block {
  readonly first: number;
  readonly end: number;
  readonly low: number;
  readonly high: number;
}

/** highest[s] = the highest score of each of a block's segments within the block. */
function highestOf(
  scores: Float32Array,
  offset: number,
  starts: Int32Array,
  { first, end, low, high }: Block,
  highest: Float32Array,
): void {
  for (let segment = low; segment <= high; segment++) {
    const last = Math.min(end, starts[segment + 1]!);
    let most = -1;
    for (let column = Math.max(first, starts[segment]!); column < last; column++) {
      const score = scores[offset + column]!;
      if (score > most) most = score;
    }
    highest[segment] = most;
  }
}
