import type { StageTimer } from "../io/index.ts";

/** Scores of some rows against one block of candidates, row-major with stride `columns`; valid until the next call. */
export interface ScoreBlock {
  readonly scores: Float32Array;
  readonly columns: number;
}

/**
 * A relevance that mining can rank by: expressions and images against candidate images, block by block.
 * Candidates are numbered 0 … candidateCount-1 in ascending order of their image row.
 */
export interface Scorer {
  readonly candidateCount: number;
  /** Candidates per block; the last block may hold fewer valid columns. */
  readonly blockColumns: number;
  /** The most rows that one call of `expressions` or `images` may ask for. */
  readonly blockRows: number;
  /** Makes block `index` current for the calls that follow. */
  load(index: number): Promise<void>;
  /** Text-to-image scores of expression rows against the current block. Neither side modifies `rows`. */
  expressions(rows: Int32Array): Promise<ScoreBlock>;
  /** Image-to-image scores of image rows against the current block. */
  images(rows: Int32Array): Promise<ScoreBlock>;
  /** Text-to-image scores of expression–image pairs, row by row. */
  pairs(expressionRows: Int32Array, imageRows: Int32Array): Promise<Float32Array>;
  /**
   * Miners that can mine steps of at most `rows` expressions at the same time as each other, to the same bytes; `timing` gets
   * the stages of one that works in this thread. `PlainMiner` mines by the scores above where this is absent.
   */
  miners?(rank: Rank, depth: number, rows: number, timing?: StageTimer): Promise<readonly StepMiner[]>;
  close(): Promise<void>;
}

/** What candidates are ranked by: text-to-image, image-to-image, or the mean of the two scores. */
export type Rank = "t2i" | "i2i" | "mean";

/** Aligned columns [expressions, depth], best first; ids are positions among the candidates until translated. */
export interface MinedColumns {
  readonly ids: Int32Array;
  readonly t2i: Float32Array;
  readonly i2i: Float32Array;
}

/** Mines steps of expressions. */
export interface StepMiner {
  /**
   * Ranks every candidate exactly, keeps the best (ties by the smaller id) and fills in both scores. `expressions[e]` has its image
   * in `images[imageOf[e]]`; expressions are sorted by image.
   */
  mine(expressions: Int32Array, images: Int32Array, imageOf: Int32Array): Promise<MinedColumns>;
}
