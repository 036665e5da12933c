import type { Preset } from "./presets.ts";
import type { Score } from "./score.ts";

/** The thresholds of P@X, rising. */
export const precisionThresholds = [0.5, 0.6, 0.7, 0.8, 0.9] as const;
/** Those of Pr@X, which counts samples with a target only: the last of them. */
export const targetPrecisionThresholds = [0.7, 0.8, 0.9] as const;

/** How many columns of a table of sums each thing counted has, in their order. */
const columnCounts = {
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
type Sum = keyof typeof columnCounts;

/** The number of sums. */
export const sumCount = Object.values(columnCounts).reduce((sum, count) => sum + count, 0);

/** The first column of each. */
const columns = firstColumns();

function firstColumns(): Readonly<Record<Sum, number>> {
  const first: Record<Sum, number> = { ...columnCounts };
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

/** A row of sums, and the convention by which it is read. */
interface Counted {
  readonly sums: Float64Array;
  readonly preset: Preset;
}

const at = ({ sums }: Counted, column: number): number => sums[column] ?? 0;
const mean = (counted: Counted): number => ratio(at(counted, columns.iou), at(counted, columns.samples));
const overall = (counted: Counted): number => ratio(at(counted, columns.intersection), at(counted, columns.union));
const noTargets = (counted: Counted): number => at(counted, columns.samples) - at(counted, columns.targets);

/**
 * Every metric, in the order of tables, as a share, 0 … 1, and 0 where it is undefined (no sample, no target, no pixel).
 * gIoU is mIoU and cIoU is oIoU under the names that GRES gives them.
 */
const measures = {
  oIoU: overall,
  mIoU: mean,
  ...shares("P@", precisionThresholds, columns.precision, columns.samples),
  gIoU: mean,
  cIoU: overall,
  "N-acc": (counted: Counted) => ratio(at(counted, columns.noTargetRight), noTargets(counted)),
  "T-acc": (counted: Counted) =>
    counted.preset.targetAccuracyNeedsNoTarget && noTargets(counted) === 0
      ? 0
      : ratio(at(counted, columns.targetRight), at(counted, columns.targets)),
  ...shares("Pr@", targetPrecisionThresholds, columns.targetPrecision, columns.targets),
};

export type MetricName = keyof typeof measures;
export type Metrics = Readonly<Record<MetricName, number>>;

/** Every metric's name, in the order of tables. */
export const metricNames = Object.keys(measures) as readonly MetricName[];

/** A metric for each threshold: the share of `whole` that the columns from `first` on counted. */
function shares<Prefix extends string, Threshold extends number>(
  prefix: Prefix,
  thresholds: readonly Threshold[],
  first: number,
  whole: number,
): Record<`${Prefix}${Threshold}`, (counted: Counted) => number> {
  const entries = thresholds.map((threshold, i) => [
    `${prefix}${threshold}`,
    (counted: Counted) => ratio(at(counted, first + i), at(counted, whole)),
  ]);
  return Object.fromEntries(entries) as Record<`${Prefix}${Threshold}`, (counted: Counted) => number>;
}

/** The metrics of a row of sums. */
export function metricsOf(sums: Float64Array, preset: Preset): Metrics {
  const counted = { sums, preset };
  const metrics: Record<MetricName, number> = { ...nothing };
  for (const name of metricNames) metrics[name] = measures[name](counted);
  return metrics;
}

/** Copied for each row: an object from entries takes four times as long. */
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
