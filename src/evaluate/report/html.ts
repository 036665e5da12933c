import type { Comparison } from "../compare.ts";
import type { Evaluation, Sample } from "../evaluation.ts";
import type { DotChart } from "./dot-chart.ts";
import { escapeHtml } from "./escape-html.ts";
import { style } from "./style.ts";
import { countLines, isGeneralised, percent, points, shownMetrics } from "./table.ts";

/** A sample shown as a picture; `jpeg` is undefined where its image could not be had, `problem` says why. */
export interface ShownCase {
  readonly sample: Sample;
  readonly jpeg: Uint8Array | undefined;
  readonly problem: string | undefined;
}

export interface Report {
  readonly title: string;
  readonly evaluation: Evaluation;
  readonly cases: readonly ShownCase[];
  /** A second model, `evaluation` being the first. */
  readonly against?: { readonly nameA: string; readonly nameB: string; readonly comparison: Comparison };
}

/** An evaluation as one HTML page that needs nothing besides itself: charts as SVG, pictures inline, light and dark. */
export async function evaluationHtml(report: Report): Promise<string> {
  // Loaded by those who want a report only: Plot and what it needs are two hundred modules.
  const { dotChart } = await import("./dot-chart.ts");
  const { evaluation, against } = report;
  const sections = [
    overview(evaluation),
    against === undefined ? "" : gains(against.comparison, against.nameA, against.nameB, dotChart),
    ...evaluation.breakdowns
      .filter((breakdown) => breakdown.bins.length > 1)
      .map((breakdown) => {
        const chart: DotChart = {
          axis: "share",
          series: ["oIoU", "mIoU"],
          rows: breakdown.bins.map((bin) => ({
            label: bin.label,
            note: String(bin.samples),
            values: [bin.metrics.oIoU, bin.metrics.mIoU],
          })),
        };
        return section(breakdown.title, `${legend(chart.series)}${dotChart(chart)}`);
      }),
    report.cases.length === 0 ? "" : worst(report.cases),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(report.title)}</title><style>${style}</style></head>
<body><main><h1>${escapeHtml(report.title)}</h1>
${sections.join("\n")}
</main></body></html>
`;
}

function overview(evaluation: Evaluation): string {
  const { preset, metrics, samples, images, noTargets, splits, bootstrap } = evaluation;
  const rows = shownMetrics(isGeneralised(evaluation)).map((name) => {
    const { value, low, high } = metrics[name];
    return `<tr><th scope="row">${name}</th><td>${percent(value)}</td><td class="quiet">${percent(low)} to ${percent(high)}</td></tr>`;
  });
  const size =
    preset.size.at === "original" ? "at the image's size" : `at ${preset.size.sizePx} × ${preset.size.sizePx}`;
  const facts = [
    `${samples.length} expressions of ${images} images, ${noTargets} without a target; split ${splits.join(", ")}.`,
    `Preset ${preset.name} (${preset.evaluators}), ${size}. 95 % intervals: ${bootstrap.replicates} bootstrap draws of images, seed ${bootstrap.seed}.`,
    ...countLines(evaluation.counts).map((line) => `${line}.`),
  ];
  return `<section>${facts.map((fact) => `<p>${escapeHtml(fact)}</p>`).join("")}
<table><thead><tr><th scope="col">metric</th><th scope="col">%</th><th scope="col">95 % interval</th></tr></thead><tbody>${rows.join("")}</tbody></table></section>`;
}

function gains(comparison: Comparison, nameA: string, nameB: string, dotChart: (chart: DotChart) => string): string {
  const rows = (["oIoU", "mIoU", "P@0.5", "P@0.7", "P@0.9"] as const).map((name) => {
    const { a, b, gain, low, high } = comparison.gains[name];
    return `<tr><th scope="row">${name}</th><td>${percent(a)}</td><td>${percent(b)}</td><td>${points(gain)}</td><td class="quiet">${points(low)} to ${points(high)}</td></tr>`;
  });
  const table = `<table><thead><tr><th scope="col">metric</th><th scope="col">a</th><th scope="col">b</th><th scope="col">gain</th><th scope="col">95 % interval</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
  const charts = comparison.breakdowns
    .filter((breakdown) => breakdown.bins.length > 1)
    .map((breakdown) => {
      const chart: DotChart = {
        axis: "gain",
        series: ["oIoU gain", "mIoU gain"],
        rows: breakdown.bins.map((bin) => ({
          label: bin.label,
          note: String(bin.samples),
          values: [bin.gains.oIoU, bin.gains.mIoU].map(({ gain, low, high }) => ({ value: gain, low, high })),
        })),
      };
      return `<h3>${escapeHtml(breakdown.title)}</h3>${legend(chart.series)}${dotChart(chart)}`;
    });
  return section(`Gain of ${nameB} (b) over ${nameA} (a), in points`, `${table}${charts.join("")}`);
}

function worst(cases: readonly ShownCase[]): string {
  const figures = cases.map(({ sample, jpeg, problem }) => {
    const { truth, score } = sample;
    const picture =
      jpeg === undefined
        ? `<div class="gone">${escapeHtml(problem ?? "no picture")}</div>`
        : `<img alt="${escapeHtml(`${truth.text}: truth and prediction outlined`)}" src="data:image/jpeg;base64,${Buffer.from(jpeg).toString("base64")}">`;
    const decision = score.noTarget ? " · no target" : score.predictedNoTarget ? " · predicted “no target”" : "";
    return `<figure>${picture}<figcaption><strong>${escapeHtml(truth.text)}</strong><br><span class="quiet">IoU ${percent(score.iou)} · ${escapeHtml(truth.key)}${decision}</span></figcaption></figure>`;
  });
  const key = `<p class="legend"><span class="truth">truth</span><span class="predicted">prediction</span></p>`;
  return section("Worst cases", `${key}<div class="cases">${figures.join("")}</div>`);
}

function section(title: string, body: string): string {
  return `<section><h2>${escapeHtml(title)}</h2>${body}</section>`;
}

function legend(series: readonly string[]): string {
  return `<p class="legend">${series.map((name, i) => `<span class="series-${i}">${escapeHtml(name)}</span>`).join("")}<span class="quiet">number of expressions at the right</span></p>`;
}
