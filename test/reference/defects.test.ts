import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { silentProgress } from "../../src/io/index.ts";
import { rleArea, rleFromPolygon, rleUnion } from "../../src/kernels/index.ts";
import { Loader } from "../../src/loader/index.ts";
import type { Plan } from "../../src/model/index.ts";
import { planSample } from "../../src/plan/index.ts";
import { importPool, Pool } from "../../src/pool/index.ts";
import { parseSettings, presetNames, type ResolvedSettings, resolveSettings } from "../../src/settings/index.ts";
import { expectEven } from "../chances.ts";
import { mineSmall, scratchFolder, smallPool, smallSource } from "../small-pool.ts";
import { type SyntheticFacts, syntheticFacts } from "../synthetic-facts.ts";

/** The defects of the released loader, numbered as in docs/reference-loader.md, each shown to be absent here. */

const base = { size: 64, tokens: { kind: "none" } };
let pool: Pool;

beforeAll(async () => {
  pool = await smallPool({ images: 16, refsPerImage: 2, valImages: 4 });
  await mineSmall(pool);
});
afterAll(() => pool.close());

function settingsOf(change: object, preset = "nemo"): ResolvedSettings {
  const tree = { ...base, preset, band: { tau: 0.8, tauImage: 0.9, k: 12 }, ...change };
  return resolveSettings(parseSettings(tree, "test"), undefined);
}

function* plansOf(facts: SyntheticFacts, settings: ResolvedSettings, total: number): Generator<Plan> {
  const { length } = facts.units;
  for (let at = 0; at < total; at++) yield planSample(facts, settings, 1, Math.floor(at / length), at % length);
}

const negativesOf = (facts: SyntheticFacts, plan: Plan): number[] =>
  plan.layers.filter(({ role }) => role === "negative").map(({ image }) => facts.imageOfKey(image));
const refOf = (plan: Plan): number => Number(plan.expression.split("/")[1]);
const always = { gamma: 1 };

