import { formatCount } from "../../io/index.ts";
import type { Interval } from "../bootstrap.ts";
import type { Comparison, Gains } from "../compare.ts";
import type { Counts, Estimate, Estimates, Evaluation } from "../evaluation.ts";
import { type MetricName, metricNames } from "../metrics.ts";
import { robustnessNames } from "../robustness.ts";
import { csvLine, formatTables, type TableFormat } from "./format-table.ts";

/** The columns of a breakdown on the terminal. */
const binMetrics = ["oIoU", "mIoU", "P@0.5", "P@0.7", "P@0.9"] as const;

/** An evaluation as text: what was scored, every metric with its interval, the breakdowns. */
export function evaluationText(evaluation: Evaluation, format: TableFormat = "text"): string {
  const { metrics, breakdowns, bootstrap, robustness } = evaluation;
  const names = shownMetrics(isGeneralised(evaluation), evaluation.noTargets);
  if (format === "csv") {
    const lines = (breakdown: string, bin: string, samples: number, images: number, values: Estimates): string[] =>
      names.map((name) => {
        const { value, low, high } = values[name];
        return csvLine([breakdown, bin, samples, images, name, value, low, high]);
      });
    return `${[
      "breakdown,bin,samples,images,metric,value,low,high",
      ...lines("all", "all", evaluation.samples.length, evaluation.images, metrics),
      ...(robustness === undefined
        ? []
        : robustnessNames.map((name) => {
            const { value, low, high } = robustness[name];
            return csvLine(["robustness", "refs", robustness.refs, robustness.images, name, value, low, high]);
          })),
      ...breakdowns.flatMap(({ name, bins }) =>
        bins.flatMap((bin) => lines(name, bin.label, bin.samples, bin.images, bin.metrics)),
      ),
    ].join("\n")}\n`;
  }
  const notes = [heading(evaluation), ...countLines(evaluation.counts)];
  if (evaluation.images < bootstrap.leastImages) notes.push(noIntervals(bootstrap.leastImages));
  const tables = [
    { header: ["metric", "value", "95 % interval"], rows: names.map((name) => estimateRow(name, metrics[name])) },
    ...(robustness === undefined
      ? []
      : [
          {
            title: `R-RefCOCO's measures, over ${formatCount(robustness.refs, "ref")} with true and false sentences`,
            header: ["metric", "value", "95 % interval"],
            rows: robustnessNames.map((name) => estimateRow(name, robustness[name])),
          },
        ]),
    ...breakdowns
      .filter(({ bins }) => bins.length > 1)
      .map(({ title, bins }) => ({
        title,
        header: ["bin", "samples", ...binMetrics],
        rows: bins.map((bin) => [
          bin.label,
          String(bin.samples),
          ...binMetrics.map((name) => percent(bin.metrics[name].value)),
        ]),
      })),
  ];
  return formatTables(notes, tables, format);
}

/** A comparison as text: the gain of b over a in each metric, then in oIoU and mIoU by bin. */
export function comparisonText(
  comparison: Comparison,
  nameA: string,
  nameB: string,
  format: TableFormat = "text",
): string {
  const { gains, breakdowns } = comparison;
  const names = shownMetrics(comparison.noTargets > 0, comparison.noTargets);
  if (format === "csv") {
    const lines = (breakdown: string, bin: string, samples: number, images: number, values: Gains): string[] =>
      names.map((name) => {
        const { a, b, gain, low, high, isClear, deviations } = values[name];
        const clear = low === null ? null : isClear ? 1 : 0;
        return csvLine([
          breakdown,
          bin,
          samples,
          images,
          name,
          a,
          deviations[0],
          b,
          deviations[1],
          gain,
          low,
          high,
          clear,
        ]);
      });
    return `${[
      "breakdown,bin,samples,images,metric,a,a_deviation,b,b_deviation,gain,low,high,clear",
      ...lines("all", "all", comparison.samples, comparison.images, gains),
      ...breakdowns.flatMap(({ name, bins }) =>
        bins.flatMap((bin) => lines(name, bin.label, bin.samples, bin.images, bin.gains)),
      ),
    ].join("\n")}\n`;
  }
  const tables = [
    { header: ["metric", "a", "b", "gain", "95 % interval"], rows: names.map((name) => gainRow(name, gains, name)) },
    ...breakdowns
      .filter(({ bins }) => bins.length > 1)
      .map(({ title, bins }) => ({
        title,
        header: ["bin", "samples", "oIoU gain", "95 % interval", "mIoU gain", "95 % interval"],
        rows: bins.map((bin) => [
          bin.label,
          String(bin.samples),
          ...gainRow("", bin.gains, "oIoU").slice(3),
          ...gainRow("", bin.gains, "mIoU").slice(3),
        ]),
      })),
  ];
  return formatTables(comparisonNotes(comparison, nameA, nameB), tables, format);
}

