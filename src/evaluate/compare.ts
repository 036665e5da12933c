import { CounterRandom } from "../kernels/index.ts";
import { fail } from "../model/index.ts";
import {
  type BootstrapOptions,
  bootstrap,
  type Interval,
  intervalOf,
  leastImages,
  type Replicates,
  totalOf,
} from "./bootstrap.ts";
import { breakdowns as allBreakdowns, type Breakdown } from "./breakdowns.ts";
import type { Evaluation, Sample } from "./evaluation.ts";
import { type MetricName, type Metrics, metricsOf } from "./metrics.ts";
import type { Preset } from "./presets.ts";
import { binsOf, byMetric, groupOfSamples, imageNumbers } from "./summarise.ts";

/** What b gains over a in one metric: b - a, means over seeds, with the 95 % interval of the paired difference. */
export interface Gain extends Interval {
  readonly a: number;
  readonly b: number;
  readonly gain: number;
  /** There is an interval, and it leaves 0 out. */
  readonly isClear: boolean;
  /** Standard deviations over the seeds of each side; null where a side has one. */
  readonly deviations: readonly [a: number | null, b: number | null];
}

export type Gains = Readonly<Record<MetricName, Gain>>;

export interface BinGain {
  readonly label: string;
  readonly samples: number;
  readonly images: number;
  readonly gains: Gains;
}

export interface Comparison {
  /** Evaluations behind each side: one model trained from so many seeds. */
  readonly seeds: readonly [a: number, b: number];
  readonly leastImages: number;
  readonly samples: number;
  readonly images: number;
  /** Samples without a target. */
  readonly noTargets: number;
  /** Samples that only one of the two has (predictions skipped by a policy). */
  readonly onlyA: number;
  readonly onlyB: number;
  readonly gains: Gains;
  readonly breakdowns: readonly { readonly name: string; readonly title: string; readonly bins: readonly BinGain[] }[];
}

/**
 * Compares two models, each by one evaluation or by those of several training seeds, under the same preset and truth. Each
 * replicate of the bootstrap draws images once and takes every model's samples of them, so that what is hard for all
 * cancels out; of several seeds it also draws as many with replacement, each side for itself. Bins are those of a's truth.
 * Expressions count that every evaluation has.
 */
export function compare(
  a: Evaluation | readonly Evaluation[],
  b: Evaluation | readonly Evaluation[],
  options: BootstrapOptions,
  breakdowns: readonly Breakdown[] = allBreakdowns,
): Comparison {
  const sides = [listOf(a), listOf(b)] as const;
  const [first] = sides[0];
  if (first === undefined || sides[1].length === 0) fail("usage", "expected a model on each side of a comparison");
  const { preset } = first;
  for (const other of sides.flat())
    if (JSON.stringify(preset) !== JSON.stringify(other.preset))
      fail(
        "usage",
        `expected both models under one preset, got "${preset.name}" and "${other.preset.name}", or changed in other ways`,
      );
  const ofEach = sides.map((side) =>
    side.map(({ samples }) => new Map(samples.map((sample) => [sample.truth.key, sample]))),
  );
  const isShared = (key: string): boolean => ofEach.flat().every((samples) => samples.has(key));
  const shared = first.samples.filter((sample) => isShared(sample.truth.key));
  if (shared.length === 0) fail("bad-input", "the two models have no scored expression in common");
  const images = imageNumbers(shared);
  const bins = breakdowns.flatMap((breakdown) => binsOf(breakdown, shared));
  const sets = [shared, ...bins.map((bin) => bin.samples)];
  const [whole, ...others] = gainsOf(sets, ofEach, images, preset, options);
  if (whole === undefined) return fail("internal", "no gains for the whole set");
  const only = (side: readonly Evaluation[]): number =>
    new Set(side.flatMap(({ samples }) => samples.map(({ truth }) => truth.key)).filter((key) => !isShared(key))).size;
  return {
    seeds: [sides[0].length, sides[1].length],
    leastImages: options.leastImages ?? leastImages,
    samples: shared.length,
    images: images.size,
    noTargets: shared.filter((sample) => sample.score.noTarget).length,
    onlyA: only(sides[0]),
    onlyB: only(sides[1]),
    gains: whole.gains,
    breakdowns: breakdowns.map((breakdown) => ({
      name: breakdown.name,
      title: breakdown.title,
      bins: bins.flatMap((bin, i) => {
        const found = others[i];
        return bin.breakdown !== breakdown || found === undefined
          ? []
          : [{ label: bin.label, samples: bin.samples.length, ...found }];
      }),
    })),
  };
}

