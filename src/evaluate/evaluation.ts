import type { Rle } from "../kernels/index.ts";
import type { Interval } from "./bootstrap.ts";
import type { MetricName } from "./metrics.ts";
import type { Preset } from "./presets.ts";
import type { Score } from "./score.ts";
import type { Truth } from "./truth.ts";

/** One scored expression. */
export interface Sample {
  readonly truth: Truth;
  readonly score: Score;
  /** Of the target's union at the original size, 0 … 1. */
  readonly areaShare: number;
  /** No prediction came, and the policy counted it as an empty one. */
  readonly missing: boolean;
  /** Reads the prediction's mask again, at the size compared at, while the predictions are open. For pictures. */
  readonly predicted: () => Promise<Rle>;
}

/** A metric's value with its 95 % interval, where there is one. */
export interface Estimate extends Interval {
  readonly value: number;
}

export type Estimates = Readonly<Record<MetricName, Estimate>>;

export interface BinResult {
  readonly label: string;
  readonly samples: number;
  readonly images: number;
  readonly metrics: Estimates;
}

export interface BreakdownResult {
  readonly name: string;
  readonly title: string;
  readonly bins: readonly BinResult[];
}

/** R-RefCOCO's measures, which robustness.ts defines. */
export interface Robustness {
  /** Refs that have sentences of both sorts. */
  readonly refs: number;
  readonly images: number;
  readonly mIoU: Estimate;
  readonly oIoU: Estimate;
  readonly mRR: Estimate;
  readonly rIoU: Estimate;
}

/** What was counted, dropped or filled in on the way; every policy leaves its number here. */
export interface Counts {
  /** Expressions of the truth in the splits and the list asked for. */
  readonly expressions: number;
  /** Of these, left out since the preset scores one sentence of a ref. */
  readonly otherSentences: number;
  /** Truths dropped since their key had come before. */
  readonly repeatedTruths: number;
  readonly predictions: number;
  /** Predictions dropped since one of the same expression and content had come (a padded sampler). */
  readonly repeatedPredictions: number;
  /** Predictions dropped by the duplicate policy. */
  readonly replacedPredictions: number;
  readonly missing: number;
  readonly extra: number;
  readonly wrongSize: number;
  /** Predictions of expressions that are not scored: of another split or sentence, or not in the list. */
  readonly unused: number;
  /** Files of the predictions' folder that are of no kind that is read. */
  readonly ignoredFiles: number;
}

/** The result of `evaluate`. */
export interface Evaluation {
  readonly preset: Preset;
  readonly splits: readonly string[];
  readonly counts: Counts;
  /** How whole numbers of PNG and NPY files were read. */
  readonly levelsRead: "masks" | "probabilities";
  readonly idsRead: "sentence" | "ref" | undefined;
  readonly emptyBelowPx: number;
  readonly bootstrap: { readonly seed: number; readonly replicates: number; readonly leastImages: number };
  readonly samples: readonly Sample[];
  readonly images: number;
  readonly noTargets: number;
  readonly metrics: Estimates;
  readonly breakdowns: readonly BreakdownResult[];
  /** Where refs have true and false sentences, as in R-RefCOCO. */
  readonly robustness?: Robustness;
}
