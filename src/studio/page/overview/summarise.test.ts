import { describe, expect, it } from "vitest";
import { parseSettings, resolveSettings } from "../../../settings/index.ts";
import { coverage, gridKs, gridRisks, gridTaus, type Sampled, summarise } from "./summarise.ts";

const settings = resolveSettings(
  parseSettings(
    { band: { tau: 0.6, tauImage: null, k: 2 }, guards: { nearDuplicate: null }, gres: { tighten: 0 } },
    "the test",
  ),
  undefined,
);
const one = (expression: number, ownImage: number, t2i: number[]): Sampled => ({
  expression,
  row: {
    ids: Int32Array.from(t2i.keys()),
    t2i: Float32Array.from(t2i),
    i2i: new Float32Array(t2i.length),
    truncated: false,
    rank: "t2i",
  },
  context: { expression, ownImage, ownScore: 0.45, targets: 1 },
});
const sample = [one(0, 9, [0.75, 0.5, 0.25, 0.125]), one(1, 1, [0.5, 0.375, 0.25, 0.125])];

describe("summarise", () => {
  it("counts bands, drops, reuse and suspects", () => {
    const summary = summarise(sample, settings, 3);
    expect(summary).toMatchObject({
      expressions: 2,
      candidates: 8,
      inBand: 4,
      full: 0,
      empty: 0,
      imagesUsed: 3,
      aboveOwn: 2,
    });
    expect(summary.drops).toMatchObject({ tau: 1, "own-image": 1, "beyond-k": 2 });
    expect(summary.mostUsed[0]).toEqual({ image: 2, uses: 2 });
    expect(summary.reuse).toEqual([
      { from: 1, to: 1, images: 2 },
      { from: 2, to: 3, images: 1 },
    ]);
    expect(summary.all.counts.reduce((sum, count) => sum + count, 0)).toBe(7); // the own image is no candidate
    expect(summary.band.counts.reduce((sum, count) => sum + count, 0)).toBe(4);
  });
});

describe("the estimate of false negatives", () => {
  const rated = [
    { ...(sample[0] as Sampled), chances: Float32Array.of(1, 0.5, 0.25, 0) },
    { ...(sample[1] as Sampled), chances: Float32Array.of(0.5, 1, 0, 0) },
    { ...one(2, 9, [0.5, 0.25]), chances: Float32Array.of(Number.NaN, Number.NaN) },
    one(3, 9, [0.5, 0.25]),
  ];

  it("is the mean over expressions of their bands' mean chance; unknown ones do not count", () => {
    const { falseNegatives } = summarise(rated, settings, 3);
    // The bands: candidates 1 and 2 of the first; 0 and 2 of the second, whose own image is 1.
    expect(falseNegatives.expressions).toBe(2);
    expect(falseNegatives.rate).toBeCloseTo((0.375 + 0.25) / 2, 9);
    expect(falseNegatives.worst).toEqual([
      { expression: 0, rate: 0.375 },
      { expression: 1, rate: 0.25 },
    ]);
    expect(summarise(sample, settings, 3).falseNegatives).toEqual({ rate: null, expressions: 0, worst: [] });
  });

  it("is the same in the grid", () => {
    const grid = { rule: "tau", limits: gridTaus(rated, 6, null), ks: [1, 2, 3] } as const;
    for (const { limit, k, falseNegatives } of coverage(rated, settings, 1, grid)) {
      const there = { ...settings, band: { ...settings.band, tau: limit, k } };
      const { rate } = summarise(rated, there, k).falseNegatives;
      if (rate === null) expect(falseNegatives).toBeNull();
      else expect(falseNegatives).toBeCloseTo(rate, 9);
    }
  });
});

describe("coverage", () => {
  it("equals summaries under each τ and K", () => {
    const grid = { rule: "tau", limits: gridTaus(sample, 5, null), ks: [1, 2, 3] } as const;
    for (const cell of coverage(sample, settings, 2, grid)) {
      const there = { ...settings, band: { ...settings.band, tau: cell.limit, k: cell.k } };
      const summary = summarise(sample, there, 2);
      expect(cell.full).toBeCloseTo(summary.full / 2, 9);
      expect(cell.aboveOwn).toBeCloseTo(summary.aboveOwn / Math.max(1, summary.inBand), 9);
    }
    expect(gridKs(60, 20)).toEqual([3, 5, 10, 20, 50]);
  });

  it("equals summaries under each risk and K, images of the target's kind first", () => {
    const risk = Float32Array.of(0.9, 0.02, 0.3, 0.01);
    const risky = sample.map((each) => ({
      ...each,
      row: { ...each.row, risk, showsKind: Uint8Array.of(0, 0, 1, 1) },
      chances: risk,
    }));
    const under = (limit: number, k: number) => ({
      ...settings,
      band: { ...settings.band, tau: null, risk: limit, prefer: "kind" as const, k },
    });
    const cells = coverage(risky, under(1, 1), 1, { rule: "risk", limits: gridRisks(0.04), ks: [1, 2, 3] });
    expect(new Set(cells.map(({ full }) => full)).size).toBeGreaterThan(1);
    for (const { limit, k, full, hard, falseNegatives } of cells) {
      const summary = summarise(risky, under(limit, k), 1);
      expect(full).toBeCloseTo(summary.full / 2, 9);
      if (summary.falseNegatives.rate === null) expect([falseNegatives, hard]).toEqual([null, null]);
      else {
        expect(falseNegatives).toBeCloseTo(summary.falseNegatives.rate, 6);
        expect(hard).toBeCloseTo(summary.means.band.hard, 6);
      }
    }
  });

  it("has a row and a column for the limit and K in force, whatever they are", () => {
    expect(gridKs(60, 37)).toEqual([3, 5, 10, 20, 37, 50]);
    expect(gridKs(60, 100)).toEqual([3, 5, 10, 20, 50, 100]);
    expect(gridRisks(0.04)).toContain(0.04);
    const plain = gridTaus(sample, 5, null);
    const between = ((plain[1] as number) + (plain[2] as number)) / 2;
    expect(gridTaus(sample, 5, between)).toEqual([plain[0], plain[1], between, ...plain.slice(2)]);
    const k = 100;
    const over = (ks: number[]) => coverage(sample, settings, 3, { rule: "tau", limits: [between], ks });
    expect(over(gridKs(3, k)).at(-1)).toEqual(over([k])[0]);
  });
});

describe("the means", () => {
  it("stand side by side: band, random image, own image", () => {
    const { means } = summarise(sample, settings, 3);
    // Bands: 0.5 and 0.25; 0.5 and 0.25 (0.375 is the own image). All others: 1.625 / 4; 0.875 / 3.
    expect(means.band.score).toBeCloseTo(0.375, 9);
    expect(means.random.score).toBeCloseTo((1.625 / 4 + 0.875 / 3) / 2, 9);
    expect(means.ownScore).toBeCloseTo(0.45, 9);
    expect(means.band.risk).toBeNaN();
  });
});
