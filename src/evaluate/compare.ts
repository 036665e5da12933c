import { fail } from "../model/index.ts";
import { type BootstrapOptions, bootstrap, interval95, totalOf } from "./bootstrap.ts";
import { breakdowns as allBreakdowns, type Breakdown } from "./breakdowns.ts";
import type { Evaluation, Sample } from "./evaluation.ts";
import { type MetricName, metricsOf } from "./metrics.ts";
import type { Preset } from "./presets.ts";
import { binsOf, byMetric, groupOfSamples, imageNumbers } from "./summarise.ts";

/** What b gains over a in one metric: b - a, with the 95 % interval of the paired difference. */
export interface Gain {
  readonly a: number;
  readonly b: number;
  readonly gain: number;
  readonly low: number;
  readonly high: number;
  /** The interval leaves 0 out. */
  readonly isClear: boolean;
}

export type Gains = Readonly<Record<MetricName, Gain>>;

export interface BinGain {
  readonly label: string;
  readonly samples: number;
  readonly images: number;
  readonly gains: Gains;
}

export interface Comparison {
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
 * Compares two evaluations of the same truth under the same preset: each replicate of the bootstrap draws images once
 * and takes both models' samples of them, so that what is hard for both cancels out. Bins are those of a's truth.
 */
export function compare(
  a: Evaluation,
  b: Evaluation,
  options: BootstrapOptions,
  breakdowns: readonly Breakdown[] = allBreakdowns,
): Comparison {
  const { preset } = a;
  if (JSON.stringify(preset) !== JSON.stringify(b.preset)) {
    fail(
      "usage",
      `expected both models under one preset, got "${preset.name}" and "${b.preset.name}", or changed in other ways`,
    );
  }
  const ofB = new Map(b.samples.map((sample) => [sample.truth.key, sample]));
  const shared = a.samples.filter((sample) => ofB.has(sample.truth.key));
  if (shared.length === 0) fail("bad-input", "the two models have no scored expression in common");
  const partner = (sample: Sample): Sample => ofB.get(sample.truth.key) ?? sample;
  const images = imageNumbers(shared);
  const bins = breakdowns.flatMap((breakdown) => binsOf(breakdown, shared));
  const sets = [shared, ...bins.map((bin) => bin.samples)];
  const gains = gainsOf(sets, partner, images, preset, options);
  const [whole, ...others] = gains;
  if (whole === undefined) return fail("internal", "no gains for the whole set");
  return {
    samples: shared.length,
    images: images.size,
    noTargets: shared.filter((sample) => sample.score.noTarget).length,
    onlyA: a.samples.length - shared.length,
    onlyB: b.samples.length - shared.length,
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

function gainsOf(
  sets: readonly (readonly Sample[])[],
  partner: (sample: Sample) => Sample,
  images: ReadonlyMap<string, number>,
  preset: Preset,
  options: BootstrapOptions,
): { gains: Gains; images: number }[] {
  const pairs = sets.flatMap((set) => [
    groupOfSamples(set, images, preset),
    groupOfSamples(set.map(partner), images, preset),
  ]);
  const replicates = bootstrap(pairs, images.size, preset, options);
  return sets.map((_, i) => {
    const [groupA, groupB] = [pairs[2 * i], pairs[2 * i + 1]];
    const [drawnA, drawnB] = [replicates[2 * i], replicates[2 * i + 1]];
    if (groupA === undefined || groupB === undefined || drawnA === undefined || drawnB === undefined) {
      return fail("internal", "a pair of groups is missing");
    }
    const valuesA = metricsOf(totalOf(groupA), preset);
    const valuesB = metricsOf(totalOf(groupB), preset);
    return {
      images: groupA.images.length,
      gains: byMetric((name) => {
        const gain = valuesB[name] - valuesA[name];
        const { low, high } = interval95(
          drawnB[name].map((value, r) => value - (drawnA[name][r] ?? 0)),
          gain,
        );
        return { a: valuesA[name], b: valuesB[name], gain, low, high, isClear: low > 0 || high < 0 };
      }),
    };
  });
}
