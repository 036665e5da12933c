import { escapeHtml } from "./escape-html.ts";

/** One row of a chart: a label, and for each series a value with its interval (undefined: no dot). */
export interface ChartRow {
  readonly label: string;
  /** Printed small at the right: how many samples the row rests on. */
  readonly note: string;
  readonly values: readonly ({ readonly value: number; readonly low: number; readonly high: number } | undefined)[];
}

export interface DotChart {
  readonly rows: readonly ChartRow[];
  /** Names of the series; colours --series-0, --series-1 of the page's style. */
  readonly series: readonly string[];
  /** "share": 0 … 1, ticks in per cent. "gain": around 0, ticks in points. */
  readonly axis: "share" | "gain";
}

const width = 640;
const left = 150;
const right = 60;
const rowHeight = 26;
const top = 26;

/**
 * A chart of dots with interval bars, one row a bin, as an SVG element that takes its colours from the page. Built by
 * hand: a report must open without a network, and this needs no library in the browser.
 */
export function dotChart(chart: DotChart): string {
  const [from, to, step] = chart.axis === "share" ? shareAxis() : gainAxis(chart.rows);
  const x = (value: number): number => left + ((value - from) / (to - from)) * (width - left - right);
  const height = top + chart.rows.length * rowHeight + 8;
  const parts: string[] = [];
  for (let tick = from; tick <= to + step / 2; tick += step) {
    const at = x(tick).toFixed(1);
    const zero = chart.axis === "gain" && Math.abs(tick) < step / 2;
    parts.push(
      `<line class="${zero ? "zero" : "grid"}" x1="${at}" x2="${at}" y1="${top - 6}" y2="${height - 8}"/>`,
      `<text class="tick" x="${at}" y="${top - 12}" text-anchor="middle">${tickText(tick, chart.axis)}</text>`,
    );
  }
  chart.rows.forEach((row, i) => {
    const middle = top + i * rowHeight + rowHeight / 2;
    parts.push(
      `<text class="label" x="${left - 10}" y="${middle + 4}" text-anchor="end">${escapeHtml(cut(row.label))}</text>`,
      `<text class="note" x="${width - 4}" y="${middle + 4}" text-anchor="end">${escapeHtml(row.note)}</text>`,
      ...row.values.map((value, s) => dot(value, s, middle + (s - (row.values.length - 1) / 2) * 9, x, row, chart)),
    );
  });
  const title = `${chart.series.join(" and ")} by bin`;
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">${parts.join("")}</svg>`;
}

function dot(
  value: ChartRow["values"][number],
  series: number,
  y: number,
  x: (value: number) => number,
  row: ChartRow,
  chart: DotChart,
): string {
  if (value === undefined) return "";
  const told = [value.value, value.low, value.high].map((number) => (number * 100).toFixed(2));
  const tip = `${row.label}, ${chart.series[series] ?? ""}: ${told[0]} (${told[1]} to ${told[2]})`;
  const colour = `var(--series-${series})`;
  return (
    `<g><title>${escapeHtml(tip)}</title>` +
    `<line x1="${x(value.low).toFixed(1)}" x2="${x(value.high).toFixed(1)}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="3" stroke-linecap="round" opacity="0.45"/>` +
    `<circle cx="${x(value.value).toFixed(1)}" cy="${y}" r="4.5" fill="${colour}"/></g>`
  );
}

function shareAxis(): [from: number, to: number, step: number] {
  return [0, 1, 0.2];
}

/** An axis that holds 0 and every interval, with a round step. */
function gainAxis(rows: readonly ChartRow[]): [from: number, to: number, step: number] {
  const ends = rows.flatMap((row) =>
    row.values.flatMap((value) => (value === undefined ? [] : [value.low, value.high, value.value])),
  );
  const lowest = Math.min(0, ...ends);
  const highest = Math.max(0.005, ...ends);
  const step = [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5].find((size) => (highest - lowest) / size <= 7) ?? 0.5;
  return [Math.floor(lowest / step) * step, Math.ceil(highest / step) * step, step];
}

function tickText(tick: number, axis: DotChart["axis"]): string {
  const value = Math.round(tick * 1000) / 10;
  return axis === "gain" && value > 0 ? `+${value}` : String(value === 0 ? 0 : value);
}

function cut(label: string): string {
  return label.length > 22 ? `${label.slice(0, 21)}…` : label;
}
