import type { Tensor } from "onnxruntime-node";

/** Rows made ready for a screen. */
export interface ScreenRows {
  readonly tensor: Tensor;
  /** What to multiply the scores of a row with. */
  readonly scales: Float32Array;
  /**
   * Twice the most by which a row's approximate scores can be off, rounding included, but for what is added to all scores of
   * the row: a candidate further than this below `depth` others is not among the exact `depth` best.
   */
  readonly margins: Float32Array;
  /** What is added to all scores of a row: an exact score is the approximate one plus this, give or take half the margin. */
  readonly shifts: Float64Array;
}

/** What turns a block's raw scores into approximate ones: raw · scales[candidate] · scale of the row + offsets[candidate]. */
export interface ScreenBlock {
  readonly scales: Float32Array;
  readonly offsets: Float32Array;
}

/** Approximate scores of rows of vectors against blocks of candidates, with a proven bound: cheap enough to find the few worth an exact one. */
export interface Screen {
  /** The raw scores' type; float32 ones need no turning. */
  readonly raw: "int32" | "float32";
  /** Makes at most `shape.rows` vectors ready; `vectors` [count, dimension] are not kept. */
  prepare(vectors: Float32Array, count: number): ScreenRows;
  /** Makes candidate block `index` current. */
  load(index: number): Promise<ScreenBlock | undefined>;
  /** Makes the sample of candidates current, whose scores tell where to begin: `shape.scouts`, evenly spread. */
  loadScouts?(): ScreenBlock;
  /** Writes the raw scores [shape.rows, shape.scouts] of `rows` against the sample. */
  scout?(rows: ScreenRows, scores: Tensor): Promise<void>;
  /** Writes the raw scores [shape.rows, shape.columns] of `rows` against the current block to `scores`, of their type. */
  score(rows: ScreenRows, scores: Tensor): Promise<void>;
  close(): Promise<void>;
}

export interface ScreenShape {
  readonly rows: number;
  readonly columns: number;
  readonly dimension: number;
  /** Candidates in the sample, a multiple of 16; 0 for none. */
  readonly scouts: number;
}

/**
 * More than what float32 can lose between a dot product of two vectors as the kernel's `dots` sums it and the real one: of
 * length 1.01 at most, which is what `readVectors` lets pass. Leaves room for the roundings of a screen's own numbers near 1.
 */
export function roundingOf(dimension: number): number {
  return (dimension / 16 + 16) * 2 ** -22;
}
