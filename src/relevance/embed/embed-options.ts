import type { Progress, Shard } from "../../io/index.ts";
import type { ImageTextModel } from "../clip/index.ts";
import type { Decode } from "./preparation.ts";

/** Images by row, wherever they are kept. */
export interface ImageSource {
  readonly count: number;
  /** The encoded bytes (JPEG, PNG, …) of a row. */
  load(row: number): Promise<Uint8Array>;
  /** The row's name for error lines and the list of skipped ones. */
  name(row: number): string;
  /** Hash over names and contents: under another one, finished vectors do not count. */
  readonly hash: string;
  /** What is embedded of each image: the whole first, then crops; without it the whole alone. */
  readonly crops?: ImageCrops | undefined;
}

/** Crops of images: rows starts[i] up to starts[i + 1] of `boxes` (x, y, width, height a row) are image i's, the whole one first. */
export interface ImageCrops {
  /** What was asked for, and the hash of the boxes, for the manifest. */
  readonly of: string;
  readonly hash: string;
  readonly starts: Int32Array;
  readonly boxes: Int32Array;
}

export interface EmbedOptions {
  /**
   * Folder of the vectors; created. Holds `images.npy`, `images.json`, `expressions.npy`, `expressions.json`; with crops
   * `partFiles` too.
   */
  readonly folder: string;
  readonly model: ImageTextModel;
  readonly images: ImageSource;
  /** One text per row of `expressions.npy`; equal texts are embedded once. */
  readonly texts: readonly string[];
  /** What a corrupt or missing image does: ends the run, or leaves a row of zeros that the manifest lists. */
  readonly onBad: "fail" | "skip";
  /**
   * Images that are decoded, run and written together (default 16) and texts (default 32). Part of what makes the numbers.
   * On a CPU the model runs a batch in steps of a few images, whatever this is.
   */
  readonly imageBatch?: number;
  readonly textBatch?: number;
  /** "exact" (default) or "fast", which moves vectors a little (docs/relevance.md). Part of what makes the numbers. */
  readonly decode?: Decode;
  /** Threads that preprocess; default: one less than the cores, at least 1. Never changes a number. */
  readonly threads?: number;
  /**
   * Make the vectors anew, in place of finished ones of whatever inputs and model. The earlier ones stay until both matrices
   * are whole.
   */
  readonly force?: boolean;
  readonly progress?: Progress;
  /** Makes one share of the batches, as a part for `mergeEmbeddings`. */
  readonly shard?: Shard;
}
