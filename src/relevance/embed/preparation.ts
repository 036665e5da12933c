import type { Preprocessing } from "../clip/index.ts";

/**
 * How images are decoded: "exact" as Pillow does, or "fast", where JPEGs are scaled down by 2, 4 or 8 while they are
 * decoded as long as they stay at least as large as the model's input.
 */
export type Decode = "exact" | "fast";

/** What is taken of an image in place of the whole: boxes x, y, width, height one after the other, in pixels of that size. */
export interface Cut {
  readonly width: number;
  readonly height: number;
  readonly boxes: Int32Array;
}

/** What a preparer does to each image; also what its workers are started with. */
export interface Preparation {
  readonly preprocessing: Preprocessing;
  readonly decode: Decode;
}
