import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, smallPool } from "../../test/small-pool.ts";
import { Loader } from "../loader/index.ts";
import type { Plan } from "../model/index.ts";
import { appendJudgement, type Pool } from "../pool/index.ts";
import { parseSettings } from "../settings/index.ts";
import { gridCells } from "../styles/index.ts";

const tau = 0.8;
const tauImage = 0.9;
const base = {
  mosaic: { gamma: 1 },
  band: { tau, tauImage, k: 12 },
  guards: { nearDuplicate: 0.95 },
  tokens: { kind: "none" },
  size: 96,
};
let pool: Pool;

beforeAll(async () => {
  pool = await smallPool({ images: 40, refsPerImage: 3, valImages: 4 });
  await mineSmall(pool);
});
afterAll(() => pool.close());

const open = (change: object = {}, seed = 0, split = "train"): Promise<Loader> =>
  Loader.open(pool, parseSettings({ ...base, ...change }, "test"), { split, seed });

function* plansOf(loader: Loader, count: number): Generator<Plan> {
  for (let at = 0; at < count; at++) yield loader.plan(Math.floor(at / loader.length), at % loader.length);
}

describe("planSample over 10,000 plans", () => {
  it.each([
    ["mined", base],
    ["random", { ...base, mosaic: { gamma: 1, randomShare: 1 } }],
    [
      "mixed grid with every policy in play",
      {
        ...base,
        mosaic: { gamma: 1, randomShare: 0.3, grid: "mixed" },
        band: { tau: 0.5, tauImage: 0.6, k: 5 },
        tooFew: "random",
      },
    ],
    ["widening", { ...base, mosaic: { gamma: 1, grid: "3x3" }, band: { tau: 0.6, tauImage: 0.9, k: 4 } }],
  ])("keeps every guard: %s", async (_name, settings) => {
    const loader = await open(settings);
    const { band } = loader.settings;
    const trainImages = new Set(Array.from(loader.facts.candidateImages, (row) => pool.images.hash[row]));
    const kinds: Record<string, number> = {};
    for (const plan of plansOf(loader, 10_000)) {
      kinds[plan.kind] = (kinds[plan.kind] ?? 0) + 1;
      const images = plan.layers.map((layer) => layer.image);
      expect(new Set(images).size).toBe(images.length);
      const targets = plan.layers.filter((layer) => layer.role === "target");
      expect(targets).toHaveLength(1);
      const expression = pool.expressionRow(plan.expression);
      const own = pool.refs.image[pool.expressions.ref[expression]!]!;
      expect(targets[0]!.image).toBe(pool.images.hash[own]);
      const mined = loader.mined!.row(expression);
      plan.layers
        .filter((layer) => layer.role === "negative")
        .forEach((layer, at) => {
          expect(trainImages.has(layer.image)).toBe(true);
          expect(layer.masks).toEqual([]);
          const rank = mined.ids.indexOf(pool.imageRow(layer.image));
          expect(rank).toBeGreaterThanOrEqual(0); // everything is mined here
          expect(mined.t2i[rank]!).toBeLessThanOrEqual(band.tau!);
          expect(mined.i2i[rank]!).toBeLessThanOrEqual(band.tauImage!);
          expect(plan.why.negatives[at]).toEqual({ rank, t2i: mined.t2i[rank], i2i: mined.i2i[rank] });
        });
      const area = plan.layers.reduce((sum, { destination: [, , w, h] }) => sum + w * h, 0);
      expect(area).toBe(plan.size * plan.size);
    }
    expect(Object.values(kinds).reduce((sum, count) => sum + count, 0)).toBe(10_000);
    await loader.close();
  });

  it("places the target uniformly over cells and draws uniformly in the band (chi-square)", async () => {
    const loader = await open({ mosaic: { gamma: 1, grid: "2x2" } });
    const cells = [0, 0, 0, 0];
    const ranksInBand: number[] = new Array<number>(12).fill(0);
    let full = 0;
    for (const plan of plansOf(loader, 20_000)) {
      const cell = plan.layers.findIndex((layer) => layer.role === "target");
      cells[cell] = cells[cell]! + 1;
      if (plan.why.band !== 12 || plan.kind !== "mined") continue;
      full++;
      const expression = pool.expressionRow(plan.expression);
      const mined = loader.mined!.row(expression);
      const own = pool.refs.image[pool.expressions.ref[expression]!]!;
      const survivors = Array.from(mined.ids.keys()).filter(
        (at) =>
          mined.ids[at] !== own &&
          mined.i2i[at]! < 0.95 &&
          mined.t2i[at]! <= Math.fround(tau) &&
          mined.i2i[at]! <= Math.fround(tauImage),
      );
      for (const { rank } of plan.why.negatives)
        ranksInBand[survivors.indexOf(rank)] = ranksInBand[survivors.indexOf(rank)]! + 1;
    }
    const chiSquare = (counts: number[]): number => {
      const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
      return counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
    };
    expect(full).toBeGreaterThan(15_000);
    expect(chiSquare(cells)).toBeLessThan(16.3); // 0.999 quantile, 3 degrees of freedom
    expect(chiSquare(ranksInBand)).toBeLessThan(31.3); // 0.999 quantile, 11 degrees of freedom
    await loader.close();
  });

  it("draws kinds, sentences and grids with the chances that were set", async () => {
    const loader = await open({ mosaic: { gamma: 0.6, randomShare: 0.25, grid: "mixed" } });
    const counts = { single: 0, random: 0, mined: 0, "no-target": 0, four: 0, nine: 0, first: 0 };
    for (const plan of plansOf(loader, 20_000)) {
      counts[plan.kind]++;
      if (plan.layers.length === 4) counts.four++;
      if (plan.layers.length === 9) counts.nine++;
      if (plan.text.endsWith("a")) counts.first++;
    }
    const near = (count: number, chance: number): void =>
      expect(Math.abs(count / 20_000 - chance)).toBeLessThan(4 * Math.sqrt((chance * (1 - chance)) / 20_000));
    near(counts.single, 0.4);
    near(counts.random, 0.15);
    near(counts.mined, 0.45);
    near(counts.four, 0.3);
    near(counts.nine, 0.3);
    near(counts.first, 0.5);
    await loader.close();
  });
});

