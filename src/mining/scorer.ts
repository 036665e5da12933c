/** Scores of some rows against one block of candidates, row-major with stride `columns`. Valid until the next call. */
export interface ScoreBlock {
  readonly scores: Float32Array;
  readonly columns: number;
  /** The largest score of each run of `group` columns, row-major with stride columns / group; absent where not computed. */
  readonly peaks?: Float32Array;
  readonly group?: number;
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
  /** Makes block `index` current. */
  load(index: number): Promise<void>;
  /** Text-to-image scores of expression rows against the current block. */
  expressions(rows: Int32Array): Promise<ScoreBlock>;
  /** Image-to-image scores of image rows against the current block. */
  images(rows: Int32Array): Promise<ScoreBlock>;
  /** Text-to-image scores of expression–image pairs, row by row. */
  pairs(expressionRows: Int32Array, imageRows: Int32Array): Promise<Float32Array>;
  close(): Promise<void>;
}
