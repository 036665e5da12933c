import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bandOf, type CandidateRow, countDrops, dropRules, dropRuleTexts, ruleOf, survives } from "./index.ts";

const settings = (
  change: Partial<{ tau: number | null; tauImage: number | null; k: number; nearDuplicate: number | null }> = {},
) => {
  const { tau = null, tauImage = null, k = 100, nearDuplicate = null } = change;
  return { band: { tau, tauImage, k }, guards: { nearDuplicate } };
};
const row = (t2i: number[], i2i: number[] = t2i.map(() => 0), truncated = false): CandidateRow => ({
  ids: Int32Array.from(t2i.keys()),
  t2i: Float32Array.from(t2i),
  i2i: Float32Array.from(i2i),
  truncated,
  rank: "t2i",
});
const rules = (band: { verdicts: Uint8Array }): (string | undefined)[] => Array.from(band.verdicts, ruleOf);

describe("bandOf", () => {
  it("names the rule that dropped each candidate, the first that holds", () => {
    const candidates = row([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], [1, 0.99, 0.2, 0.2, 0.8, 0.1, 0.1]);
    const band = bandOf(
      candidates,
      { ownImage: 0, judged: new Set([2]) },
      settings({ tau: 0.55, tauImage: 0.7, k: 1, nearDuplicate: 0.95 }),
    );
    expect(rules(band)).toEqual(["own-image", "near-duplicate", "judged", "tau", "tau-image", undefined, "beyond-k"]);
    expect([band.size, Array.from(band.survivors)]).toEqual([1, [5, 6]]);
    expect(countDrops(band.verdicts)).toEqual({
      "own-image": 1,
      "near-duplicate": 1,
      judged: 1,
      tau: 1,
      "tau-image": 1,
      "beyond-k": 1,
    });
  });

  it("applies both thresholds together and keeps a score equal to one", () => {
    const band = bandOf(
      row([0.5, 0.5, 0.25], [0.5, 0.75, 0.9]),
      { ownImage: 9 },
      settings({ tau: 0.5, tauImage: 0.5 }),
    );
    expect(rules(band)).toEqual([undefined, "tau-image", "tau-image"]);
  });

  it("knows when an image that was cut off could be above τ", () => {
    const unsafe = (truncated: boolean, tau: number | null, rank: "t2i" | "i2i") =>
      bandOf({ ...row([0.9, 0.8], undefined, truncated), rank }, { ownImage: 1 }, settings({ tau })).unlistedUnsafe;
    expect([
      unsafe(true, 0.5, "t2i"),
      unsafe(true, 0.85, "t2i"),
      unsafe(false, 0.5, "t2i"),
      unsafe(true, null, "t2i"),
    ]).toEqual([true, false, false, false]);
    expect([unsafe(true, 0.85, "i2i"), unsafe(false, 0.85, "i2i")]).toEqual([true, false]);
  });

  it("asks to mine deeper only where the cut list ends above a threshold", () => {
    const cut = (truncated: boolean, tau: number) =>
      bandOf(row([0.9, 0.8], undefined, truncated), { ownImage: 9 }, settings({ tau })).mineDeeper;
    expect([cut(true, 0.5), cut(false, 0.5), cut(true, 0.85)]).toEqual([true, false, false]);
  });

  it("equals filtering and cutting by hand, for any scores and settings", () => {
    const score = fc.float({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(score, score), { maxLength: 60 }),
        fc.option(score),
        fc.option(score),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 0, max: 60 }),
        (scores, tau, tauImage, k, ownImage) => {
          const candidates = row(
            scores.map(([t]) => t),
            scores.map(([, i]) => i),
          );
          const band = bandOf(candidates, { ownImage }, settings({ tau, tauImage, k }));
          const alive = scores.flatMap(([t, i], at) =>
            at !== ownImage && !(tau !== null && t > tau) && !(tauImage !== null && i > tauImage) ? [at] : [],
          );
          expect(Array.from(band.survivors)).toEqual(alive);
          expect(band.size).toBe(Math.min(k, alive.length));
          expect(Array.from(band.verdicts.keys()).filter((at) => band.verdicts[at] === 0)).toEqual(alive.slice(0, k));
          expect(Array.from(band.verdicts.keys()).filter((at) => survives(band.verdicts[at]!))).toEqual(alive);
        },
      ),
    );
  });

  it("describes every rule", () => {
    expect(Object.keys(dropRuleTexts)).toEqual([...dropRules]);
  });
});
