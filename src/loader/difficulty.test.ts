import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, smallPool } from "../../test/small-pool.ts";
import type { Pool } from "../pool/index.ts";
import { parseSettings } from "../settings/index.ts";
import { type Difficulty, difficultyWarnings, Loader, measureDifficulty } from "./index.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await smallPool({ images: 40, refsPerImage: 2, valImages: 4 });
  await mineSmall(pool);
});
afterAll(() => pool.close());

async function measured(settings: object): Promise<Difficulty | undefined> {
  const loader = await Loader.open(pool, parseSettings(settings, "x"));
  try {
    return measureDifficulty(loader);
  } finally {
    await loader.close();
  }
}

describe("measureDifficulty", () => {
  it("counts the mosaics of an epoch as its plans are, and means as bands are", async () => {
    const loader = await Loader.open(pool, parseSettings({ band: { risk: null }, mosaic: { gamma: 1 } }, "x"));
    const found = measureDifficulty(loader)!;
    const plans = Array.from({ length: loader.length }, (_, index) => loader.plan(0, index));
    expect(found).toMatchObject({ samples: plans.length, asked: plans.length, mosaics: plans.length });
    const scores = plans.map((plan) => {
      const { t2i } = loader.mined!.row(pool.expressionRow(plan.expression));
      return Array.from(t2i);
    });
    expect(found.band.score).toBeGreaterThan(found.random.score);
    expect(found.random.score).toBeGreaterThan(Math.min(...scores.flat()));
    await loader.close();
  });

  it("says which rule is in force, and why", async () => {
    expect((await measured({}))?.rule).toMatch(/^(risk: at most 3 %|ranks: the best twentieth).*\(.+\)$/);
    expect((await measured({ preset: "nemo-tau" }))?.rule).toMatch(/^scores: τ -?0\.\d{3}, τᵢ 0\.\d{3}$/);
    expect(await measured({ preset: "random" })).toBeUndefined();
    expect(await measured({ preset: "none" })).toBeUndefined();
  });

  it("warns of single images and of negatives that are easier than random ones, with the remedy", async () => {
    const thin = (await measured({ band: { tau: 0.02, tauImage: null }, tooFew: "single" }))!;
    expect(thin.mosaics).toBeLessThan(thin.asked / 2);
    expect(difficultyWarnings(thin)[0]).toMatch(
      /^only \d+ % of the mosaics asked for can be made.*raise band\.risk or τ/,
    );
    expect(difficultyWarnings({ ...thin, candidates: 3, need: 3 })[0]).toMatch(
      /single images: a mosaic takes 3 images beside the expression's own, and the candidates are 3 images; import more$/,
    );
    const easy = (await measured({ band: { risk: null, prefer: "score", tau: 0.3, tauImage: null, k: 3 } }))!;
    expect(easy.band.score).toBeLessThan(easy.random.score);
    const byScore = { ...easy, coverage: undefined };
    expect(difficultyWarnings(byScore).some((text) => /easier than random ones: mean score/.test(text))).toBe(true);
    const complete = {
      annotationsPerImage: 3,
      referredShare: 0.5,
      landmarks: 0,
      landmarksAnnotated: 0,
      isComplete: true,
      reason: "",
    };
    const kinds = {
      ...easy,
      coverage: complete,
      band: { ...easy.band, hard: 0.02 },
      random: { ...easy.random, hard: 0.1 },
    };
    expect(difficultyWarnings(kinds)).toEqual([
      'negatives are easier than random ones: 2 % of them show the target\'s kind and are not what the expression names, of random images 10 %; "nemosaic tune" says which rule to take',
    ]);
    expect(difficultyWarnings({ ...kinds, band: { ...easy.band, hard: 0.2 } })).toEqual([]);
    expect(difficultyWarnings({ ...kinds, band: { ...easy.band, hard: 0.097 } })).toEqual([]);
  });

  it("does not blame the band for mosaics that words forbid", () => {
    const means = { score: 0.5, risk: 0, hard: 0.5 };
    const difficulty: Difficulty = {
      epoch: 0,
      samples: 100,
      asked: 50,
      mosaics: 30,
      unplaced: 20,
      expressions: 100,
      full: 100,
      candidates: 50,
      need: 3,
      band: means,
      random: { ...means, score: 0.1 },
      own: 0.6,
      coverage: undefined,
      rule: "",
    };
    expect(difficultyWarnings(difficulty)).toEqual([]);
    expect(difficultyWarnings({ ...difficulty, unplaced: 0 })).toHaveLength(1);
  });
});
