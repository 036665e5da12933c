import type { Preset } from "./presets.ts";
import type { Score } from "./score.ts";

/** The thresholds of P@X. */
export const precisionThresholds = [0.5, 0.6, 0.7, 0.8, 0.9] as const;
/** The thresholds of Pr@X, which counts samples with a target only. */
export const targetPrecisionThresholds = [0.7, 0.8, 0.9] as const;

/** Every metric's name, in the order of tables. */
export const metricNames = [
  "oIoU",
  "mIoU",
  "P@0.5",
  "P@0.6",
  "P@0.7",
  "P@0.8",
  "P@0.9",
  "gIoU",
  "cIoU",
  "N-acc",
  "T-acc",
  "Pr@0.7",
  "Pr@0.8",
  "Pr@0.9",
] as const;
export type MetricName = (typeof metricNames)[number];

/** Values as shares, 0 … 1. gIoU is mIoU and cIoU is oIoU under the names that GRES gives them. */
export type Metrics = Readonly<Record<MetricName, number>>;

// A row of sums: samples, targets, ΣIoU, ΣI, ΣU, P@ × 5, Pr@ × 3, no-target right, target right.
const columns = {
  samples: 0,
  targets: 1,
  iou: 2,
  intersection: 3,
  union: 4,
  precision: 5,
  targetPrecision: 10,
  noTargetRight: 13,
  targetRight: 14,
};

/** The length of a row of sums. */
export const sumCount = 15;

/**
 * Adds one sample to the row of `sums` that starts at `offset`. Rows add up: the sums of a set of samples are the sum of
 * their rows, which is what the bootstrap rests on.
 */
export function addScore(sums: Float64Array, offset: number, sample: Score, preset: Preset): void {
  add(sums, offset + columns.samples, 1);
  add(sums, offset + columns.iou, sample.iou);
  add(sums, offset + columns.intersection, sample.intersection);
  add(sums, offset + columns.union, sample.union);
  precisionThresholds.forEach((threshold, i) => {
    if (reaches(sample.iou, threshold, preset)) add(sums, offset + columns.precision + i, 1);
  });
  if (sample.noTarget) {
    if (sample.predictedNoTarget) add(sums, offset + columns.noTargetRight, 1);
    return;
  }
  add(sums, offset + columns.targets, 1);
  if (!sample.predictedNoTarget) add(sums, offset + columns.targetRight, 1);
  targetPrecisionThresholds.forEach((threshold, i) => {
    if (reaches(sample.iou, threshold, preset)) add(sums, offset + columns.targetPrecision + i, 1);
  });
}

/** The metrics of a row of sums; 0 where one is undefined (no sample, no target, no pixel). */
export function metricsOf(sums: Float64Array, preset: Preset, offset = 0): Metrics {
  const at = (column: number): number => sums[offset + column] ?? 0;
  const samples = at(columns.samples);
  const targets = at(columns.targets);
  const noTargets = samples - targets;
  const mean = ratio(at(columns.iou), samples);
  const overall = ratio(at(columns.intersection), at(columns.union));
  const precision = (i: number): number => ratio(at(columns.precision + i), samples);
  const targetPrecision = (i: number): number => ratio(at(columns.targetPrecision + i), targets);
  const targetAccuracy = ratio(at(columns.targetRight), targets);
  return {
    oIoU: overall,
    mIoU: mean,
    "P@0.5": precision(0),
    "P@0.6": precision(1),
    "P@0.7": precision(2),
    "P@0.8": precision(3),
    "P@0.9": precision(4),
    gIoU: mean,
    cIoU: overall,
    "N-acc": ratio(at(columns.noTargetRight), noTargets),
    "T-acc": preset.targetAccuracyNeedsNoTarget && noTargets === 0 ? 0 : targetAccuracy,
    "Pr@0.7": targetPrecision(0),
    "Pr@0.8": targetPrecision(1),
    "Pr@0.9": targetPrecision(2),
  };
}

/** The metrics of a list of samples. */
export function metricsOfScores(scores: readonly Score[], preset: Preset): Metrics {
  const sums = new Float64Array(sumCount);
  for (const sample of scores) addScore(sums, 0, sample, preset);
  return metricsOf(sums, preset);
}

function reaches(iou: number, threshold: number, preset: Preset): boolean {
  const limit = preset.precision.singlePrecision ? Math.fround(threshold) : threshold;
  return preset.precision.inclusive ? iou >= limit : iou > limit;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function add(sums: Float64Array, at: number, amount: number): void {
  sums[at] = (sums[at] ?? 0) + amount;
}
