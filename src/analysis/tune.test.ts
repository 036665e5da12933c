import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, smallPool } from "../../test/small-pool.ts";
import { bandOf } from "../band/index.ts";
import { Loader } from "../loader/index.ts";
import type { Pool } from "../pool/index.ts";
import type { RiskEstimate } from "../risk/index.ts";
import { parseSettings } from "../settings/index.ts";
import { recommend, type TunedRule, type TunePoint, type TuneReport, tune } from "./index.ts";

let pool: Pool;
let loader: Loader;
let report: TuneReport;
/** Estimates that are plain functions of score and image, so that rates can be computed by hand. */
const estimate = {
  chance: (expression: number, image: number): number => {
    const { ids, t2i } = loader.mined!.row(expression);
    return t2i[ids.indexOf(image)]! ** 4;
  },
  showsKind: (_expression: number, image: number): boolean => image % 3 === 0,
};

/** `made` for many images at a time, as the estimate of a pool is. */
const inColumns = (made: typeof estimate): Pick<RiskEstimate, "fill"> => ({
  fill(expression, images, { risk, showsKind }, at) {
    images.forEach((image, place) => {
      risk[at + place] = made.chance(expression, image);
      showsKind[at + place] = made.showsKind(expression, image) ? 1 : 0;
    });
  },
});

beforeAll(async () => {
  pool = await smallPool({ images: 40, refsPerImage: 2, valImages: 4 });
  await mineSmall(pool);
  const band = { tau: 0.8, tauImage: null, k: 10 };
  loader = await Loader.open(pool, parseSettings({ band, unit: "expression", tokens: { kind: "none" } }, "test"));
  const options = { rows: loader.facts.units, need: 3, contextOf: loader.facts.bandContext };
  report = tune(loader.mined!, inColumns(estimate), loader.settings, options);
});
afterAll(async () => {
  await loader.close();
  await pool.close();
});

const over = (rule: TunedRule, k: number): TunePoint[] =>
  report.points.filter((point) => point.rule === rule && point.k === k);

describe("tune", () => {
  it("sums up the bands of the present settings as looking at each of them does", () => {
    let [rate, hard, score, full] = [0, 0, 0, 0];
    const used = new Set<number>();
    for (const expression of loader.facts.units) {
      const row = loader.mined!.row(expression);
      const { survivors, size } = bandOf(row, loader.facts.bandContext(expression), loader.settings);
      const members = Array.from(survivors.subarray(0, size));
      if (size >= 3) full++;
      rate += members.reduce((sum, at) => sum + row.t2i[at]! ** 4, 0) / size;
      hard += members.reduce((sum, at) => sum + (row.ids[at]! % 3 === 0 ? 1 - row.t2i[at]! ** 4 : 0), 0) / size;
      score += members.reduce((sum, at) => sum + row.t2i[at]!, 0) / size;
      for (const at of members) used.add(row.ids[at]!);
    }
    const count = loader.facts.units.length;
    expect(report.expressions).toBe(count);
    expect(report.now.falseNegatives).toBeCloseTo(rate / count, 9);
    expect(report.now.hard).toBeCloseTo(hard / count, 9);
    expect(report.now.meanScore).toBeCloseTo(score / count, 9);
    expect([report.now.full, report.now.imagesUsed, report.now.k]).toEqual([full / count, used.size, 10]);
  });

  it("finds more false negatives the higher τ and the ratio are, fewer the larger the margin and K are", () => {
    const rates = (points: readonly TunePoint[]): number[] =>
      points.flatMap(({ falseNegatives }) => falseNegatives ?? []);
    const rises = (values: number[]): boolean =>
      values.length > 2 && values.every((value, at) => at === 0 || value >= values[at - 1]! - 0.02);
    for (const k of [10, 30]) expect(rises(rates(over("tau", k)))).toBe(true);
    expect(rises(rates(over("ratio", 10)))).toBe(true);
    expect(rises(rates(over("margin", 10)).reverse())).toBe(true);
    expect(rises(rates(report.points.filter(({ rule }) => rule === "none")).reverse())).toBe(true);
  });

  it("offers K up to the lists' length only, and limits that are round numbers", () => {
    expect([...new Set(report.points.map(({ k }) => k))]).toEqual([10, 30, report.depth]);
    expect(report.depth).toBeLessThan(100);
    for (const { value } of report.points) expect(String(value ?? 0).length).toBeLessThanOrEqual(5);
    expect(over("risk", 10).map(({ value }) => value)).toContain(0.03);
  });

  it("leaves expressions whose chances are not known out of the rate, and only out of that", () => {
    const { units, bandContext } = loader.facts;
    const chance = (e: number, image: number) => (e % 2 === 0 ? estimate.chance(e, image) : Number.NaN);
    const all = { rows: units, need: 3, contextOf: bandContext };
    const half = tune(loader.mined!, inColumns({ ...estimate, chance }), loader.settings, all);
    const alone = tune(loader.mined!, inColumns(estimate), loader.settings, {
      ...all,
      rows: units.filter((e) => e % 2 === 0),
    });
    expect(half.now.falseNegatives).toBeCloseTo(alone.now.falseNegatives!, 12);
    expect([half.now.full, half.now.imagesUsed]).toEqual([report.now.full, report.now.imagesUsed]);
  });
});

