import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, smallPool } from "../../test/small-pool.ts";
import { bandOf } from "../band/index.ts";
import { Loader } from "../loader/index.ts";
import type { Pool } from "../pool/index.ts";
import { parseSettings } from "../settings/index.ts";
import { recommend, type TuneReport, tune } from "./index.ts";

let pool: Pool;
let loader: Loader;
let report: TuneReport;
/** An estimate that is a plain function of the score, so that rates can be computed by hand. */
const estimate = {
  chance: (expression: number, image: number): number => {
    const { ids, t2i } = loader.mined!.row(expression);
    return t2i[ids.indexOf(image)]! ** 4;
  },
};

beforeAll(async () => {
  pool = await smallPool({ images: 40, refsPerImage: 2, valImages: 4 });
  await mineSmall(pool);
  const band = { tau: 0.8, tauImage: null, k: 10 };
  loader = await Loader.open(pool, parseSettings({ band, unit: "expression", tokens: { kind: "none" } }, "test"));
  const options = { rows: loader.facts.units, need: 3, contextOf: loader.facts.bandContext };
  report = tune(loader.mined!, estimate, loader.settings, options);
});
afterAll(async () => {
  await loader.close();
  await pool.close();
});

describe("tune", () => {
  it("sums up the bands of the present settings as looking at each of them does", () => {
    let [rate, score, full] = [0, 0, 0];
    const used = new Set<number>();
    for (const expression of loader.facts.units) {
      const row = loader.mined!.row(expression);
      const { survivors, size } = bandOf(row, loader.facts.bandContext(expression), loader.settings);
      const members = Array.from(survivors.subarray(0, size));
      if (size >= 3) full++;
      rate += members.reduce((sum, at) => sum + row.t2i[at]! ** 4, 0) / size;
      score += members.reduce((sum, at) => sum + row.t2i[at]!, 0) / size;
      for (const at of members) used.add(row.ids[at]!);
    }
    const count = loader.facts.units.length;
    expect(report.expressions).toBe(count);
    expect(report.now.falseNegatives).toBeCloseTo(rate / count, 12);
    expect(report.now.meanScore).toBeCloseTo(score / count, 12);
    expect([report.now.full, report.now.imagesUsed, report.now.k]).toEqual([full / count, used.size, 10]);
  });

  it("finds more false negatives the higher τ and the ratio are, fewer the larger the margin and K are", () => {
    const rates = (points: TuneReport["tau"]): number[] => points.flatMap(({ falseNegatives }) => falseNegatives ?? []);
    const rises = (values: number[]): boolean =>
      values.every((value, at) => at === 0 || value >= values[at - 1]! - 0.02);
    for (const k of [10, 30]) expect(rises(rates(report.tau.filter((point) => point.k === k)))).toBe(true);
    expect(rises(rates(report.ratio))).toBe(true);
    expect(rises(rates(report.margin).reverse())).toBe(true);
    const off = report.tau.filter(({ value }) => value === null);
    expect(rises(rates(off).reverse())).toBe(true);
    expect(off.map(({ k }) => k)).toEqual([10, 30, 100, 300]);
  });

  it("leaves expressions whose chances are not known out of the rate, and only out of that", () => {
    const { units, bandContext } = loader.facts;
    const some = { chance: (e: number, image: number) => (e % 2 === 0 ? estimate.chance(e, image) : Number.NaN) };
    const all = { rows: units, need: 3, contextOf: bandContext };
    const half = tune(loader.mined!, some, loader.settings, all);
    const alone = tune(loader.mined!, estimate, loader.settings, { ...all, rows: units.filter((e) => e % 2 === 0) });
    expect(half.now.falseNegatives).toBeCloseTo(alone.now.falseNegatives!, 12);
    expect([half.now.full, half.now.imagesUsed]).toEqual([report.now.full, report.now.imagesUsed]);
  });

  it("recommends the hardest thresholds that keep to a rate, and says so in a sentence", () => {
    const advice = recommend(report, 0.2, 10);
    const tau = advice.tau!;
    expect(tau.falseNegatives).toBeLessThanOrEqual(0.2);
    const next = report.tau.find(({ k, value }) => k === 10 && value !== null && value > tau.value!)!;
    expect(next.falseNegatives).toBeGreaterThan(0.2);
    expect(advice.margin!.falseNegatives).toBeLessThanOrEqual(0.2);
    expect(advice.text).toMatch(
      /For at most 20\.0 % false negatives at K = 10, the hardest bands come from band\.tau 0\.\d{3} \(estimated 1\d\.\d %, .*band\.margin .*band\.ratio /,
    );
    const none = recommend(report, 0, 10);
    expect([none.tau, none.margin, none.ratio]).toEqual([null, null, null]);
    expect(none.text).toMatch(/No threshold looked at keeps false negatives to 0\.0 %/);
    expect(recommend(report, 1, 10).tau!.value).toBeNull(); // anything goes: off
  });
});
