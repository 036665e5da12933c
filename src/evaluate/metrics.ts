import type { Preset } from "./presets.ts";
import type { Score } from "./score.ts";

/** The thresholds of P@X, rising; Pr@X, which counts samples with a target only, has the last three. */
export const precisionThresholds = [0.5, 0.6, 0.7, 0.8, 0.9] as const;

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

// The columns of a table of sums: samples, targets, ΣIoU, ΣI, ΣU, P@ × 5, Pr@ × 3, no-target right, target right.
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

/** The number of sums. */
export const sumCount = 15;

/**
 * Adds one sample to a table of sums in columns: that of column c stands at c × stride + row. Rows add up: the sums of a
 * set of samples are the sum of its rows, which is what the bootstrap rests on.
 */
export function addScore(sums: Float64Array, row: number, stride: number, sample: Score, preset: Preset): void {
  const add = (column: number, amount: number): void => {
    const at = column * stride + row;
    sums[at] = (sums[at] ?? 0) + amount;
  };
  add(columns.samples, 1);
  add(columns.iou, sample.iou);
  add(columns.intersection, sample.intersection);
  add(columns.union, sample.union);
  let reached = 0;
  for (const threshold of precisionThresholds) {
    if (!reaches(sample.iou, threshold, preset)) break;
    add(columns.precision + reached++, 1);
  }
  if (sample.noTarget) {
    if (sample.predictedNoTarget) add(columns.noTargetRight, 1);
    return;
  }
  add(columns.targets, 1);
  if (!sample.predictedNoTarget) add(columns.targetRight, 1);
  // Pr@X has the last three of the thresholds of P@X.
  for (let i = 0; i < reached - 2; i++) add(columns.targetPrecision + i, 1);
}

/** The metrics of a row of sums; 0 where one is undefined (no sample, no target, no pixel). */
export function metricsOf(sums: Float64Array, preset: Preset): Metrics {
  const at = (column: number): number => sums[column] ?? 0;
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
  for (const sample of scores) addScore(sums, 0, 1, sample, preset);
  return metricsOf(sums, preset);
}

function reaches(iou: number, threshold: number, preset: Preset): boolean {
  const limit = preset.precision.singlePrecision ? Math.fround(threshold) : threshold;
  return preset.precision.inclusive ? iou >= limit : iou > limit;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