describe("the released loader's defects are absent", () => {
  it("defect 1: a moving cross point tiles S × S, and the target is never lost", async () => {
    for (const crossPoint of [0.5, "free"]) {
      const change = { ...base, mosaic: { gamma: 1, crossPoint, minCell: 0.4 }, band: { tau: 1, tauImage: null } };
      const loader = await Loader.open(pool, parseSettings(change, "test"));
      const batch = await loader.get(0, [0, 1, 2, 3, 4, 5, 6, 7]);
      batch.plans.forEach((plan, at) => {
        const covered = new Uint8Array(64 * 64);
        for (const { destination } of plan.layers) {
          const [x, y, width, height] = destination;
          for (let row = y; row < y + height; row++)
            for (let column = x; column < x + width; column++) covered[row * 64 + column]!++;
        }
        expect(covered.every((count) => count === 1)).toBe(true);
        expect(batch.mask.subarray(at * 4096, (at + 1) * 4096).includes(1)).toBe(true);
      });
      await loader.close();
    }
  });

  it("defect 2: position words are whole words, several of them count, in any grid, without a language model", () => {
    const cells = (text: string, grid: string): Set<number> => {
      const facts = syntheticFacts({ images: 12, textOf: () => text });
      const settings = settingsOf({ mosaic: { ...always, grid, placement: "position-aware" } });
      return new Set(
        [...plansOf(facts, settings, 200)].map((plan) => plan.layers.findIndex(({ role }) => role === "target")),
      );
    };
    for (const text of ["leftover cake", "bright dress", "yellow cup", "laptop"])
      expect(cells(text, "2x2").size).toBe(4);
    expect(cells("man on the left, lower one", "2x2")).toEqual(new Set([2]));
    expect(cells("right man", "3x2")).toEqual(new Set([2, 5]));
  });

  it("defect 3: neither the own image, nor another ref of it, nor a near-duplicate is a negative", () => {
    const facts = syntheticFacts({ images: 20, refsPerImage: () => 3 });
    for (const randomShare of [0, 1]) {
      const settings = settingsOf({
        mosaic: { ...always, randomShare },
        band: { tau: null, tauImage: null },
        guards: { nearDuplicate: 0.8 },
      });
      for (const plan of plansOf(facts, settings, 5000)) {
        const own = Math.floor(refOf(plan) / 3);
        for (const image of negativesOf(facts, plan)) expect(image !== own && facts.i2i(own, image) < 0.8).toBe(true);
      }
    }
  });

  it("defect 4: no image comes twice, whatever K is, and fewer than three candidates do not crash", () => {
    const facts = syntheticFacts({ images: 30 });
    for (const k of [3, 20, 100])
      for (const plan of plansOf(facts, settingsOf({ mosaic: always, band: { tau: null, tauImage: null, k } }), 3000))
        expect(new Set(negativesOf(facts, plan)).size).toBe(3);
    for (const tooFew of ["widen", "single", "random"])
      for (const plan of plansOf(
        facts,
        settingsOf({ mosaic: always, band: { tau: 0.05, tauImage: null, k: 2 }, tooFew }),
        200,
      ))
        expect([1, 4]).toContain(plan.layers.length);
  });

  it("defect 5: where nothing survives τ, nothing above it is drawn", () => {
    const facts = syntheticFacts({ images: 20 });
    for (const tooFew of ["widen", "single", "random"])
      for (const plan of plansOf(facts, settingsOf({ mosaic: always, band: { tau: -1, tauImage: null }, tooFew }), 300))
        expect([plan.kind, plan.why.policy]).toEqual(["single", "single"]);
  });

  it("defect 6: both thresholds apply together", () => {
    const facts = syntheticFacts({ images: 40 });
    const settings = settingsOf({ mosaic: always, band: { tau: 0.6, tauImage: 0.6 } });
    let drawn = 0;
    for (const plan of plansOf(facts, settings, 4000))
      for (const { t2i, i2i } of plan.why.negatives) {
        expect(t2i! <= 0.6 && i2i! <= 0.6).toBe(true);
        drawn++;
      }
    expect(drawn).toBeGreaterThan(8000);
  });

  it("defect 7: no path is built in, no dataset is special, and validation needs no mined lists", async () => {
    const text = JSON.stringify(presetNames.map((preset) => parseSettings({ preset }, "test")));
    expect(text).not.toMatch(/\/|refcoco|coco/i);
    const fresh = await smallPool({ images: 6, refsPerImage: 1, valImages: 2 });
    const loader = await Loader.open(fresh, parseSettings(base, "test"), { split: "val" });
    expect(loader.length).toBe(4);
    expect((await loader.get(0, [0, 3])).truths?.map(rleArea).every((area) => area > 0)).toBe(true);
    await loader.close();
    await fresh.close();
  });

  it("defect 8: a sample that uses no candidates reads none, and nothing is printed", () => {
    const facts = syntheticFacts({ images: 12 });
    let reads = 0;
    const counting: SyntheticFacts = {
      ...facts,
      candidates: (expression) => {
        reads++;
        return facts.candidates(expression);
      },
    };
    const printed = vi.spyOn(console, "log");
    const out = vi.spyOn(process.stdout, "write");
    const kinds = [...plansOf(counting, settingsOf({ mosaic: { gamma: 0.5 } }), 1000)].map(({ kind }) => kind);
    expect(reads).toBe(kinds.filter((kind) => kind !== "single").length);
    expect(reads).toBeLessThan(700);
    expect([printed.mock.calls.length, out.mock.calls.length]).toEqual([0, 0]);
    vi.restoreAllMocks();
  });

  it("defect 9: candidates belong to the very sentence, and negatives to the candidate split", async () => {
    const loader = await Loader.open(
      pool,
      parseSettings({ ...base, mosaic: always, band: { tau: 0.9, tauImage: null, k: 4 } }, "test"),
    );
    const train = new Set(Array.from(loader.facts.candidateImages, (row) => pool.images.hash[row]));
    expect(train.size).toBe(12);
    for (let at = 0; at < 10 * loader.length; at++) {
      const plan = loader.plan(Math.floor(at / loader.length), at % loader.length);
      const row = loader.mined!.row(pool.expressionRow(plan.expression));
      plan.layers
        .filter(({ role }) => role === "negative")
        .forEach(({ image }, place) => {
          expect(train.has(image)).toBe(true);
          const rank = row.ids.indexOf(pool.imageRow(image));
          expect(plan.why.negatives[place]).toEqual({ rank, t2i: row.t2i[rank], i2i: row.i2i[rank] });
        });
    }
    await loader.close();
  });

  it("defect 10: polygons that overlap are one region without holes", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder, { images: 3, refsPerImage: 1, valImages: 0 });
    const parts = [
      [2, 2, 20, 2, 20, 20, 2, 20],
      [10, 10, 30, 10, 30, 28, 10, 28],
    ];
    const records = async function* () {
      for await (const record of source.records())
        yield record.type === "annotation" ? { ...record, segmentation: { kind: "polygons" as const, parts } } : record;
    };
    const options = { onBad: "fail", pack: false, force: false, progress: silentProgress } as const;
    await importPool(join(folder, "pool"), { ...source, records }, options);
    const opened = await Pool.open(join(folder, "pool"));
    const [height, width] = [opened.images.height[0]!, opened.images.width[0]!];
    const union = rleUnion(
      parts.map((part) => rleFromPolygon(part, height, width)),
      height,
      width,
    );
    expect(rleArea(opened.mask(0, opened.targetsOfRef(0)))).toBe(rleArea(union));
    await opened.close();
  });

  it("defect 11: the seed counts, a recreated loader goes on, and a live one sees the epoch", async () => {
    const settings = parseSettings({ ...base, mosaic: always, band: { tau: 0.9, tauImage: null } }, "test");
    const layers = async (seed: number, epoch: number): Promise<string> => {
      const loader = await Loader.open(pool, settings, { seed });
      const plans = Array.from({ length: loader.length }, (_, index) => loader.plan(epoch, index).layers);
      await loader.close();
      return JSON.stringify(plans);
    };
    expect(await layers(1, 0)).toBe(await layers(1, 0));
    expect(await layers(1, 0)).not.toBe(await layers(2, 0));
    expect(await layers(1, 0)).not.toBe(await layers(1, 1));
    const live = await Loader.open(pool, settings, { seed: 1 });
    expect(JSON.stringify(live.plan(1, 0).layers)).not.toBe(JSON.stringify(live.plan(0, 0).layers));
    await live.close();
  });

  it("defect 12: 3×3 at S = 416 fills 416 pixels, nothing is scaled twice", () => {
    const facts = syntheticFacts({ images: 20 });
    const [plan] = [...plansOf(facts, settingsOf({ size: 416, mosaic: { ...always, grid: "3x3" } }), 1)];
    expect(plan?.canvas).toBeUndefined();
    expect(plan?.layers.slice(0, 3).map(({ destination }) => destination[2])).toEqual([139, 139, 138]);
    const legacy = settingsOf({ size: 416, mosaic: { ...always, grid: "3x3" } }, "nemo-reference");
    expect([...plansOf(facts, legacy, 1)][0]?.canvas).toBe(414);
  });

  it("defect 13 (a trait): random negatives are drawn over images; over refs only by nemo-reference", () => {
    const facts = syntheticFacts({ images: 12, refsPerImage: (image) => (image < 2 ? 10 : 1) });
    const counts = (preset: string): number[] => {
      const settings = settingsOf(
        { mosaic: { gamma: 1, randomShare: 1 }, band: { tau: null, tauImage: null }, guards: { nearDuplicate: null } },
        preset,
      );
      const drawn = new Array<number>(12).fill(0);
      for (const plan of plansOf(facts, settings, 20_000)) {
        if (preset === "nemo" && refOf(plan) < 20) continue; // of the images with one ref, each bars itself alike
        for (const image of negativesOf(facts, plan)) drawn[image]!++;
      }
      return drawn;
    };
    const ours = counts("nemo");
    expectEven(ours.slice(0, 2));
    expectEven(ours.slice(2));
    expect(ours[0]! / ours[5]!).toBeLessThan(1.3);
    const theirs = counts("nemo-reference");
    expectEven(
      theirs,
      Array.from({ length: 12 }, (_, image) => (image < 2 ? 10 : 1) / 30),
    );
  });

  it("defect 14: nothing asks for pyarrow.deserialize", () => {
    const folder = resolve(import.meta.dirname, "../../python/nemosaic");
    const sources = readdirSync(folder).filter((name) => name.endsWith(".py"));
    expect(sources.length).toBeGreaterThan(5);
    for (const name of sources) expect(readFileSync(join(folder, name), "utf8")).not.toMatch(/pyarrow|deserialize/);
  });
});

