import { describe, expect, it } from "vitest";
import { expectChance, expectEven } from "../../test/chances.ts";
import { type SyntheticFacts, syntheticFacts } from "../../test/synthetic-facts.ts";
import { isWithinCap } from "../band/index.ts";
import type { Plan } from "../model/index.ts";
import { parseSettings, type ResolvedSettings, resolveSettings } from "../settings/index.ts";
import { planSample } from "./index.ts";

const count = 100_000;
const S = 96;
const band = { tau: 0.8, tauImage: 0.9, k: 12 };
type Groups = Record<string, Record<string, unknown>>;

function settingsOf(change: Groups = {}, top: object = {}): ResolvedSettings {
  const { mosaic, band: ofBand, ...rest } = change;
  const tree = {
    size: S,
    tokens: { kind: "none" },
    guards: { nearDuplicate: 0.95 },
    gres: { tighten: 0 },
    ...rest,
    mosaic: { gamma: 1, ...mosaic },
    band: { ...band, ...ofBand },
    ...top,
  };
  return resolveSettings(parseSettings(tree, "test"), undefined);
}

function* plansOf(facts: SyntheticFacts, settings: ResolvedSettings, total = count, seed = 11): Generator<Plan> {
  const { length } = facts.units;
  for (let at = 0; at < total; at++) yield planSample(facts, settings, seed, Math.floor(at / length), at % length);
}

const expressionOf = (plan: Plan): number => {
  const [, ref, sentence] = plan.expression.split("/");
  return 2 * Number(ref) + Number(sentence);
};
const targetCell = (plan: Plan): number => plan.layers.findIndex((layer) => layer.role === "target");
const facts = syntheticFacts({ images: 36 });

/** Never repeated, never the own image, all under both thresholds, tiling S × S exactly. */
function checkNemo(plan: Plan, of: SyntheticFacts, settings: ResolvedSettings): void {
  const expression = expressionOf(plan);
  const own = of.bandContext(expression).ownImage;
  const seen = new Set<string>();
  let area = 0;
  for (const { role, image, destination } of plan.layers) {
    if (seen.has(image)) throw new Error(`an image twice in plan ${plan.index} of epoch ${plan.epoch}`);
    seen.add(image);
    area += destination[2] * destination[3];
    if (role === "target") continue;
    const negative = of.imageOfKey(image);
    if (negative === own) throw new Error("the own image as a negative");
    if (of.t2i(expression, negative) > settings.band.tau!) throw new Error("a negative above τ");
    if (of.i2i(own, negative) > settings.band.tauImage!) throw new Error("a negative above τᵢ");
  }
  if (area !== S * S) throw new Error(`cells of ${area} pixels`);
}

