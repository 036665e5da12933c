import { formatCount } from "../../io/index.ts";
import type { Comparison } from "../compare.ts";
import type { Evaluation } from "../evaluation.ts";
import type { DotChart } from "./dot-chart.ts";
import { escapeHtml } from "./escape-html.ts";
import type { ShownCase } from "./shown-case.ts";
import { style } from "./style.ts";
import {
  comparisonNotes,
  countLines,
  intervalText,
  isGeneralised,
  percent,
  points,
  shownMetrics,
  withDeviation,
} from "./table.ts";

export interface Report {
  readonly title: string;
  readonly evaluation: Evaluation;
  /** The worst cases of `evaluation`. */
  readonly cases: readonly ShownCase[];
  /** The first model, `evaluation` being the second's (of its first seed, where there are several). */
  readonly against?: Against;
}

export interface Against {
  readonly nameA: string;
  readonly nameB: string;
  readonly comparison: Comparison;
  readonly gains: readonly ShownCase[];
  readonly losses: readonly ShownCase[];
}

/** An evaluation as one HTML page that needs nothing besides itself: charts as SVG, pictures inline, light and dark. */
export async function evaluationHtml(report: Report): Promise<string> {
  // Loaded by those who want a report only: Plot and what it needs are two hundred modules.
  const { dotChart } = await import("./dot-chart.ts");
  const { evaluation, against } = report;
  const sections = [
    ...(against === undefined
      ? [overview(evaluation)]
      : [
          gains(against, isGeneralised(evaluation), dotChart),
          ...gallery(against),
          overview(evaluation, `${against.nameB} alone`),
        ]),
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
    report.cases.length === 0
      ? ""
      : pictures(
          against === undefined ? "Worst cases" : `Worst cases of ${against.nameB}`,
          [
            ["truth", "truth"],
            ["predicted", "prediction"],
          ],
          report.cases,
        ),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(report.title)}</title><style>${style}</style></head>
<body><main><h1>${escapeHtml(report.title)}</h1>
${sections.join("\n")}
</main></body></html>
`;
}

/** Where a picture could not be had. */
const goneMark = '<div class="gone">';

/** Whether `html` is the report `other` made again, with pictures that `other` had to go without. */
export function completesReport(html: string, other: string): boolean {
  const withoutPictures = (page: string): string => page.replace(/<img [^>]*>|<div class="gone">[^<]*<\/div>/g, "");
  return other.includes(goneMark) && withoutPictures(html) === withoutPictures(other);
}

function overview(evaluation: Evaluation, title?: string): string {
  const { preset, metrics, samples, images, noTargets, splits, bootstrap } = evaluation;
  const rows = shownMetrics(isGeneralised(evaluation), noTargets).map((name) => {
    return `<tr><th scope="row">${name}</th><td>${percent(metrics[name].value)}</td><td class="quiet">${intervalText(metrics[name], percent)}</td></tr>`;
  });
  const size =
    preset.size.at === "original" ? "at the image's size" : `at ${preset.size.sizePx} × ${preset.size.sizePx}`;
  const facts = [
    `${formatCount(samples.length, "expression")} of ${formatCount(images, "image")}, ${noTargets} without a target; split ${splits.join(", ")}.`,
    `Preset ${preset.name} (${preset.evaluators}), ${size}. 95 % intervals: ${bootstrap.replicates} bootstrap draws of images, seed ${bootstrap.seed}.`,
    ...countLines(evaluation.counts).map((line) => `${line}.`),
  ];
  const heading = title === undefined ? "" : `<h2>${escapeHtml(title)}</h2>`;
  return `<section>${heading}${facts.map((fact) => `<p>${escapeHtml(fact)}</p>`).join("")}
<table><thead><tr><th scope="col">metric</th><th scope="col">%</th><th scope="col">95 % interval</th></tr></thead><tbody>${rows.join("")}</tbody></table></section>`;
}

function gains(against: Against, generalised: boolean, dotChart: (chart: DotChart) => string): string {
  const { comparison, nameA, nameB } = against;
  const rows = shownMetrics(generalised || comparison.noTargets > 0, comparison.noTargets).map((name) => {
    const { a, b, gain, isClear, deviations } = comparison.gains[name];
    const cells = [
      withDeviation(a, deviations[0]),
      withDeviation(b, deviations[1]),
      `${points(gain)}${isClear ? "*" : ""}`,
    ];
    return `<tr><th scope="row">${name}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}<td class="quiet">${intervalText(comparison.gains[name], points)}</td></tr>`;
  });
  const heads = ["metric", nameA, nameB, "gain", "95 % interval"];
  const table = `<div class="wide"><table><thead><tr>${heads.map((head) => `<th scope="col">${escapeHtml(head)}</th>`).join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
  const notes = comparisonNotes(comparison, nameA, nameB).map((note) => `<p class="quiet">${escapeHtml(note)}.</p>`);
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
  return section(`Gain of ${nameB} over ${nameA}, in points`, `${notes.join("")}${table}${charts.join("")}`);
}

/** The expressions that the second model gains and loses most on, with both predictions. */
function gallery({ nameA, nameB, gains: won, losses: lost }: Against): string[] {
  const key = [
    ["truth", "truth"],
    ["other", nameA],
    ["predicted", nameB],
  ] as const;
  return [
    won.length === 0 ? "" : pictures(`Largest gains of ${nameB} over ${nameA}`, key, won),
    lost.length === 0 ? "" : pictures(`Largest losses of ${nameB} against ${nameA}`, key, lost),
  ];
}

function pictures(
  title: string,
  key: readonly (readonly [look: string, name: string])[],
  cases: readonly ShownCase[],
): string {
  const figures = cases.map(({ sample, pair, jpeg, problem }) => {
    const { truth, score } = sample;
    const picture =
      jpeg === undefined
        ? `${goneMark}${escapeHtml(problem ?? "no picture")}</div>`
        : `<img alt="${escapeHtml(`${truth.text}: ${key.map(([, name]) => name).join(", ")} outlined`)}" src="data:image/jpeg;base64,${Buffer.from(jpeg).toString("base64")}">`;
    const decision = score.noTarget ? " · no target" : score.predictedNoTarget ? " · predicted “no target”" : "";
    const iou =
      pair === undefined
        ? `IoU ${percent(score.iou)}`
        : `IoU ${percent(pair.a.score.iou)} → ${percent(score.iou)}, gain ${points(pair.gain)}`;
    return `<figure>${picture}<figcaption><strong>${escapeHtml(truth.text)}</strong><br><span class="quiet">${iou} · ${escapeHtml(truth.key)}${decision}</span></figcaption></figure>`;
  });
  const legend = key.map(([look, name]) => `<span class="${look}">${escapeHtml(name)}</span>`).join("");
  return section(title, `<p class="legend">${legend}</p><div class="cases">${figures.join("")}</div>`);
}

function section(title: string, body: string): string {
  return `<section><h2>${escapeHtml(title)}</h2>${body}</section>`;
}

function legend(series: readonly string[]): string {
  return `<p class="legend">${series.map((name, i) => `<span class="series-${i}">${escapeHtml(name)}</span>`).join("")}<span class="quiet">number of expressions at the right</span></p>`;
}