/** A point by hand: `true` and `hard` are shares. */
const point = (rule: TunedRule, value: number | null, isTrue: number | null, hard: number, full = 1): TunePoint => ({
  rule,
  value,
  k: 30,
  full,
  falseNegatives: isTrue,
  margin95: isTrue === null ? null : 0.001,
  hard,
  meanScore: 0.3,
  imagesUsed: 9,
  topPercentShare: 0.1,
});
const by = (points: TunePoint[], more: Partial<TuneReport> = {}): TuneReport => ({
  expressions: 500,
  need: 3,
  depth: 30,
  coverage: { isComplete: true, reason: "all of it" } as NonNullable<TuneReport["coverage"]>,
  positives: [],
  candidates: [],
  points,
  now: { ...point("none", null, 0.2, 0.1), rule: "now" },
  ...more,
});

describe("the advice", () => {
  const points = [
    point("risk", 0.01, 0.001, 0.3),
    point("risk", 0.03, 0.002, 0.4),
    point("risk", 0.1, 0.004, 0.5),
    point("tau", 0.2, 0.01, 0.1),
    point("tau", 0.3, 0.025, 0.2),
    point("margin", 0.1, 0.0299, 0.9),
    point("ratio", 0.9, 0.01, 0.8, 0.5),
    point("none", null, 0.6, 0.6),
  ];

  it("takes the hardest of all rules that keep to the rate, and says so with what is now", () => {
    const advice = recommend(by(points), 0.03, 100, "kind");
    expect(advice.best).toBe(points[1]); // 0.1 lets through up to a tenth; the margin's interval reaches over 3 %
    expect(advice.byRule.tau).toBe(points[4]);
    expect([advice.byRule.margin, advice.byRule.ratio, advice.byRule.none]).toEqual([null, null, null]);
    expect(advice.band).toEqual({ risk: 0.03, tau: null, margin: null, ratio: null, k: 30, prefer: "kind" });
    expect(advice.text).toBe(
      "For at most 3.0 % false negatives at K = 30, the hardest bands come from band.risk 0.03: estimated 0.2 % true, 40.0 % hard, 100.0 % of bands full; the settings as they are: estimated 20.0 % true, 10.0 % hard, 100.0 % of bands full.",
    );
    parseSettings({ band: advice.band }, "the advice");
    expect(recommend(by(points), 1, 30, "kind").best).toBe(points[5]); // anything goes: the hardest
  });

  it("says what to do where no rule keeps to the rate", () => {
    const none = recommend(by(points), 0.0001, 30, "kind");
    expect([none.best, none.band, none.refused]).toEqual([null, null, undefined]);
    expect(none.text).toMatch(
      /^No rule keeps false negatives to 0\.0 %.*Mine deeper, raise K, or allow a higher rate\.$/,
    );
  });

  it("gives none where the estimate is noise, and says why and what is done instead", () => {
    const coverage = { isComplete: false, reason: "1.0 annotations an image" } as NonNullable<TuneReport["coverage"]>;
    const sparse = recommend(by(points, { coverage }), 0.03, 30, "kind");
    expect([sparse.best, sparse.band]).toEqual([null, null]);
    expect(sparse.text).toMatch(/^No advice: annotations are too sparse .*1\.0 annotations an image.*twentieth/);
    expect(recommend(by(points, { expressions: 12 }), 0.03, 30, "kind").text).toMatch(
      /^No advice: too few expressions .*: 12, of at least 30/,
    );
    const empty = { now: { ...point("none", null, null, 0), rule: "now" as const } };
    expect(recommend(by([point("tau", 0, null, 0)], empty), 0.03, 30, "kind").text).toMatch(
      /no expression with a target has a band/,
    );
  });
});
