import type { Comparison, Gains } from "../compare.ts";
import type { Counts, Estimates, Evaluation } from "../evaluation.ts";
import { type MetricName, metricNames } from "../metrics.ts";

/** The columns of a breakdown on the terminal. */
const binMetrics = ["oIoU", "mIoU", "P@0.5", "P@0.7", "P@0.9"] as const;

/** An evaluation as plain text for a terminal: what was scored, every metric with its interval, the breakdowns. */
export function evaluationText(evaluation: Evaluation): string {
  const lines = [heading(evaluation), ...countLines(evaluation.counts), ""];
  const metrics = shownMetrics(isGeneralised(evaluation));
  lines.push(
    ...columns([["metric", "value", "95 % interval"], ...metrics.map((name) => estimateRow(name, evaluation.metrics))]),
  );
  for (const breakdown of evaluation.breakdowns) {
    if (breakdown.bins.length < 2) continue;
    const header = [breakdown.title, "samples", ...binMetrics];
    const rows = breakdown.bins.map((bin) => [
      `  ${bin.label}`,
      String(bin.samples),
      ...binMetrics.map((name) => percent(bin.metrics[name].value)),
    ]);
    lines.push("", ...columns([header, ...rows]));
  }
  return `${lines.join("\n")}\n`;
}

/** A comparison as plain text: the gain of b over a in each metric, then in oIoU and mIoU by bin. */
export function comparisonText(comparison: Comparison, nameA: string, nameB: string): string {
  const lines = [
    `gain of ${nameB} over ${nameA} on ${comparison.samples} expressions of ${comparison.images} images (paired; * = the interval leaves 0 out)`,
    ...(comparison.onlyA + comparison.onlyB > 0
      ? [`left out: ${comparison.onlyA} only in ${nameA}, ${comparison.onlyB} only in ${nameB}`]
      : []),
    "",
  ];
  const rows = shownMetrics(comparison.noTargets > 0).map((name) => gainRow(name, comparison.gains, name));
  lines.push(...columns([["metric", "a", "b", "gain", "95 % interval"], ...rows]));
  for (const breakdown of comparison.breakdowns) {
    if (breakdown.bins.length < 2) continue;
    const header = [breakdown.title, "samples", "oIoU gain", "95 % interval", "mIoU gain", "95 % interval"];
    const bins = breakdown.bins.map((bin) => [
      `  ${bin.label}`,
      String(bin.samples),
      ...gainRow("", bin.gains, "oIoU").slice(3),
      ...gainRow("", bin.gains, "mIoU").slice(3),
    ]);
    lines.push("", ...columns([header, ...bins]));
  }
  return `${lines.join("\n")}\n`;
}

/** The metrics worth a line: the names and accuracies of GRES only where they are asked for. */
export function shownMetrics(generalised: boolean): readonly MetricName[] {
  return generalised ? metricNames : metricNames.filter((name) => /^(oIoU|mIoU|P@)/.test(name));
}

/** Whether an evaluation is one of generalised expressions (GRES): by its samples or its preset. */
export function isGeneralised(evaluation: Evaluation): boolean {
  return evaluation.noTargets > 0 || evaluation.preset.noTarget !== "ignored";
}

/** A share as per cent with two decimals, as papers print it. */
export function percent(share: number): string {
  return (share * 100).toFixed(2);
}

/** A difference of shares in points, with its sign. */
export function points(difference: number): string {
  return `${difference > 0 ? "+" : ""}${(difference * 100).toFixed(2)}`;
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
  return `preset ${preset.name} (${preset.evaluators}), ${size}: ${samples.length} expressions of ${images} images${without}; ${splits.join(", ")}`;
}

function estimateRow(name: MetricName, metrics: Estimates): string[] {
  const { value, low, high } = metrics[name];
  return [name, percent(value), `${percent(low)} to ${percent(high)}`];
}

function gainRow(label: string, gains: Gains, name: MetricName): string[] {
  const { a, b, gain, low, high, isClear } = gains[name];
  return [label, percent(a), percent(b), `${points(gain)}${isClear ? "*" : " "}`, `${points(low)} to ${points(high)}`];
}

/** Lines of columns two spaces apart: the first aligned left, the others right. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
