import type { Tensor } from "onnxruntime-node";

/** Rows made ready for a screen, and how far their approximate scores can be off. */
export interface Margins {
  /**
   * Twice the most by which a row's approximate scores can be off, rounding included, but for what is added to all scores of
   * the row: a candidate further than this below `depth` others is not among the exact `depth` best.
   */
  readonly margins: Float32Array;
  /** What is added to all scores of a row: an exact score is the approximate one plus this, give or take half the margin. */
  readonly shifts: Float64Array;
}

export interface ScreenRows extends Margins {
  readonly tensor: Tensor;
  /** What to multiply the scores of a row with. */
  readonly scales: Float32Array;
}

/** What turns a block's raw scores into approximate ones: raw · scales[candidate] · scale of the row + offsets[candidate]. */
export interface ScreenBlock {
  readonly scales: Float32Array;
  readonly offsets: Float32Array;
}

/** Approximate scores of rows of vectors against blocks of candidates, with a proven bound: cheap enough to find the few worth an exact one. */
export interface ScoreScreen {
  readonly manner: "scores";
  /** The raw scores' type; float32 ones need no turning. */
  readonly raw: "int32" | "float32";
  /** Rows that are scored at a time, at most `shape.rows`. */
  readonly rows: number;
  /** Makes at most `rows` vectors ready; `vectors` [count, dimension] are not kept. */
  prepare(vectors: Float32Array, count: number): ScreenRows;
  /** Makes candidate block `index` current. */
  load(index: number): Promise<ScreenBlock | undefined>;
  /** Writes the raw scores [rows, shape.columns] of `rows` against the current block to `scores`, of their type. */
  score(rows: ScreenRows, scores: Tensor): Promise<void>;
  close(): Promise<void>;
}

/** Rows as bytes, all of one scale, so that any of them can be put together. */
export interface ByteRows extends Margins {
  /** [count, dimension] */
  readonly data: Uint8Array;
}

/** How approximate scores become bytes b: low + step · b is off by at most `error`, but 0 is that or less, and 255 that or more. */
export interface Frame {
  readonly low: number;
  readonly step: number;
  readonly error: number;
  /** What is added to the sums of products, for each block of candidates. */
  readonly biases: readonly Tensor[];
}

/**
 * Approximate scores in bytes: a quarter of what would have to be moved and looked at. A frame tells apart what lies near the
 * end of a list, and a sample of the candidates tells where that is.
 */
export interface ByteScreen {
  readonly manner: "bytes";
  /** Rows that are scored at a time, at most `shape.rows`. */
  readonly rows: number;
  /** Of all rows. */
  readonly scale: number;
  /** `shape.sampleSize` candidates, evenly spread. */
  readonly sample: ScreenBlock;
  /** Makes vectors [count, dimension] ready, which are not kept. */
  prepare(vectors: Float32Array, count: number): ByteRows;
  /** Writes the raw scores [rows, shape.sampleSize], int32, of `rows` bytes [rows, dimension] against the sample. */
  scoreSample(rows: Tensor, scores: Tensor): Promise<void>;
  /** A frame in which scores from `low` to `high` are told apart. */
  frame(low: number, high: number): Frame;
  /** Writes the bytes [rows, shape.columns] of `rows` against block `index`. */
  score(rows: Tensor, frame: Frame, index: number, bytes: Tensor): Promise<void>;
  close(): Promise<void>;
}

export type Screen = ScoreScreen | ByteScreen;

export interface ScreenShape {
  /** The most rows of a screen. */
  readonly rows: number;
  readonly columns: number;
  readonly dimension: number;
  /** Candidates in the sample, a multiple of 16; 0 for none. */
  readonly sampleSize: number;
}

/**
 * More than what float32 can lose between a dot product of two vectors as the kernel's `rescore` sums it and the real one: of
 * length 1.01 at most, which is what `readVectors` lets pass. Leaves room for the roundings of a screen's own numbers near 1.
 */
export function roundingOf(dimension: number): number {
  return (dimension / 16 + 16) * 2 ** -22;
}
