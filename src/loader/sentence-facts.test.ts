import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, smallPool } from "../../test/small-pool.ts";
import type { Pool } from "../pool/index.ts";
import { parseSettings, type ResolvedSettings, resolveSettings } from "../settings/index.ts";
import { settingsHash } from "./facts.ts";
import { countPlans, Loader } from "./index.ts";

const letters = (image: number): string => String.fromCharCode(97 + image);

let pool: Pool;
beforeAll(async () => {
  // Each image has letters of its own.
  const sentencesOf = (image: number) => [letters(image).repeat(4), letters(image).repeat(5)] as const;
  pool = await smallPool({ images: 12, valImages: 2, sentencesOf });
  await mineSmall(pool);
});
afterAll(() => pool.close());

const band = { risk: null, tau: null, tauImage: null };
const openWith = (gres: object, changes: object = {}, split = "train") =>
  Loader.open(pool, parseSettings({ size: 48, tokens: { kind: "none" }, band, gres, ...changes }, "test"), { split });

describe("sentences that are false of their image, in a loader", () => {
  it("come with an empty mask, the text that the model reads, and count as mosaics only where they are", async () => {
    const loader = await openWith({ negativeSentence: 1, negativeSource: "random" }, { mosaic: { gamma: 0.5 } });
    const indices = Array.from({ length: loader.length }, (_, index) => index);
    const batch = await loader.get(0, indices);
    const drawn = batch.plans.filter(({ why }) => why.sentence !== undefined);
    for (const plan of drawn) {
      expect(plan.kind).toBe("no-target");
      expect(plan.text).toBe(pool.expressions.sent[pool.expressionRow(plan.why.sentence?.expression ?? "")]);
      expect(batch.texts[plan.index]).toBe(plan.text);
      expect(batch.mask.subarray(plan.index * 48 ** 2, (plan.index + 1) * 48 ** 2).includes(1)).toBe(false);
      expect(loader.truth(plan).counts.length).toBe(1);
    }
    expect(drawn).toHaveLength(loader.length);
    const { mosaics, asked } = countPlans(loader, 0, indices);
    expect(mosaics).toBe(batch.plans.filter(({ layers }) => layers.length > 1).length);
    expect(asked).toBeGreaterThanOrEqual(mosaics);
    await loader.close();
  });

  it("are for training alone", async () => {
    const loader = await openWith({ negativeSentence: 1, negativeSource: "random" }, {}, "val");
    expect(loader.plan(0, 0)).toMatchObject({ kind: "single", why: { negatives: [] } });
    await loader.close();
  });

  it("are refused where the pool cannot give them, with what to do", async () => {
    await expect(openWith({ negativeSentence: 0.1 })).rejects.toThrow(
      /edited sentences need images with all objects annotated, .*100 % of annotations are of objects that a sentence is about.*set gres.negativeSource to mined or random/,
    );
    await expect(openWith({ negativeSentence: 0.1, negativeSource: "mined" })).rejects.toThrow(
      /run "nemosaic mine --sentences"/,
    );
  });
});

describe("settingsHash", () => {
  const resolved = (gres: object): ResolvedSettings =>
    resolveSettings(parseSettings({ gres }, "test"), { ownMedian: 0.4, ownLower: 0.3, i2iHigh: 0.9 });

  it("is what it was before sentences could be false, where none is", () => {
    const { negativeSentence, negativeSource, ...gres } = resolved({ negativeSource: "random" }).gres;
    const before = { ...resolved({}), gres } as ResolvedSettings;
    expect([negativeSentence, negativeSource]).toEqual([0, "random"]);
    expect(settingsHash(resolved({ negativeSource: "random" }))).toBe(settingsHash(before));
    const some = settingsHash(resolved({ negativeSentence: 0.1 }));
    expect(some).not.toBe(settingsHash(before));
    expect(settingsHash(resolved({ negativeSentence: 0.1, negativeSource: "random" }))).not.toBe(some);
  });
});