type SamplesByKey = ReadonlyMap<string, Sample>;

function listOf(side: Evaluation | readonly Evaluation[]): readonly Evaluation[] {
  return Array.isArray(side) ? (side as readonly Evaluation[]) : [side as Evaluation];
}

function gainsOf(
  sets: readonly (readonly Sample[])[],
  sides: readonly (readonly SamplesByKey[])[],
  images: ReadonlyMap<string, number>,
  preset: Preset,
  options: BootstrapOptions,
): { gains: Gains; images: number }[] {
  const models = sides.flat();
  const groups = sets.flatMap((set) =>
    models.map((samples) =>
      groupOfSamples(
        set.map((sample) => samples.get(sample.truth.key) ?? sample),
        images,
        preset,
      ),
    ),
  );
  const replicates = bootstrap(groups, images.size, preset, options);
  const [seedsA = 0, seedsB = 0] = sides.map((side) => side.length);
  const weights = seedWeights(seedsA, seedsB, options);
  return sets.map((_, i) => {
    const from = i * models.length;
    const own = groups.slice(from, from + models.length);
    const values = own.map((group) => metricsOf(totalOf(group), preset));
    const drawn = replicates.slice(from, from + models.length);
    const count = own[0]?.images.length ?? 0;
    const sample = { values, drawn, weights, seedsA, images: count };
    return { images: count, gains: byMetric((name) => gainOf(name, sample, options)) };
  });
}

/** What the models of both sides have on one set of samples: those of a first, `seedsA` of them. */
interface MeasuredSet {
  readonly values: readonly Metrics[];
  readonly drawn: readonly Replicates[];
  /** Of each model in the difference, by replicate. */
  readonly weights: readonly Float64Array[];
  readonly seedsA: number;
  readonly images: number;
}

function gainOf(name: MetricName, set: MeasuredSet, options: BootstrapOptions): Gain {
  const { values, drawn, weights, seedsA, images } = set;
  const all = values.map((metrics) => metrics[name]);
  const [ofA, ofB] = [all.slice(0, seedsA), all.slice(seedsA)];
  const [a, b] = [mean(ofA), mean(ofB)];
  const differences = Float64Array.from({ length: options.replicates }, (_, replicate) =>
    drawn.reduce((sum, model, m) => {
      const weight = weights[m]?.[replicate] ?? 0;
      return weight === 0 ? sum : sum + weight * (model[name][replicate] ?? Number.NaN);
    }, 0),
  );
  const { low, high } = intervalOf(differences, b - a, images, options);
  const isClear = low !== null && high !== null && (low > 0 || high < 0);
  return { a, b, gain: b - a, low, high, isClear, deviations: [deviation(ofA), deviation(ofB)] };
}

/** The stream of random numbers that seeds of training are drawn from. */
const seedStream = 0x73_65_65_64;

/**
 * For every model its weight in the difference b - a of each replicate: of n seeds of a side, n are drawn with
 * replacement, and each drawn one counts ∓1/n. With one seed a side nothing is drawn.
 */
function seedWeights(seedsA: number, seedsB: number, { seed, replicates }: BootstrapOptions): Float64Array[] {
  const weights = Array.from({ length: seedsA + seedsB }, () => new Float64Array(replicates));
  for (let replicate = 0; replicate < replicates; replicate++) {
    const random = new CounterRandom(seed, 0, replicate, seedStream);
    for (const [from, count, sign] of [
      [0, seedsA, -1],
      [seedsA, seedsB, 1],
    ] as const) {
      for (let draw = 0; draw < count; draw++) {
        const weight = weights[from + (count === 1 ? 0 : random.below(count))];
        if (weight !== undefined) weight[replicate] = (weight[replicate] ?? 0) + sign / count;
      }
    }
  }
  return weights;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The sample standard deviation; null of fewer than two. */
function deviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}