/** What a comparison is of, and how its numbers were made. */
export function comparisonNotes(comparison: Comparison, nameA: string, nameB: string): string[] {
  const { seeds, images, samples, onlyA, onlyB, breakdowns } = comparison;
  const isThin = images < comparison.leastImages || breakdowns.some(({ bins }) => bins.some(isWithout));
  return [
    `gain of ${nameB} over ${nameA} on ${formatCount(samples, "expression")} of ${formatCount(images, "image")} (paired; * = the interval leaves 0 out)`,
    ...(Math.max(...seeds) > 1
      ? [
          `means over ${seeds[0]} and ${seeds[1]} training seeds, ± one standard deviation; intervals over images and seeds`,
        ]
      : []),
    ...(onlyA + onlyB > 0 ? [`left out: ${onlyA} only in ${nameA}, ${onlyB} only in ${nameB}`] : []),
    ...(isThin ? [noIntervals(comparison.leastImages)] : []),
  ];
}

function isWithout(bin: { readonly gains: Gains }): boolean {
  return bin.gains.oIoU.low === null;
}

function noIntervals(least: number): string {
  return `no interval, and no *, for numbers from fewer than ${least} images (--least)`;
}

/** "12.3 to 45.6", or a dash where there is no interval. */
export function intervalText({ low, high }: Interval, write: (value: number) => string): string {
  return low === null || high === null ? "–" : `${write(low)} to ${write(high)}`;
}

/** A value with its standard deviation over seeds, where there are several. */
export function withDeviation(value: number, deviation: number | null): string {
  return deviation === null ? percent(value) : `${percent(value)} ± ${percent(deviation)}`;
}

/**
 * The metrics worth a line: the names and accuracies of GRES only where they are asked for; without a no-target sample, no
 * accuracy on them, which would be an empty 0, and no Pr@X, which is P@X then.
 */
export function shownMetrics(isGeneral: boolean, noTargets: number): readonly MetricName[] {
  if (!isGeneral) return metricNames.filter((name) => /^(oIoU|mIoU|P@)/.test(name));
  return noTargets > 0 ? metricNames : metricNames.filter((name) => !/^(N-acc|Pr@)/.test(name));
}

/** Whether an evaluation is one of generalised expressions (GRES): by its samples or its preset. */
export function isGeneralised(evaluation: Evaluation): boolean {
  return evaluation.noTargets > 0 || evaluation.preset.noTarget !== "ignored";
}

/** A share as per cent with two decimals, as papers print it. */
export function percent(share: number): string {
  return (share * 100).toFixed(2);
}

/** A difference of shares in points, with its sign; what rounds to zero has none. */
export function points(difference: number): string {
  const text = (difference * 100).toFixed(2);
  if (Number(text) === 0) return "0.00";
  return `${difference > 0 ? "+" : ""}${text}`;
}

/** What was left out or filled in, one line each; nothing where all is as it should be. */
export function countLines(counts: Counts): string[] {
  const told: [number, string][] = [
    [counts.otherSentences, "sentences not scored: the preset takes one of each ref"],
    [counts.repeatedPredictions, "repeated predictions dropped (same expression, same content)"],
    [counts.replacedPredictions, "duplicate predictions dropped by --duplicate"],
    [counts.repeatedTruths, "repeated expressions of the truth dropped"],
    [counts.missing, "expressions without a prediction (--missing)"],
    [counts.extra, "predictions of no expression (--extra)"],
    [counts.wrongSize, "predictions of another size (--wrong-size)"],
    [counts.unused, "predictions not used: of other splits or sentences, or not in the list"],
    [counts.ignoredFiles, "other files in the folder, not read"],
  ];
  return told.filter(([count]) => count > 0).map(([count, text]) => `${count} ${text}`);
}

function heading(evaluation: Evaluation): string {
  const { preset, samples, images, noTargets, splits } = evaluation;
  const size = preset.size.at === "original" ? "original size" : `${preset.size.sizePx} × ${preset.size.sizePx}`;
  const without = noTargets > 0 ? `, ${noTargets} without a target` : "";
  return `preset ${preset.name} (${preset.evaluators}), ${size}: ${formatCount(samples.length, "expression")} of ${formatCount(images, "image")}${without}; ${splits.join(", ")}`;
}

function estimateRow(name: string, estimate: Estimate): string[] {
  return [name, percent(estimate.value), intervalText(estimate, percent)];
}

function gainRow(label: string, gains: Gains, name: MetricName): string[] {
  const { a, b, gain, isClear, deviations } = gains[name];
  const sides = [withDeviation(a, deviations[0]), withDeviation(b, deviations[1])];
  return [label, ...sides, `${points(gain)}${isClear ? "*" : " "}`, intervalText(gains[name], points)];
}