describe("nemo-reference draws as the released loader where that one runs", () => {
  const facts = syntheticFacts({ images: 40, refsPerImage: (image) => (image === 0 ? 1 : 0) });
  const draws = (band: object, total = 20_000): Map<number, number> => {
    const settings = settingsOf({ mosaic: always, band: { tau: 0.8, tauImage: null, ...band } }, "nemo-reference");
    const found = new Map<number, number>();
    for (const plan of plansOf(facts, settings, total)) {
      if (plan.expression.endsWith("1")) continue;
      for (const { rank } of plan.why.negatives) found.set(rank, (found.get(rank) ?? 0) + 1);
    }
    return found;
  };
  const ranksBelow = (tau: number): number[] =>
    Array.from(facts.candidates(0)!.t2i.keys()).filter((rank) => facts.candidates(0)!.t2i[rank]! <= tau);

  it("with replacement over the first K for K ≥ 20, the own image among them", () => {
    const found = draws({ k: 20 });
    const expected = ranksBelow(0.8).slice(0, 20);
    expect(new Set(found.keys())).toEqual(new Set(expected));
    expectEven(expected.map((rank) => found.get(rank)!));
    expect(Array.from(facts.candidates(0)!.ids)).toContain(0);
  });

  it("without replacement over the first K below 20", () => {
    const found = draws({ k: 5 });
    expectEven(
      ranksBelow(0.8)
        .slice(0, 5)
        .map((rank) => found.get(rank)!),
    );
    expect(found.size).toBe(5);
  });

  it("from the end of the list where nothing survives: its first K below 20, all of it from 20 on", () => {
    expect(new Set(draws({ tau: -1, k: 5 }, 3000).keys())).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(draws({ tau: -1, k: 20 }).size).toBe(40);
  });
});
