import * as Plot from "@observablehq/plot";
import { SvgElement, svgDocument } from "./svg-document.ts";

/** One row of a chart: a label, and for each series a value with its interval (undefined: no dot). */
export interface ChartRow {
  readonly label: string;
  /** Printed small at the right: how many samples the row rests on. */
  readonly note: string;
  readonly values: readonly (ChartValue | undefined)[];
}

/** A value with its interval; null: no interval is drawn. */
export interface ChartValue {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

export interface DotChart {
  readonly rows: readonly ChartRow[];
  /** Names of the series; colours --series-0, --series-1 of the page's style. */
  readonly series: readonly string[];
  /** "share": 0 … 1, ticks in per cent. "gain": around 0, ticks in points. */
  readonly axis: "share" | "gain";
}

const width = 760;
const rowHeight = 28;
const marginTop = 28;

/**
 * A chart of dots with interval bars, one row a bin, as an SVG element that takes its colours from the page. Observable
 * Plot draws it here, into a document of our own: the report has to open without a network and without a script.
 */
export function dotChart(chart: DotChart): string {
  const { rows, series, axis } = chart;
  const dots = rows.flatMap((row, index) =>
    row.values.flatMap((value, s) => (value === undefined ? [] : [dotOf(row, index, series[s] ?? "", value)])),
  );
  const bins = rows.map((_, index) => index);
  const inRow = { fy: "row", y: "series" } as const;
  const svg: unknown = Plot.plot({
    document: svgDocument() as unknown as NonNullable<Plot.PlotOptions["document"]>,
    ariaLabel: `${series.join(" and ")} by bin`,
    width,
    height: marginTop + rows.length * rowHeight + 4,
    marginTop,
    marginBottom: 4,
    marginLeft: 190,
    marginRight: 64,
    x: {
      axis: "top",
      label: null,
      ticks: 6,
      tickSize: 0,
      ...(axis === "share" ? { domain: [0, 100] } : { domain: gainDomain(dots), nice: true, tickFormat: points }),
    },
    y: { axis: null, domain: [...series], padding: 0.6 },
    fy: { domain: bins, label: null, padding: 0, tickFormat: (row: number) => cut(rows[row]?.label ?? "") },
    color: { domain: [...series], range: series.map((_, s) => `var(--series-${s})`) },
    marks: [
      Plot.gridX({ ticks: 6, stroke: "var(--line)", strokeOpacity: 1 }),
      ...(axis === "gain" ? [Plot.ruleX([0], { stroke: "var(--quiet)" })] : []),
      Plot.ruleY(dots, { ...inRow, x1: "low", x2: "high", stroke: "series", strokeWidth: 3, strokeOpacity: 0.45 }),
      Plot.dot(dots, { ...inRow, x: "value", fill: "series", r: 4.5, title: "tip" }),
      Plot.text(rows, {
        fy: bins,
        text: "note",
        frameAnchor: "right",
        textAnchor: "end",
        dx: 56,
        fill: "var(--quiet)",
      }),
    ],
  });
  if (!(svg instanceof SvgElement)) throw new TypeError("Observable Plot drew something else than an SVG element");
  svg.setAttribute("role", "img");
  return svg.outerHTML;
}

interface Dot {
  readonly row: number;
  readonly series: string;
  /** Per cent or points. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly tip: string;
}

function dotOf(row: ChartRow, index: number, series: string, shares: ChartValue): Dot {
  const value = shares.value * 100;
  const [low, high] = [(shares.low ?? shares.value) * 100, (shares.high ?? shares.value) * 100];
  const interval = shares.low === null ? "too few for an interval" : `${low.toFixed(2)} to ${high.toFixed(2)}`;
  const tip = `${row.label}, ${series}: ${value.toFixed(2)} (${interval})`;
  return { row: index, series, value, low, high, tip };
}

/** Holds 0 and every interval, and is never so narrow that its ticks need decimals. */
function gainDomain(dots: readonly Dot[]): [number, number] {
  const ends = dots.flatMap(({ value, low, high }) => [value, low, high]);
  return [Math.min(-2, ...ends), Math.max(4, ...ends)];
}

/** A whole number with its sign; 0 without one. */
function points(tick: number): string {
  return tick > 0 ? `+${tick}` : `${tick}`.replace("-", "−");
}

function cut(label: string): string {
  return label.length > 26 ? `${label.slice(0, 25)}…` : label;
}
