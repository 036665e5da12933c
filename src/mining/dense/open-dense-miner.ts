import type { StageTimer } from "../../io/index.ts";
import type { Rank } from "../scorer.ts";
import { CandidateBlocks } from "./candidate-blocks.ts";
import { DenseMiner } from "./dense-miner.ts";
import type { VectorFile } from "./vector-file.ts";

/** What `openDenseMiner` needs beside the files. */
export interface DenseMinerSetup {
  /** Image rows that are candidates, ascending. */
  readonly candidates: Int32Array;
  readonly rank: Rank;
  readonly depth: number;
  /** The most expressions of a step. */
  readonly rows: number;
  /** For candidates' vectors, whole and in 8 bits; what does not fit is read for each step. */
  readonly memoryBytes: number;
  /** The largest block of scores, rows by candidates (defaults 512 and 2432). Neither changes a byte. */
  readonly blockRows?: number;
  readonly blockColumns?: number;
  /** Screens in float32 only. Never changes a byte. */
  readonly floats?: boolean;
}

/** A miner over embeddings files, which stay the caller's to close. Errors: see `readVectors`. */
export function openDenseMiner(
  images: VectorFile,
  expressions: VectorFile,
  setup: DenseMinerSetup,
  timing?: StageTimer,
): DenseMiner {
  const { candidates, rank, depth, rows, memoryBytes, blockRows = 512, blockColumns = 2432 } = setup;
  const { dimension } = images;
  const columns = balancedColumns(candidates.length, blockColumns);
  const integerBytes = Math.ceil(candidates.length / columns) * columns * dimension;
  const integers = setup.floats !== true && integerBytes <= memoryBytes;
  const blocks = new CandidateBlocks(images, candidates, columns, memoryBytes - (integers ? integerBytes : 0));
  const sampleSize = sampleSizeFor(candidates.length, depth);
  const shape = { rows: Math.min(blockRows, Math.max(2, rows)), columns, dimension, sampleSize };
  return new DenseMiner(images, expressions, blocks, {
    rank,
    depth,
    rows,
    shape,
    integers,
    ...(timing === undefined ? {} : { timing }),
  });
}

/**
 * So many that about 24 of them are among the `depth` best; none where that would be a large part, or too many, or where a list
 * has space for all candidates.
 */
function sampleSizeFor(candidates: number, depth: number): number {
  if (candidates <= depth * 2) return 0;
  const size = Math.ceil((24 * candidates) / depth / 16) * 16;
  return size > 4096 || size > candidates / 4 ? 0 : size;
}

/** Blocks of equal size, a multiple of 64, and none above `most` but for that: the padding of the last one stays small. */
function balancedColumns(candidates: number, most: number): number {
  const blocks = Math.max(1, Math.ceil(candidates / most));
  return Math.max(64, Math.ceil(candidates / blocks / 64) * 64);
}
