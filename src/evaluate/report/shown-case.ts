import type { Sample } from "../evaluation.ts";

/** A sample shown as a picture; `jpeg` is undefined where its image could not be had, `problem` says why. */
export interface ShownCase {
  readonly sample: Sample;
  /** With the other model's, of a gallery of gains and losses. */
  readonly pair?: SamplePair;
  readonly jpeg: Uint8Array | undefined;
  readonly problem: string | undefined;
}

/** One expression as two models have it. */
export interface SamplePair {
  /** Of the first model (of its first seed, where it has several), and of the second. */
  readonly a: Sample;
  readonly b: Sample;
  /** What b gains in IoU, over the means of their seeds. */
  readonly gain: number;
}