describe("planSample", () => {
  it("is the same from any order of asking, and differs by seed and epoch", async () => {
    const [a, b, c] = [await open(), await open(), await open({}, 1)];
    const forward = Array.from({ length: a.length }, (_, index) => JSON.stringify(a.plan(3, index)));
    const backward = Array.from({ length: b.length }, (_, at) =>
      JSON.stringify(b.plan(3, b.length - 1 - at)),
    ).reverse();
    expect(backward).toEqual(forward);
    const layersOf = (loader: Loader, epoch: number): string =>
      JSON.stringify(Array.from({ length: 20 }, (_, index) => loader.plan(epoch, index).layers));
    expect(layersOf(a, 4)).not.toBe(layersOf(a, 3));
    expect(layersOf(c, 3)).not.toBe(layersOf(a, 3));
    for (const loader of [a, b, c]) await loader.close();
  });

  it("leaves other draws alone when one option changes", async () => {
    const [a, b] = [await open({ mosaic: { gamma: 1 } }), await open({ mosaic: { gamma: 1, grid: "3x3" } })];
    for (let index = 0; index < 50; index++) expect(b.plan(0, index).text).toBe(a.plan(0, index).text);
    await Promise.all([a.close(), b.close()]);
  });

  it("follows the policy where the band is too small, and says so", async () => {
    const tiny = (tooFew: string, k = 2, t = tau) => open({ band: { tau: t, tauImage, k }, tooFew });
    const widened = await tiny("widen");
    for (const plan of plansOf(widened, 200)) {
      expect(plan.kind).toBe("mined");
      expect(plan.why).toMatchObject({ wanted: "mined", policy: "widen", band: 2 });
      expect(plan.why.survivors).toBeGreaterThanOrEqual(3);
    }
    const single = await tiny("single");
    for (const plan of plansOf(single, 50))
      expect([plan.kind, plan.why.wanted, plan.why.policy, plan.layers.length]).toEqual([
        "single",
        "mined",
        "single",
        1,
      ]);
    const random = await tiny("random");
    for (const plan of plansOf(random, 200)) {
      expect([plan.kind, plan.why.policy]).toEqual(["random", "random"]);
      for (const { t2i, i2i } of plan.why.negatives) expect(t2i! <= tau && i2i! <= tauImage).toBe(true);
    }
    // K = 2 with "error" is refused before anything is drawn.
    const strict = await tiny("error", 12, -1);
    expect(() => strict.plan(0, 0)).toThrow(/the band of small\/.* holds 0 images, 3 are needed/);
    const nothing = await tiny("widen", 2, -1);
    for (const plan of plansOf(nothing, 20)) expect([plan.kind, plan.why.policy]).toEqual(["single", "single"]);
    for (const loader of [widened, single, random, strict, nothing]) await loader.close();
  });

  it("draws no image that might be above τ where mining was cut short", async () => {
    await mineSmall(pool, { depth: 4, name: "shallow" });
    const loader = await open({
      mined: "shallow",
      band: { tau: 0.5, tauImage: 1, k: 12 },
      tooFew: "random",
      mosaic: { gamma: 1, randomShare: 0.5 },
    });
    let cut = 0;
    for (const plan of plansOf(loader, 400)) {
      const mined = loader.mined!.row(pool.expressionRow(plan.expression));
      if (mined.t2i[3]! > 0.5 && plan.kind !== "single") throw new Error("drew beyond a list that ends above τ");
      if (plan.kind === "single") cut++;
    }
    expect(cut).toBeGreaterThan(0);
    await loader.close();
  });

  it("never draws what a person judged to be a false negative", async () => {
    const before = await open();
    const plan = before.plan(0, 0);
    const victim = plan.layers.find((layer) => layer.role === "negative")!.image;
    await before.close();
    for (const sentence of ["a", "b"]) {
      await appendJudgement(pool.folder, {
        expression: plan.expression.replace(/[ab]$/, sentence),
        image: victim,
        verdict: "false-negative",
      });
    }
    const after = await open();
    for (let epoch = 0; epoch < 200; epoch++)
      expect(after.plan(epoch, 0).layers.map((layer) => layer.image)).not.toContain(victim);
    await after.close();
  });

  it("gives validation every sentence as a single image", async () => {
    const loader = await open({}, 0, "val");
    expect(loader.length).toBe(4 * 3 * 2);
    const plans = Array.from({ length: loader.length }, (_, index) => loader.plan(0, index));
    expect(new Set(plans.map((plan) => plan.expression)).size).toBe(loader.length);
    expect(plans.every((plan) => plan.kind === "single" && plan.layers.length === 1)).toBe(true);
    await loader.close();
  });

  it("refuses an index outside the epoch, and a split that is not there", async () => {
    const loader = await open();
    expect(() => loader.plan(0, loader.length)).toThrow(/expected a sample index from 0 to/);
    expect(() => loader.plan(0, -1)).toThrow(/expected a sample index/);
    await loader.close();
    await expect(open({}, 0, "vall")).rejects.toThrow(/unknown split "vall". Did you mean "val"\? Valid: train, val/);
  });
});

describe("gridCells", () => {
  it("tiles every size exactly, remainders shared out", () => {
    expect(
      gridCells(416, 3, 3)
        .slice(0, 3)
        .map(([, , width]) => width),
    ).toEqual([139, 139, 138]);
    for (const size of [32, 96, 100, 416, 417, 511]) {
      for (const side of [1, 2, 3, 5]) {
        const covered = new Uint8Array(size * size);
        for (const [x, y, width, height] of gridCells(size, side, side)) {
          for (let row = y; row < y + height; row++)
            for (let at = x; at < x + width; at++) covered[row * size + at] = covered[row * size + at]! + 1;
        }
        expect(covered.every((count) => count === 1)).toBe(true);
      }
    }
  });
});
