import { ticks } from "d3-array";
import { renderSvg } from "../codecs/index.ts";
import { textPath, wrapText } from "./outlined-text.ts";
import { colours } from "./score-curve.ts";

/** One line of a panel: points from left to right; null values leave a gap. */
export interface ChartLine {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number | null])[];
}

/** A panel: lines over one axis, with marks at places of that axis. */
export interface ChartPanel {
  readonly title: string;
  readonly xLabel: string;
  /** The largest value of the vertical axis; the least is 0. */
  readonly top: number;
  /** Whether values, and those of the horizontal axis, are shares, shown in percent. */
  readonly percent: boolean;
  readonly xPercent?: boolean;
  readonly lines: readonly ChartLine[];
  readonly marks: readonly { readonly x: number; readonly label: string }[];
}

const width = 1240;
const margin = 40;
const panel = { width: 560, height: 300, gapX: 40, gapY: 44 } as const;
const inks = ["#0c8f7f", "#c2410c", "#3b5bdb", "#9c36b5", "#5f3dc4", "#868e96"] as const;

/** Panels two by two under a title and a sentence, as SVG with outlined text: the same picture everywhere. */
export function chartSvg(title: string, sentence: string, panels: readonly ChartPanel[]): string {
  const lines = wrapText(sentence, width - 2 * margin, 15, 3, 400);
  const head = 78 + lines.length * 20;
  const rows = Math.ceil(panels.length / 2);
  const height = head + rows * (panel.height + panel.gapY) + margin;
  const drawn = panels.map((each, at) =>
    onePanel(
      each,
      margin + (at % 2) * (panel.width + panel.gapX),
      head + Math.floor(at / 2) * (panel.height + panel.gapY),
    ),
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `<rect width="100%" height="100%" fill="${colours.paper}"/>` +
    textPath(title, margin, 50, { size: 24, weight: 600, fill: colours.ink, maxWidth: width - 2 * margin }) +
    lines.map((line, at) => textPath(line, margin, 78 + at * 20, { size: 15, fill: colours.soft })).join("") +
    `${drawn.join("")}</svg>`
  );
}

/** `chartSvg` as a PNG. */
export function chartPng(title: string, sentence: string, panels: readonly ChartPanel[]): Promise<Uint8Array> {
  return renderSvg(chartSvg(title, sentence, panels));
}

function onePanel(panelShown: ChartPanel, left: number, above: number): string {
  const { title, xLabel, top, percent, xPercent = false, lines, marks } = panelShown;
  const box = { x: left + 44, y: above + 30, width: panel.width - 150, height: panel.height - 78 };
  const all = lines.flatMap(({ points }) => points.map(([x]) => x));
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const span = high > low ? high - low : 1;
  const scale = ticks(0, top > 0 ? top : 1, 4);
  const most = Math.max(top > 0 ? top : 1, scale.at(-1) ?? 1);
  const x = (value: number): number => box.x + ((value - low) / span) * box.width;
  const y = (value: number): number => box.y + box.height * (1 - Math.min(1, value / most));
  const number = (value: number, isShare: boolean): string => (isShare ? `${tidy(100 * value)} %` : tidy(value));
  const grid = scale.map((value) => {
    const at = y(value);
    return (
      `<line x1="${n(box.x)}" x2="${n(box.x + box.width)}" y1="${n(at)}" y2="${n(at)}" stroke="${colours.line}"/>` +
      textPath(number(value, percent), box.x - 6, at + 4, { size: 11, fill: colours.soft, anchor: "end" })
    );
  });
  const xTicks = ticks(low, low + span, 5).map(
    (value) =>
      `<line x1="${n(x(value))}" x2="${n(x(value))}" y1="${n(box.y + box.height)}" y2="${n(box.y + box.height + 4)}" stroke="${colours.soft}"/>` +
      textPath(number(value, xPercent), x(value), box.y + box.height + 18, {
        size: 11,
        fill: colours.soft,
        anchor: "middle",
      }),
  );
  const shownMarks = marks
    .filter((mark) => mark.x >= low && mark.x <= high)
    .map(
      (mark, at) =>
        `<line x1="${n(x(mark.x))}" x2="${n(x(mark.x))}" y1="${n(box.y)}" y2="${n(box.y + box.height)}" stroke="${colours.tau}" stroke-width="1.5" stroke-dasharray="5 3"/>` +
        textPath(mark.label, x(mark.x) + 4, box.y + 11 + 14 * at, { size: 11, fill: colours.tau }),
    );
  const curves = lines.map(({ label, points }, at) => {
    const ink = inks[at % inks.length] ?? colours.ink;
    const paths = runs(points)
      .map(
        (run) =>
          `<polyline fill="none" stroke="${ink}" stroke-width="2" points="${run.map(([a, b]) => `${n(x(a))},${n(y(b))}`).join(" ")}"/>`,
      )
      .join("");
    const place = box.x + box.width + 12;
    return `${paths}<rect x="${n(place)}" y="${n(box.y + at * 18)}" width="12" height="4" fill="${ink}"/>${textPath(label, place + 18, box.y + at * 18 + 7, { size: 12, fill: colours.ink })}`;
  });
  return (
    textPath(title, left, above + 14, { size: 15, weight: 600, fill: colours.ink, maxWidth: panel.width }) +
    grid.join("") +
    xTicks.join("") +
    textPath(xLabel, box.x, box.y + box.height + 36, { size: 12, fill: colours.soft }) +
    curves.join("") +
    shownMarks.join("")
  );
}

/** Stretches of points without a gap. */
function runs(points: ChartLine["points"]): [number, number][][] {
  const found: [number, number][][] = [[]];
  for (const [x, y] of points) {
    if (y === null) found.push([]);
    else found[found.length - 1]?.push([x, y]);
  }
  return found.filter((run) => run.length > 0);
}

function tidy(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

function n(value: number): string {
  return value.toFixed(1);
}
