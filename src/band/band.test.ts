import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaults, type ResolvedSettings } from "../settings/index.ts";
import {
  type BandContext,
  bandOf,
  type CandidateRow,
  countDrops,
  dropRules,
  dropRuleTexts,
  HubCounter,
  isBarred,
  isWithinCap,
  ruleOf,
  verdictOf,
} from "./index.ts";

type Change = Partial<ResolvedSettings["band"]> & {
  readonly nearDuplicate?: number | null;
  readonly tighten?: number;
};
const settings = ({ nearDuplicate = null, tighten = 0, ...band }: Change = {}) => ({
  band: { ...defaults.band, risk: null, prefer: "score" as const, tau: null, tauImage: null, ...band },
  guards: { nearDuplicate },
  gres: { ...defaults.gres, tighten },
});
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
    expect(countDrops(band.verdicts)).toMatchObject({
      margin: 0,
      "hub-cap": 0,
      "own-image": 1,
      "near-duplicate": 1,
      judged: 1,
      tau: 1,
      "tau-image": 1,
      "beyond-k": 1,
    });
  });

  it.each<[string, Change, Partial<BandContext>, (string | undefined)[]]>([
    ["margin below the own score", { margin: 0.25 }, { ownScore: 1 }, ["margin", undefined, undefined, undefined]],
    ["ratio of the own score", { ratio: 0.5 }, { ownScore: 1 }, ["ratio", undefined, undefined, undefined]],
    ["ratio under a negative own score", { ratio: 0.5 }, { ownScore: -0.5 }, ["ratio", "ratio", "ratio", undefined]],
    [
      "a score equal to the own image's at ratio 1",
      { ratio: 1 },
      { ownScore: 0.5 },
      ["ratio", undefined, undefined, undefined],
    ],
    [
      "no own score: positive-aware rules are off",
      { margin: 0, ratio: 0 },
      {},
      [undefined, undefined, undefined, undefined],
    ],
    ["text-to-text above τₜ", { tauText: 0.5 }, {}, [undefined, undefined, "tau-text", undefined]],
    [
      "several targets tighten τ and τₜ",
      { tau: 1, tauText: 1, tighten: 0.25 },
      { targets: 2 },
      ["tau", undefined, "tau-text", undefined],
    ],
    [
      "no target tightens likewise",
      { tau: 1, tauText: 1, tighten: 0.25 },
      { targets: 0 },
      ["tau", undefined, "tau-text", undefined],
    ],
    [
      "one target does not",
      { tau: 1, tauText: 1, tighten: 0.25 },
      { targets: 1 },
      [undefined, undefined, undefined, undefined],
    ],
    ["the least score", { minScore: 0 }, {}, [undefined, undefined, undefined, "min-score"]],
    ["the window of ranks", { rankFrom: 1, rankTo: 3 }, {}, ["rank-window", undefined, undefined, "rank-window"]],
  ])("drops by %s", (_name, change, context, expected) => {
    const t2t = Float32Array.of(0, 0.5, 0.875, -1);
    const candidates = { ...row([0.875, 0.5, 0, -0.875]), t2t };
    expect(rules(bandOf(candidates, { ownImage: 9, ...context }, settings(change)))).toEqual(expected);
  });

  it("takes an own score that is not a number, as imported lists may have it, as not known", () => {
    const change = settings({ tau: 0.5, margin: 0.1, ratio: 0.9 });
    const candidates = row([0.9, 0.8, 0.7], undefined, true);
    const unknown = bandOf(candidates, { ownImage: 99 }, change);
    expect(bandOf(candidates, { ownImage: 99, ownScore: Number.NaN }, change)).toEqual(unknown);
    expect([unknown.unlistedUnsafe, unknown.mineDeeper]).toEqual([true, true]);
  });

  it("asks for text-to-text scores only where τₜ is set, and says how to get them", () => {
    expect(() => bandOf(row([0.5]), { ownImage: 9 }, settings({ tauText: 0.5 }))).toThrow(/mine --t2t/);
    expect(bandOf(row([0.5]), { ownImage: 9 }, settings()).size).toBe(1);
  });

  it("never raises the bar above the own score, for any ratio and sign (property)", () => {
    const score = fc.float({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(score, fc.double({ min: 0, max: 1, noNaN: true }), fc.array(score), (ownScore, ratio, scores) => {
        const band = bandOf(row(scores), { ownImage: -1, ownScore }, settings({ ratio }));
        for (const at of band.survivors) expect(scores[at]!).toBeLessThanOrEqual(ownScore);
      }),
    );
  });

  it("bars for every draw what may be true, not what is only too easy, too hard or used too often", () => {
    expect(dropRules.filter((rule) => !isBarred(verdictOf[rule]))).toEqual([
      "min-score",
      "rank-window",
      "hub-cap",
      "beyond-k",
    ]);
    expect(isBarred(0)).toBe(false);
  });

  it("lets the reference's loader use the own image, near-duplicates and judged ones where they pass τ", () => {
    const candidates = row([0.9, 0.8, 0.7], [1, 0.99, 0]);
    const context = { ownImage: 0, judged: new Set([2]) };
    const legacy = { ownImage: true, repeats: false, lastOfList: 0, randomOverRefs: false, canvas: false };
    const band = bandOf(candidates, context, { ...settings({ tau: 0.85, nearDuplicate: 0.9 }), legacy });
    expect(rules(band)).toEqual(["tau", undefined, undefined]);
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
          const kept = [0, verdictOf["beyond-k"]];
          expect(Array.from(band.verdicts.keys()).filter((at) => kept.includes(band.verdicts[at]!))).toEqual(alive);
        },
      ),
    );
  });

  it("keeps an image for the expressions that score it best only, ties by the smaller row", () => {
    const hubs = new HubCounter(2, 2);
    for (const [expression, score] of [
      [5, 0.5],
      [3, 0.5],
      [9, 0.75],
      [4, 0.25],
    ] as const)
      hubs.want(0, expression, score);
    hubs.want(1, 7, 0.1);
    const cuts = hubs.cuts();
    const keeps = (expression: number, score: number): boolean => isWithinCap(cuts, 0, expression, score);
    expect([keeps(9, 0.75), keeps(3, 0.5), keeps(5, 0.5), keeps(4, 0.25)]).toEqual([true, true, false, false]);
    expect(isWithinCap(cuts, 1, 7, 0.1)).toBe(true);
    const band = bandOf(row([0.5, 0.1]), { ownImage: 9, expression: 5, hubs: cuts }, settings());
    expect(rules(band)).toEqual(["hub-cap", undefined]);
  });

  it("caps hubs as sorting everything would, whatever the order of wishes (property)", () => {
    const wish = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 }));
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (drawn, cap) => {
        const wishes = drawn.map(([image, score], expression) => ({ image, score: score / 4, expression }));
        const counter = new HubCounter(5, cap);
        for (const { image, expression, score } of wishes) counter.want(image, expression, score);
        const cuts = counter.cuts();
        for (let image = 0; image < 5; image++) {
          const mine = wishes.filter((one) => one.image === image);
          const best = [...mine].sort((a, b) => b.score - a.score || a.expression - b.expression).slice(0, cap);
          const kept = mine.filter((one) => isWithinCap(cuts, image, one.expression, one.score));
          expect(new Set(kept)).toEqual(new Set(best));
        }
      }),
    );
  });

  it("drops what is true with a greater chance than the limit, and images of which the same sentence is said", () => {
    const risk = Float32Array.of(0.5, 0.03, 0.031, 0);
    const candidates = { ...row([0.9, 0.8, 0.7, 0.6]), risk };
    const band = bandOf(candidates, { ownImage: 9, sameSentence: new Set([3]) }, settings({ risk: 0.0301 }));
    expect(rules(band)).toEqual(["risk", undefined, "risk", "same-sentence"]);
    expect(() => bandOf(row([0.5]), { ownImage: 9 }, settings({ risk: 0.03 }))).toThrow(/nemosaic mine/);
  });

  it("puts images that show the target's kind first, with as many others, by rank in each", () => {
    const candidates = {
      ...row(Array.from({ length: 40 }, (_, at) => 1 - at / 100)),
      risk: new Float32Array(40),
      showsKind: Uint8Array.from({ length: 40 }, (_, at) => (at >= 3 && at < 10 ? 1 : 0)),
    };
    const band = bandOf(candidates, { ownImage: 99 }, settings({ risk: 0.03, prefer: "kind", k: 30 }));
    expect(band.size).toBe(14);
    expect(Array.from(band.survivors.subarray(0, 14))).toEqual([3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 10, 11, 12, 13]);
    expect(Array.from(band.verdicts.keys()).filter((at) => band.verdicts[at] === 0)).toEqual(
      Array.from({ length: 14 }, (_, at) => at),
    );
    const few = { ...candidates, showsKind: Uint8Array.from({ length: 40 }, (_, at) => (at === 39 ? 1 : 0)) };
    expect(bandOf(few, { ownImage: 99 }, settings({ risk: 0.03, prefer: "kind", k: 30 })).size).toBe(10);
    const none = { ...candidates, showsKind: new Uint8Array(40) };
    expect(bandOf(none, { ownImage: 99 }, settings({ risk: 0.03, prefer: "kind", k: 30 })).size).toBe(30);
    expect(bandOf(candidates, { ownImage: 99 }, settings({ risk: 0.03, prefer: "kind", k: 5 })).size).toBe(5);
  });

  it("drops the best ranks where the chance cannot be known, but never so many that the band is not full", () => {
    const count = 60;
    const base = row(Array.from({ length: count }, (_, at) => 1 - at / 100));
    const known = new Float32Array(count);
    known[20] = 0.9;
    const sparse = {
      ...base,
      risk: known,
      isRiskKnown: false,
      candidates: 100,
      showsKind: new Uint8Array(count).fill(1),
    };
    const band = bandOf(sparse, { ownImage: 99 }, settings({ risk: 0.03, prefer: "kind", k: 30 }));
    expect(rules(band).slice(0, 6)).toEqual(["risk", "risk", "risk", "risk", "risk", undefined]);
    expect([rules(band)[20], band.size]).toEqual(["risk", 30]); // what is known to be true is dropped there too
    const unknown = { ...base, risk: new Float32Array(count).fill(Number.NaN), candidates: 10_000 };
    expect(bandOf(unknown, { ownImage: 99 }, settings({ risk: 0.03, k: 30 })).size).toBe(30);
  });

  it("describes every rule", () => {
    expect(Object.keys(dropRuleTexts)).toEqual([...dropRules]);
  });
});
