// Line charts as SVG: points with intervals, a curve a series, a legend.

const ink = "#1b1f24";
const faint = "#d5dae0";
/** Okabe and Ito's colours, told apart by the colour-blind too, and three more. */
export const palette = [
  ...["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7a7a", "#000000"],
  ...["#6a3d9a", "#8c510a", "#7fbf3f"],
];

const [panelWidth, panelHeight] = [430, 300];
const margin = { left: 62, right: 16, top: 40, bottom: 50 };

/**
 * Panels side by side under one legend. A panel: {title, x: {label, ticks?, isLog?}, y: {label}, series}; a series: {name,
 * colour, points: [{x, y, low?, high?}], line?: false, mark?: "star", isFaint?}. `ticks` [[value, text], …] replaces the
 * numbers. Series of one name share their place in the legend.
 */
export function charts(title, panels) {
  const width = panels.length * (panelWidth + margin.left + margin.right);
  const legend = legendOf(panels, width);
  const height = 34 + margin.top + panelHeight + margin.bottom + legend.height;
  const drawn = panels.map(
    (panel, at) =>
      `<g transform="translate(${at * (panelWidth + margin.left + margin.right)},34)">${panelOf(panel)}</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Inter, Helvetica, Arial, sans-serif" font-size="12" fill="${ink}"><title>${escaped(title)}</title><rect width="100%" height="100%" fill="#fff"/><text x="${margin.left}" y="24" font-size="16" font-weight="600">${escaped(title)}</text>${drawn.join("")}<g transform="translate(0,${height - legend.height})">${legend.svg}</g></svg>\n`;
}

function panelOf({ title, x, y, series }) {
  const points = series.flatMap((each) => each.points);
  const xs = points.map((point) => place(point.x, x));
  const ys = points.flatMap(({ y: value, low = value, high = value }) => [value, low, high]);
  const [x0, x1] = padded(Math.min(...xs), Math.max(...xs), 0.05);
  const [y0, y1] = padded(Math.min(0, ...ys), Math.max(0, ...ys), 0.06);
  const atX = (value) => margin.left + ((place(value, x) - x0) / (x1 - x0)) * panelWidth;
  const atY = (value) => margin.top + (1 - (value - y0) / (y1 - y0)) * panelHeight;
  const bottom = margin.top + panelHeight;
  const yTicks = ticksOf(y0, y1).map(
    (value) =>
      `<line x1="${margin.left}" x2="${margin.left + panelWidth}" y1="${round(atY(value))}" y2="${round(atY(value))}" stroke="${value === 0 ? "#6b7480" : faint}"/><text x="${margin.left - 7}" y="${round(atY(value) + 4)}" text-anchor="end">${shown(value)}</text>`,
  );
  const xTicks = (x.ticks ?? (x.isLog ? logTicks(x0, x1) : ticksOf(x0, x1)).map((value) => [value, shown(value)])).map(
    ([value, text]) =>
      `<line x1="${round(atX(value))}" x2="${round(atX(value))}" y1="${bottom}" y2="${bottom + 5}" stroke="${ink}"/><text x="${round(atX(value))}" y="${bottom + 19}" text-anchor="middle">${escaped(text)}</text>`,
  );
  const lines = series.map((each) => seriesOf(each, atX, atY));
  return [
    `<text x="${margin.left}" y="${margin.top - 14}" font-weight="600">${escaped(title)}</text>`,
    ...yTicks,
    ...xTicks,
    `<line x1="${margin.left}" x2="${margin.left + panelWidth}" y1="${bottom}" y2="${bottom}" stroke="${ink}"/>`,
    `<text x="${margin.left + panelWidth / 2}" y="${bottom + 40}" text-anchor="middle">${escaped(x.label)}</text>`,
    `<text transform="translate(16,${margin.top + panelHeight / 2}) rotate(-90)" text-anchor="middle">${escaped(y.label)}</text>`,
    ...lines,
  ].join("");
}

function seriesOf({ colour, points, line = true, mark, isFaint = false }, atX, atY) {
  const parts = [];
  const opacity = isFaint ? 0.25 : 1;
  for (const { x, low, high } of points) {
    if (low === undefined || high === undefined) continue;
    parts.push(
      `<line x1="${round(atX(x))}" x2="${round(atX(x))}" y1="${round(atY(low))}" y2="${round(atY(high))}" stroke="${colour}" stroke-width="1.2" opacity="0.6"/>`,
    );
  }
  if (line && points.length > 1) {
    const path = points.map(({ x, y }) => `${round(atX(x))},${round(atY(y))}`).join(" ");
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`);
  }
  for (const { x, y } of points) parts.push(markOf(mark, round(atX(x)), round(atY(y)), colour, opacity));
  return parts.join("");
}

function markOf(mark, x, y, colour, opacity) {
  if (mark !== "star")
    return `<circle cx="${x}" cy="${y}" r="${opacity < 1 ? 2 : 3.2}" fill="${colour}" opacity="${opacity}"/>`;
  const corners = Array.from({ length: 10 }, (_, at) => {
    const radius = at % 2 === 0 ? 9 : 4;
    const angle = (Math.PI * at) / 5 - Math.PI / 2;
    return `${round(x + radius * Math.cos(angle))},${round(y + radius * Math.sin(angle))}`;
  });
  return `<polygon points="${corners.join(" ")}" fill="${colour}" stroke="#fff" stroke-width="1"/>`;
}

function legendOf(panels, width) {
  const named = new Map();
  for (const { series } of panels) {
    for (const each of series) if (each.name !== undefined && !named.has(each.name)) named.set(each.name, each);
  }
  let [left, row] = [margin.left, 0];
  const parts = [];
  for (const [name, { colour, mark }] of named) {
    const needed = 30 + name.length * 7;
    if (left + needed > width) [left, row] = [margin.left, row + 1];
    parts.push(
      `${markOf(mark, left, 10 + row * 22, colour, 1)}<text x="${left + 14}" y="${14 + row * 22}">${escaped(name)}</text>`,
    );
    left += needed;
  }
  return { svg: parts.join(""), height: (row + 1) * 22 + 12 };
}

function place(value, { isLog = false }) {
  return isLog ? Math.log10(Math.max(value, 1e-6)) : value;
}

function padded(low, high, share) {
  const span = high - low || 1;
  return [low - span * share, high + span * share];
}

/** Round numbers between two bounds, five or so. */
function ticksOf(low, high) {
  const raw = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= raw) ?? raw;
  const first = Math.ceil(low / step);
  return Array.from(
    { length: Math.floor(high / step) - first + 1 },
    (_, at) => Number(((first + at) * step).toPrecision(6)) + 0,
  );
}

/** 1, 2 and 5 of each power of ten within bounds that are logarithms. */
function logTicks(low, high) {
  const ticks = [];
  for (let power = Math.floor(low); power <= high; power++) {
    for (const factor of [1, 2, 5]) {
      const value = factor * 10 ** power;
      if (Math.log10(value) >= low && Math.log10(value) <= high) ticks.push(value);
    }
  }
  return ticks;
}

function shown(value) {
  return String(Number(value.toPrecision(4))).replace("-", "−");
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
