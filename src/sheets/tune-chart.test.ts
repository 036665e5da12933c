import { describe, expect, it } from "vitest";
import { chartPng, chartSvg } from "./index.ts";

const panel = {
  title: "Full bands",
  xLabel: "τ",
  top: 1,
  percent: true,
  lines: [
    {
      label: "K = 10",
      points: [
        [0, 0],
        [0.5, null],
        [0.75, 0.5],
        [1, 1],
      ] as const,
    },
  ],
  marks: [
    { x: 0.5, label: "now" },
    { x: 7, label: "out of sight" },
  ],
};

describe("the chart of tune", () => {
  it("draws lines with gaps where nothing is known, and marks within the axis", async () => {
    const svg = chartSvg("Tuning", "A sentence.", [panel]);
    expect(svg.match(/<polyline/g)).toHaveLength(2);
    expect(svg.match(/stroke-dasharray/g)).toHaveLength(1);
    expect(svg).not.toMatch(/NaN|<text/);
    const png = await chartPng("Tuning", "A sentence.", [panel, panel, panel]);
    expect(Buffer.from(png.subarray(1, 4)).toString()).toBe("PNG");
  });
});
