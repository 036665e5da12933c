import { CounterRandom } from "../kernels/index.ts";
import { addScore, hasSamples, type MetricName, metricNames, metricsOf, sumCount } from "./metrics.ts";
import type { Preset } from "./presets.ts";
import type { Score } from "./score.ts";

/** Bounds of a 95 % interval; null where too few images stand behind a number to say one. */
export interface Interval {
  readonly low: number | null;
  readonly high: number | null;
}

/** A set of samples to resample: their sums by image. Groups of one bootstrap share its draws, so they are paired. */
export interface Group {
  readonly images: Int32Array;
  /** Sums in columns: that of column c and image i stands at c × images.length + i. */
  readonly sums: Float64Array;
}

/** One metric of every replicate; NaN where the replicate drew no sample of the group. */
export type Replicates = Readonly<Record<MetricName, Float64Array>>;

export interface BootstrapOptions {
  readonly seed: number;
  readonly replicates: number;
  /** Fewer images than this get no interval: resampling a handful of images says nothing of others. Default `leastImages`. */
  readonly leastImages?: number | undefined;
}

/** The fewest images whose resampling is told as an interval. */
export const leastImages = 10;

/** The stream of random numbers that this purpose draws from. */
const stream = 0x65_76_61_6c;

/** The sums by image of some samples; `imageOf` gives an image's number, 0 … images - 1. */
export function groupOf(scores: readonly (readonly [image: number, score: Score])[], preset: Preset): Group {
  const rows = new Map<number, number>();
  for (const [image] of scores) if (!rows.has(image)) rows.set(image, rows.size);
  const sums = new Float64Array(rows.size * sumCount);
  for (const [image, score] of scores) addScore(sums, rows.get(image) ?? 0, rows.size, score, preset);
  return { images: Int32Array.from(rows.keys()), sums };
}

/** The sums of a whole group. */
export function totalOf(group: Group): Float64Array {
  const count = group.images.length;
  return Float64Array.from({ length: sumCount }, (_, c) => sumOf(group.sums.subarray(c * count, (c + 1) * count)));
}

/**
 * The bootstrap by image (Efron 1979, clustered): each replicate draws `images` images with replacement and takes every
 * sample of a drawn image as often as it was drawn, since expressions of one image are not independent. Draw d of
 * replicate r is `below(images)` of the counter (seed, 0, r): the same for every group, and for any machine.
 */
export function bootstrap(
  groups: readonly Group[],
  images: number,
  preset: Preset,
  options: BootstrapOptions,
): Replicates[] {
  const resampled = groups.map((group) => ({
    group,
    columns: columnsOf(group),
    values: emptyReplicates(options.replicates),
  }));
  const times = new Uint32Array(images);
  const weights = new Float64Array(images);
  const row = new Float64Array(sumCount);
  for (let replicate = 0; replicate < options.replicates; replicate++) {
    drawImages(times, options.seed, replicate);
    for (const { group, columns, values } of resampled) {
      for (let i = 0; i < group.images.length; i++) weights[i] = times[group.images[i] ?? 0] ?? 0;
      weigh(group, columns, weights, row);
      const metrics = hasSamples(row) ? metricsOf(row, preset) : undefined;
      for (const name of metricNames) values[name][replicate] = metrics?.[name] ?? Number.NaN;
    }
  }
  return resampled.map(({ values }) => values);
}

/** For each column of sums, the first column of equal content, or -1 where all are 0: what need not be summed anew. */
function columnsOf(group: Group): Int8Array {
  const count = group.images.length;
  const column = (c: number): Float64Array => group.sums.subarray(c * count, (c + 1) * count);
  return Int8Array.from({ length: sumCount }, (_, c) => {
    const own = column(c);
    if (own.every((value) => value === 0)) return -1;
    for (let earlier = 0; earlier < c; earlier++) {
      const other = column(earlier);
      if (own.every((value, i) => value === other[i])) return earlier;
    }
    return c;
  });
}

/** Writes the weighted sum of every column to `row`. */
function weigh(group: Group, columns: Int8Array, weights: Float64Array, row: Float64Array): void {
  const count = group.images.length;
  for (let c = 0; c < sumCount; c++) {
    const from = columns[c] ?? -1;
    row[c] = from < 0 ? 0 : from < c ? (row[from] ?? 0) : product(weights, group.sums, c * count, count);
  }
}

function product(weights: Float64Array, sums: Float64Array, offset: number, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += weights[i]! * sums[offset + i]!;
  return sum;
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/**
 * The middle 95 % of some values by linear interpolation (NumPy's default quantile); NaN are left out. Where nothing is
 * left, `otherwise` stands for both bounds.
 */
export function interval95(values: Float64Array, otherwise: number): { readonly low: number; readonly high: number } {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  if (sorted.length === 0) return { low: otherwise, high: otherwise };
  return { low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
}

/** The interval of a number that rests on `images` images: none below the least number of them. */
export function intervalOf(
  values: Float64Array,
  otherwise: number,
  images: number,
  { leastImages: least = leastImages }: BootstrapOptions,
): Interval {
  return images < least ? { low: null, high: null } : interval95(values, otherwise);
}

function quantile(sorted: Float64Array, share: number): number {
  const position = (sorted.length - 1) * share;
  const below = Math.floor(position);
  const low = sorted[below] ?? 0;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low;
  return low + (high - low) * (position - below);
}

/** How often each image is drawn in a replicate, into `times`. */
export function drawImages(times: Uint32Array, seed: number, replicate: number): void {
  const random = new CounterRandom(seed, 0, replicate, stream);
  times.fill(0);
  for (let draw = 0; draw < times.length; draw++) {
    const image = random.below(times.length);
    times[image] = (times[image] ?? 0) + 1;
  }
}

function emptyReplicates(count: number): Record<MetricName, Float64Array> {
  return Object.fromEntries(metricNames.map((name) => [name, new Float64Array(count)])) as Record<
    MetricName,
    Float64Array
  >;
}