describe("planSample over 100,000 plans an option", () => {
  it("draws kinds with the chances of gamma and randomShare", () => {
    const settings = settingsOf({ mosaic: { gamma: 0.6, randomShare: 0.25 } });
    const kinds = { single: 0, random: 0, mined: 0, "no-target": 0 };
    for (const plan of plansOf(facts, settings)) kinds[plan.kind]++;
    expectChance(kinds.single, count, 0.4);
    expectChance(kinds.random, count, 0.15);
    expectChance(kinds.mined, count, 0.45);
  });

  it.each(["2x2", "3x3", "3x2", "1x4"])("puts the target into every cell of %s alike, cells tiling exactly", (grid) => {
    const settings = settingsOf({ mosaic: { grid } });
    const [columns, rows] = grid.split("x").map(Number) as [number, number];
    const cells = new Array<number>(columns * rows).fill(0);
    for (const plan of plansOf(facts, settings)) {
      checkNemo(plan, facts, settings);
      cells[targetCell(plan)]!++;
    }
    expectEven(cells);
  });

  it("draws mixed grids and sentences with equal chances", () => {
    let [nine, first] = [0, 0];
    for (const plan of plansOf(facts, settingsOf({ mosaic: { grid: "mixed" } }))) {
      if (plan.layers.length === 9) nine++;
      if (expressionOf(plan) % 2 === 0) first++;
    }
    expectChance(nine, count, 0.5);
    expectChance(first, count, 0.5);
  });

  it("moves the cross point evenly within its range, both lines alike", () => {
    const settings = settingsOf({ mosaic: { crossPoint: 0.25 } });
    const xs = new Array<number>(25).fill(0);
    const ys = new Array<number>(25).fill(0);
    const cells = [0, 0, 0, 0];
    for (const plan of plansOf(facts, settings)) {
      checkNemo(plan, facts, settings);
      xs[plan.layers[0]!.destination[2] - 36]!++;
      ys[plan.layers[0]!.destination[3] - 36]!++;
      cells[targetCell(plan)]!++;
    }
    for (const counts of [xs, ys, cells]) expectEven(counts);
  });

  it("moves lines evenly also where the least cell rules out most of their range", () => {
    const settings = settingsOf({ mosaic: { crossPoint: 0.5, minCell: 0.8, grid: "4x1" } });
    const tilings = new Map<string, number>();
    for (const plan of plansOf(facts, settings)) {
      const widths = plan.layers.map(({ destination }) => destination[2]);
      const key = widths.join();
      tilings.set(key, (tilings.get(key) ?? 0) + 1);
    }
    // Even cells are 24 wide, the least is 20; 16 pixels are free to be shared out among four cells, within reach.
    const expected = new Set<string>();
    for (let a = 12; a <= 36; a++)
      for (let b = 36; b <= 60; b++)
        for (let c = 60; c <= 84; c++) {
          const widths = [a, b - a, c - b, 96 - c];
          if (widths.every((width) => width >= 20)) expected.add(widths.join());
        }
    expect(expected.size).toBeGreaterThan(500);
    expect(new Set(tilings.keys())).toEqual(expected);
    expectEven([...tilings.values()]);
  });

  it("moves it freely over every tiling that keeps the least cell", () => {
    const settings = settingsOf({ mosaic: { crossPoint: "free", minCell: 0.25, grid: "3x1" } });
    // Two lines: the first cell has 8 … 80 pixels; its chance falls as fewer places are left for the second line.
    const widths = new Array<number>(73).fill(0);
    for (const plan of plansOf(facts, settings)) {
      checkNemo(plan, facts, settings);
      for (const layer of plan.layers) if (layer.destination[2] < 8) throw new Error("a cell below the least");
      widths[plan.layers[0]!.destination[2] - 8]!++;
    }
    const ways = 73 * 74 * 0.5;
    expectEven(
      widths,
      widths.map((_, at) => (73 - at) / ways),
    );
  });

  it("draws uniformly in the band, and each negative into each place", () => {
    const one = syntheticFacts({ images: 36, refsPerImage: (image) => (image === 0 ? 1 : 0) });
    const settings = settingsOf();
    const ranks = new Map<number, number[]>();
    for (const plan of plansOf(one, settings)) {
      if (expressionOf(plan) !== 0) continue;
      plan.why.negatives.forEach(({ rank }, place) => {
        const counts = ranks.get(rank) ?? [0, 0, 0];
        counts[place]!++;
        ranks.set(rank, counts);
      });
    }
    expect(ranks.size).toBe(12);
    expectEven([...ranks.values()].map((counts) => counts.reduce((sum, each) => sum + each, 0)));
    for (let place = 0; place < 3; place++) expectEven([...ranks.values()].map((counts) => counts[place]!));
  });

  it("draws the best only by top, in any order of cells", () => {
    const orders = new Map<string, number>();
    for (const plan of plansOf(facts, settingsOf({ draw: { method: "top" } }))) {
      const ranks = plan.why.negatives.map(({ rank }) => rank);
      const sorted = [...ranks].sort((a, b) => a - b);
      const key = ranks.map((rank) => sorted.indexOf(rank)).join("");
      orders.set(key, (orders.get(key) ?? 0) + 1);
      if (new Set(ranks).size !== 3) throw new Error("a repeat");
      const own = facts.bandContext(expressionOf(plan)).ownImage;
      const row = facts.candidates(expressionOf(plan))!;
      for (let rank = 0; rank < sorted[2]!; rank++) {
        if (sorted.includes(rank) || row.ids[rank] === own) continue;
        if (row.t2i[rank]! <= band.tau && row.i2i[rank]! <= band.tauImage) throw new Error("passed over a better one");
      }
    }
    expect(orders.size).toBe(6);
    expectEven([...orders.values()]);
  });

  it("draws by temperature with the chances of drawing one after the other by exp(score / temperature)", () => {
    const one = syntheticFacts({ images: 36, refsPerImage: (image) => (image === 0 ? 1 : 0) });
    const settings = settingsOf({ band: { k: 6 }, draw: { method: "temperature", temperature: 0.05 } });
    const hits = new Map<number, number>();
    let total = 0;
    for (const plan of plansOf(one, settings)) {
      if (expressionOf(plan) !== 0) continue;
      total++;
      for (const { rank } of plan.why.negatives) hits.set(rank, (hits.get(rank) ?? 0) + 1);
    }
    const ranks = [...hits.keys()].sort((a, b) => a - b);
    expect(ranks).toHaveLength(6);
    const weights = ranks.map((rank) => Math.exp(one.candidates(0)!.t2i[rank]! / 0.05));
    const included = new Array<number>(6).fill(0);
    const walk = (taken: readonly number[], chance: number): void => {
      if (taken.length === 3) {
        for (const at of taken) included[at]! += chance;
        return;
      }
      const left = weights.reduce((sum, weight, at) => (taken.includes(at) ? sum : sum + weight), 0);
      weights.forEach((weight, at) => {
        if (!taken.includes(at)) walk([...taken, at], (chance * weight) / left);
      });
    };
    walk([], 1);
    ranks.forEach((rank, at) => {
      expectChance(hits.get(rank)!, total, included[at]!);
    });
    expect(included[0]! - included[5]!).toBeGreaterThan(0.1); // the temperature makes a difference
  });

  it("draws by diversity: less alike than uniformly, harder with less of it", () => {
    const means = (draw: object): { alike: number; score: number } => {
      let [alike, score, pairs, drawn] = [0, 0, 0, 0];
      for (const plan of plansOf(facts, settingsOf({ draw: { ...draw } }), count / 4)) {
        const images = plan.layers
          .filter((layer) => layer.role === "negative")
          .map(({ image }) => facts.imageOfKey(image));
        if (new Set(images).size !== 3) throw new Error("a repeat");
        const vectors = images.map((image) => facts.imageVector(image));
        for (const { t2i } of plan.why.negatives) {
          score += t2i!;
          drawn++;
        }
        for (let a = 0; a < 3; a++)
          for (let b = 0; b < a; b++) {
            alike += vectors[a]!.reduce((sum, value, at) => sum + value * vectors[b]![at]!, 0);
            pairs++;
          }
      }
      return { alike: alike / pairs, score: score / drawn };
    };
    const uniform = means({ method: "uniform" });
    const [hard, half, diverse] = [0, 0.5, 1].map((diversity) => means({ method: "mmr", diversity })) as [
      typeof uniform,
      typeof uniform,
      typeof uniform,
    ];
    expect(diverse.alike).toBeLessThan(uniform.alike - 0.15);
    expect(half.alike).toBeLessThan(uniform.alike - 0.05);
    expect(hard.score).toBeGreaterThan(uniform.score + 0.02);
    expect(half.score).toBeGreaterThan(diverse.score);
  });

  it.each<[string, Groups, (expression: number, image: number, rank: number) => boolean]>([
    ["margin", { band: { margin: 0.1 } }, (e, i) => facts.t2i(e, i) <= facts.t2i(e, e >> 1) - 0.1],
    ["ratio", { band: { ratio: 0.9 } }, (e, i) => facts.t2i(e, i) <= 0.9 * facts.t2i(e, e >> 1) + 1e-12],
    ["minScore", { band: { minScore: 0.4, k: 100 } }, (e, i) => facts.t2i(e, i) >= 0.4],
    ["rank window", { band: { rankFrom: 10, rankTo: 20 } }, (_e, _i, rank) => rank >= 10 && rank < 20],
    ["K", { band: { k: 4, tau: null } }, () => true],
    [
      "near-duplicates",
      { band: { tauImage: 1 }, guards: { nearDuplicate: 0.7 } },
      (e, i) => facts.i2i(e >> 1, i) < 0.7,
    ],
  ])("draws every image that %s lets pass, and no other", (_name, change, passes) => {
    const settings = settingsOf(change, { tooFew: "single" });
    const drawn = Array.from({ length: 72 }, () => new Set<number>());
    for (const plan of plansOf(facts, settings)) {
      if (plan.kind === "single") continue;
      for (const { role, image } of plan.layers)
        if (role === "negative") drawn[expressionOf(plan)]!.add(facts.imageOfKey(image));
    }
    let full = 0;
    drawn.forEach((images, expression) => {
      const own = expression >> 1;
      const { guards, band: thresholds } = settings;
      const { ids } = facts.candidates(expression)!;
      const members = Array.from(ids)
        .filter((image, rank) => image !== own && passes(expression, image, rank))
        .filter((image) => facts.t2i(expression, image) <= (thresholds.tau ?? 1))
        .filter((image) => facts.i2i(own, image) <= thresholds.tauImage!)
        .filter((image) => facts.i2i(own, image) < guards.nearDuplicate!)
        .slice(0, thresholds.k);
      expect(images).toEqual(new Set(members.length < 3 ? [] : members));
      if (members.length >= 3) full++;
    });
    expect(full).toBeGreaterThan(20);
  });

  it("keeps text-to-text above τₜ out, also from random draws, and tightens it for several targets", () => {
    const of = syntheticFacts({
      images: 36,
      targetsOf: (ref) => 1 + (ref % 2),
      t2t: (e, i) => ((e * 7 + i * 3) % 11) / 16,
    });
    const settings = settingsOf({ band: { tauText: 0.5 }, mosaic: { randomShare: 0.5 }, gres: { tighten: 0.125 } });
    const highest = [0, 0];
    for (const plan of plansOf(of, settings)) {
      const expression = expressionOf(plan);
      const several = (expression >> 1) % 2;
      for (const { role, image } of plan.layers) {
        if (role === "target") continue;
        const similarity = ((expression * 7 + of.imageOfKey(image) * 3) % 11) / 16;
        highest[several] = Math.max(highest[several]!, similarity);
      }
    }
    expect(highest).toEqual([0.5, 0.375]);
  });

  it("keeps an image to the expressions of its hub cap", () => {
    const score = Float32Array.from({ length: 36 }, () => 0.6);
    const hubs = { score, expression: new Int32Array(36).fill(30) };
    const of: SyntheticFacts = { ...facts, bandContext: (e) => ({ ...facts.bandContext(e), hubs }) };
    let drawn = 0;
    for (const plan of plansOf(of, settingsOf({}, { tooFew: "single" })))
      plan.layers.forEach(({ role, image }, at) => {
        if (role === "target" || plan.kind === "single") return;
        const expression = expressionOf(plan);
        const row = of.imageOfKey(image);
        if (!isWithinCap(hubs, row, expression, of.t2i(expression, row))) throw new Error(`cell ${at}`);
        drawn++;
      });
    expect(drawn).toBeGreaterThan(100_000);
  });

  it("follows the schedule: warm-up, ramps, and plain last epochs", () => {
    const settings = settingsOf({
      schedule: {
        randomUntil: 200,
        epochs: 2700,
        plainLast: 300,
        gamma: [
          [0, 0.2],
          [2000, 1],
        ],
        k: [
          [0, 3],
          [2000, 12],
        ],
        tau: [
          [0, 0.5],
          [2000, 0.8],
        ],
      },
    });
    const rates = { warm: [0, 0, 0], early: [0, 0], late: [0, 0], plain: [0, 0] };
    for (const plan of plansOf(facts, settings, 36 * 2700)) {
      const { epoch, kind } = plan;
      const isMosaic = kind === "single" && plan.why.wanted === undefined ? 0 : 1;
      if (epoch < 200) {
        rates.warm[0]!++;
        rates.warm[1]! += isMosaic;
        if (kind === "mined") throw new Error("mined in the warm-up");
      } else if (epoch >= 2400) {
        if (isMosaic === 1) throw new Error("a mosaic in a plain epoch");
        rates.plain[0]!++;
      } else if (epoch >= 2000) {
        rates.late[0]!++;
        rates.late[1]! += isMosaic;
      } else if (epoch >= 900 && epoch < 1100) {
        rates.early[0]!++;
        rates.early[1]! += isMosaic;
        const tau = 0.5 + (0.3 * epoch) / 2000;
        for (const { t2i } of plan.why.negatives) if (t2i! > tau + 1e-9) throw new Error("above the ramp's τ");
        if (plan.why.band > Math.round(3 + (9 * epoch) / 2000)) throw new Error("a band beyond the ramp's K");
      }
    }
    expectChance(rates.warm[1]!, rates.warm[0]!, 0.2 + 0.8 * (99.5 / 2000));
    expectChance(rates.early[1]!, rates.early[0]!, 0.2 + 0.8 * (999.5 / 2000));
    expect(rates.late[1]).toBe(rates.late[0]);
    expect(rates.plain[0]).toBe(36 * 300);
  });

  it("runs over every expression once an epoch with unit expression", () => {
    const of: SyntheticFacts = { ...facts, unit: "expression", units: Int32Array.from({ length: 72 }, (_, at) => at) };
    const counts = new Array<number>(72).fill(0);
    for (const plan of plansOf(of, settingsOf(), 72 * 1389)) counts[expressionOf(plan)]!++;
    expect(new Set(counts)).toEqual(new Set([1389]));
  });
});
