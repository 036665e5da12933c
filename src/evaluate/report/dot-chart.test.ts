import { describe, expect, it } from "vitest";
import { type DotChart, dotChart } from "./dot-chart.ts";

const at = (value: number) => ({ value, low: value - 0.1, high: value + 0.1 });
const chart: DotChart = {
  axis: "share",
  series: ["oIoU", "mIoU"],
  rows: [
    { label: "0", note: "12", values: [at(0.5), at(0.25)] },
    { label: `<i>"3+" & more</i>`, note: "7", values: [at(0.75), undefined] },
  ],
};

/** The numbers of one attribute of all elements of a name. */
const numbers = (svg: string, tag: string, name: string): number[] =>
  [...svg.matchAll(new RegExp(`<${tag}[^>]* ${name}="([^"]*)"`, "g"))].map((match) => Number(match[1]));

describe("a chart of dots", () => {
  it("puts each value on the axis, 0 to 100 %, and its interval around it", () => {
    const svg = dotChart(chart);
    const x = numbers(svg, "circle", "cx");
    expect(x.length).toBe(3);
    const [half = 0, quarter = 0, most = 0] = x;
    expect(half - quarter).toBeCloseTo(most - half, 6);
    const intervals = [...svg.matchAll(/<line x1="([\d.]+)" x2="([\d.]+)"[^>]*stroke="var\(--series-/g)];
    expect(intervals.map((match) => (Number(match[1]) + Number(match[2])) / 2)).toEqual(
      [half, quarter, most].map((middle) => expect.closeTo(middle, 6)),
    );
  });

  it("makes text safe, names what it shows, and asks for nothing from outside", () => {
    const svg = dotChart(chart);
    expect(svg).toContain("&lt;i&gt;&quot;3+&quot; &amp; more&lt;/i&gt;, oIoU: 75.00 (65.00 to 85.00)");
    expect(svg).not.toMatch(/<i>|<script|https?:|url\(/);
    expect(svg).toMatch(/^<svg [^>]*aria-label="oIoU and mIoU by bin"[^>]*role="img"/);
  });

  it("draws gains around a line at 0, whichever their sign, and bins of one label apart", () => {
    const rows = [-0.3, 0.2].map((gain) => ({ label: "same", note: "1", values: [at(gain), at(gain)] }));
    const svg = dotChart({ ...chart, axis: "gain", rows });
    expect(svg).toMatch(/>−20<.*>0<.*>\+20</);
    expect(numbers(svg, "circle", "cx").length).toBe(4);
    expect(svg.match(/>same</g)?.length).toBe(2);
  });

  it("draws a gain of nothing at all", () => {
    const zero = { value: 0, low: 0, high: 0 };
    const svg = dotChart({ axis: "gain", series: ["oIoU gain"], rows: [{ label: "all", note: "1", values: [zero] }] });
    expect(numbers(svg, "circle", "cx").every(Number.isFinite)).toBe(true);
  });
});
