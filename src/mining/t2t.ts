import type { Progress } from "../io/index.ts";
import { type Mined, minedFolder, type Pool } from "../pool/index.ts";
import { hasExtra, writeExtra } from "./mined-extra.ts";
import type { Scorer } from "./scorer.ts";

export interface TextScoreOptions {
  readonly name: string;
  readonly force: boolean;
  readonly progress: Progress;
}

/**
 * The expression rows that text-to-text scores are taken against, in the order that `mineTextScores` asks for: all of
 * the pool, sorted by their image.
 */
export function expressionsByImage(pool: Pool): Int32Array {
  const imageOf = (row: number): number => pool.refs.image[pool.expressions.ref[row] as number] as number;
  return Int32Array.from({ length: pool.expressions.count }, (_, row) => row).sort(
    (a, b) => imageOf(a) - imageOf(b) || a - b,
  );
}

/**
 * Adds column `t2t` to mined/<name>: for each expression and listed candidate image the highest text-to-text score of
 * that image's own expressions with it; -1 where the image has none. `scorer` compares expressions with expressions: its
 * `images` asks for expression rows, its candidates are `expressionsByImage(pool)`. Does nothing where it is there already.
 */
export async function mineTextScores(
  pool: Pool,
  mined: Mined,
  scorer: Scorer,
  options: TextScoreOptions,
): Promise<void> {
  const { hash, depth, expressions } = mined.manifest;
  const folder = minedFolder(pool.folder, options.name);
  if (!options.force && (await hasExtra(folder, "t2t", hash))) return;
  const segments = segmentsOf(pool);
  const columns = [{ type: "float32", shape: [expressions, depth] } as const];
  const writer = await writeExtra(folder, "t2t", hash, columns, { depth, expressions });
  const task = options.progress.begin("text-to-text", expressions, "expressions");
  const step = Math.max(1, Math.min(stepExpressions, Math.floor(stepBytes / (8 * depth))));
  try {
    for (let start = 0; start < expressions; start += step) {
      const size = Math.min(step, expressions - start);
      await writer.write(0, await textScores(mined, scorer, segments, start, size));
      task.advance(size);
    }
    await writer.commit();
  } finally {
    await writer.abort();
    task.end();
  }
}

const stepExpressions = 4096;
const stepBytes = 2 ** 27;

/** Runs of columns that belong to one image. */
interface Segments {
  /** The segment of each column, ascending. */
  readonly ofColumn: Int32Array;
  /** The segment of each image; -1 where it has no expression. */
  readonly ofImage: Int32Array;
  readonly count: number;
}

function segmentsOf(pool: Pool): Segments {
  const ofImage = new Int32Array(pool.images.count).fill(-1);
  let count = 0;
  const ofColumn = expressionsByImage(pool).map((row) => {
    const image = pool.refs.image[pool.expressions.ref[row] as number] as number;
    if (ofImage[image] === -1) ofImage[image] = count++;
    return ofImage[image] as number;
  });
  return { ofColumn, ofImage, count };
}

/** [size, depth]: the highest score within the segment of each listed candidate. */
async function textScores(
  mined: Mined,
  scorer: Scorer,
  { ofColumn, ofImage, count }: Segments,
  start: number,
  size: number,
): Promise<Float32Array> {
  const { depth } = mined.manifest;
  const { candidateCount, blockColumns, blockRows } = scorer;
  const wanted = new Int32Array(size * depth);
  for (let row = 0; row < size; row++)
    wanted.set(
      mined.row(start + row).ids.map((image) => ofImage[image] as number),
      row * depth,
    );
  const found = new Float32Array(size * depth).fill(-1);
  const highest = new Float32Array(count);
  const parts: Int32Array[] = [];
  for (let at = 0; at < size; at += blockRows)
    parts.push(Int32Array.from({ length: Math.min(blockRows, size - at) }, (_, row) => start + at + row));
  for (let index = 0, first = 0; first < candidateCount; index++, first += blockColumns) {
    await scorer.load(index);
    const valid = Math.min(blockColumns, candidateCount - first);
    const low = ofColumn[first] as number;
    const high = ofColumn[first + valid - 1] as number;
    for (const [chunk, part] of parts.entries()) {
      const { scores, columns } = await scorer.images(part);
      for (let row = 0; row < part.length; row++) {
        highest.fill(-1, low, high + 1);
        for (let column = 0; column < valid; column++) {
          const segment = ofColumn[first + column] as number;
          const score = scores[row * columns + column] as number;
          if (score > (highest[segment] as number)) highest[segment] = score;
        }
        const from = (chunk * blockRows + row) * depth;
        for (let at = from; at < from + depth; at++) {
          const segment = wanted[at] as number;
          // An image's expressions may lie in two blocks.
          if (segment >= low && segment <= high) found[at] = Math.max(found[at] as number, highest[segment] as number);
        }
      }
    }
  }
  return found;
}
