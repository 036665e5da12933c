import {
  type BootstrapOptions,
  bootstrap,
  type Group,
  groupOf,
  intervalOf,
  type Replicates,
  totalOf,
} from "./bootstrap.ts";
import { type Breakdown, binOrder } from "./breakdowns.ts";
import type { BreakdownResult, Estimates, Sample } from "./evaluation.ts";
import { type MetricName, metricNames, metricsOf } from "./metrics.ts";
import type { Preset } from "./presets.ts";

/** A bin of samples that is to be estimated. */
export interface Bin {
  readonly breakdown: Breakdown;
  readonly label: string;
  readonly samples: readonly Sample[];
}

export interface Summary {
  readonly metrics: Estimates;
  readonly breakdowns: readonly BreakdownResult[];
  readonly images: number;
}

/** The metrics of all samples and of every bin of every breakdown, with intervals from one bootstrap by image. */
export function summarise(
  samples: readonly Sample[],
  breakdowns: readonly Breakdown[],
  preset: Preset,
  options: BootstrapOptions,
): Summary {
  const images = imageNumbers(samples);
  const bins = breakdowns.flatMap((breakdown) => binsOf(breakdown, samples));
  const groups = [samples, ...bins.map((bin) => bin.samples)].map((members) => groupOfSamples(members, images, preset));
  const [whole, ...others] = estimates(groups, images.size, preset, options);
  return {
    metrics: whole?.metrics ?? noEstimates(),
    images: images.size,
    breakdowns: breakdowns.map((breakdown) => ({
      name: breakdown.name,
      title: breakdown.title,
      bins: bins.flatMap((bin, i) => {
        const found = others[i];
        if (bin.breakdown !== breakdown || found === undefined) return [];
        return [{ label: bin.label, samples: bin.samples.length, ...found }];
      }),
    })),
  };
}

/** The bins of a breakdown that hold samples, in order. */
export function binsOf(breakdown: Breakdown, samples: readonly Sample[]): Bin[] {
  const found = new Map<string, Sample[]>();
  for (const sample of samples) {
    const label = breakdown.binOf({
      truth: sample.truth,
      areaShare: sample.areaShare,
      noTarget: sample.score.noTarget,
    });
    if (label === undefined) continue;
    const members = found.get(label);
    if (members === undefined) found.set(label, [sample]);
    else members.push(sample);
  }
  return binOrder(breakdown, found.keys()).map((label) => ({ breakdown, label, samples: found.get(label) ?? [] }));
}

/** A number for each image, in the order of appearance. */
export function imageNumbers(samples: readonly Sample[]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const { truth } of samples) if (!numbers.has(truth.imageKey)) numbers.set(truth.imageKey, numbers.size);
  return numbers;
}

/** The sums by image of some samples. */
export function groupOfSamples(samples: readonly Sample[], images: ReadonlyMap<string, number>, preset: Preset): Group {
  return groupOf(
    samples.map((sample) => [images.get(sample.truth.imageKey) ?? 0, sample.score]),
    preset,
  );
}

function estimates(
  groups: readonly Group[],
  images: number,
  preset: Preset,
  options: BootstrapOptions,
): { metrics: Estimates; images: number }[] {
  const replicates = bootstrap(groups, images, preset, options);
  return groups.map((group, i) => {
    const values = metricsOf(totalOf(group), preset);
    const drawn: Replicates | undefined = replicates[i];
    return {
      images: group.images.length,
      metrics: byMetric((name) => ({
        value: values[name],
        ...intervalOf(drawn?.[name] ?? new Float64Array(0), values[name], group.images.length, options),
      })),
    };
  });
}

/** An object with one member a metric. */
export function byMetric<T>(of: (name: MetricName) => T): Readonly<Record<MetricName, T>> {
  return Object.fromEntries(metricNames.map((name) => [name, of(name)])) as Record<MetricName, T>;
}

function noEstimates(): Estimates {
  return byMetric(() => ({ value: 0, low: 0, high: 0 }));
}
