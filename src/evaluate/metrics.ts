import type { Preset } from "./presets.ts";
import type { Score } from "./score.ts";

/** The thresholds of P@X, rising. */
export const precisionThresholds = [0.5, 0.6, 0.7, 0.8, 0.9] as const;
/** Those of Pr@X, which counts samples with a target only: the last of them. */
export const targetPrecisionThresholds = [0.7, 0.8, 0.9] as const;

const precisionNames = precisionThresholds.map((threshold) => `P@${threshold}` as const);
const targetPrecisionNames = targetPrecisionThresholds.map((threshold) => `Pr@${threshold}` as const);

export type MetricName =
  | "oIoU"
  | "mIoU"
  | "gIoU"
  | "cIoU"
  | "N-acc"
  | "T-acc"
  | (typeof precisionNames)[number]
  | (typeof targetPrecisionNames)[number];

/** Every metric's name, in the order of tables. */
export const metricNames: readonly MetricName[] = [
  "oIoU",
  "mIoU",
  ...precisionNames,
  "gIoU",
  "cIoU",
  "N-acc",
  "T-acc",
  ...targetPrecisionNames,
];

/** Values as shares, 0 … 1. gIoU is mIoU and cIoU is oIoU under the names that GRES gives them. */
export type Metrics = Readonly<Record<MetricName, number>>;

type Sum =
  | "samples"
  | "targets"
  | "iou"
  | "intersection"
  | "union"
  | "precision"
  | "targetPrecision"
  | "noTargetRight"
  | "targetRight";

/** How many columns of a table of sums each thing counted has, in their order. */
const columnCounts: Readonly<Record<Sum, number>> = {
  samples: 1,
  targets: 1,
  iou: 1,
  intersection: 1,
  union: 1,
  precision: precisionThresholds.length,
  targetPrecision: targetPrecisionThresholds.length,
  noTargetRight: 1,
  targetRight: 1,
};

/** The number of sums. */
export const sumCount = Object.values(columnCounts).reduce((sum, count) => sum + count, 0);

/** The first column of each. */
const columns = firstColumns();

function firstColumns(): Readonly<Record<Sum, number>> {
  const first = { ...columnCounts };
  let next = 0;
  for (const name of Object.keys(columnCounts) as Sum[]) {
    first[name] = next;
    next += columnCounts[name];
  }
  return first;
}

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
  const below = precisionThresholds.length - targetPrecisionThresholds.length;
  for (let i = 0; i < reached - below; i++) add(columns.targetPrecision + i, 1);
}

/** The metrics of a row of sums; 0 where one is undefined (no sample, no target, no pixel). */
export function metricsOf(sums: Float64Array, preset: Preset): Metrics {
  const at = (column: number): number => sums[column] ?? 0;
  const samples = at(columns.samples);
  const targets = at(columns.targets);
  const noTargets = samples - targets;
  const mean = ratio(at(columns.iou), samples);
  const overall = ratio(at(columns.intersection), at(columns.union));
  const targetAccuracy = ratio(at(columns.targetRight), targets);
  const metrics: Record<MetricName, number> = { ...nothing };
  metrics.oIoU = overall;
  metrics.mIoU = mean;
  metrics.gIoU = mean;
  metrics.cIoU = overall;
  metrics["N-acc"] = ratio(at(columns.noTargetRight), noTargets);
  metrics["T-acc"] = preset.targetAccuracyNeedsNoTarget && noTargets === 0 ? 0 : targetAccuracy;
  precisionNames.forEach((name, i) => {
    metrics[name] = ratio(at(columns.precision + i), samples);
  });
  targetPrecisionNames.forEach((name, i) => {
    metrics[name] = ratio(at(columns.targetPrecision + i), targets);
  });
  return metrics;
}

/** Every metric in the order of tables. */
const nothing = Object.fromEntries(metricNames.map((name) => [name, 0])) as Record<MetricName, number>;

/** Whether a row of sums has any sample. */
export function hasSamples(sums: Float64Array): boolean {
  return sums[columns.samples] !== 0;
}

function reaches(iou: number, threshold: number, preset: Preset): boolean {
  const limit = preset.precision.singlePrecision ? Math.fround(threshold) : threshold;
  return preset.precision.inclusive ? iou >= limit : iou > limit;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
