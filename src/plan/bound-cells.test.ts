import { describe, expect, it } from "vitest";
import { syntheticFacts } from "../../test/synthetic-facts.ts";
import type { Plan } from "../model/index.ts";
import { parseSettings, type ResolvedSettings, resolveSettings } from "../settings/index.ts";
import { planSample } from "./index.ts";

const S = 120;
const texts = ["left dog", "brown dog", "dog on the top right", "dog near the left cat"];
const textOf = (expression: number): string => texts[(expression >> 1) % texts.length] ?? "";
/** Of even images every sentence is probably true, of odd ones it is not; every third shows the kind. */
const facts = syntheticFacts({
  images: 40,
  textOf,
  risk: (_, image) => (image % 2 === 0 ? 0.9 : 0.01),
  showsKind: (_, image) => image % 3 === 0,
  categoryOf: () => "dog",
  boxOf: (ref) => [4 + (ref % 9), 6 + (ref % 7), 9, 9],
});

function settingsOf(style: string): ResolvedSettings {
  const tree = { size: S, tokens: { kind: "none" }, mosaic: { style, gamma: 1 }, band: { prefer: "kind" } };
  return resolveSettings(parseSettings(tree, "test"), undefined);
}

function plansOf(settings: ResolvedSettings, epochs = 20): Plan[] {
  const { length } = facts.units;
  return Array.from({ length: epochs * length }, (_, at) =>
    planSample(facts, settings, 3, Math.floor(at / length), at % length),
  );
}

/** For each negative: the sentence, whether words keep its cell apart, whether its image is risky and shows the kind. */
function negativesOf(plan: Plan) {
  const others = plan.layers.filter(({ masks }) => masks.length === 0);
  return others.map(({ destination: [left, top], image }) => {
    const isApart =
      plan.text === "left dog" || plan.text === "dog near the left cat"
        ? left > 0
        : plan.text === "dog on the top right" && (left === 0 || top > 0);
    const isRisky = facts.imageOfKey(image) % 2 === 0;
    const showsKind = facts.imageOfKey(image) % 3 === 0;
    return { text: plan.text, isApart, isRisky, showsKind };
  });
}

describe("cells to which words bind the target", () => {
  it.each(["nemo", "full-size"])("get no other image with the kind, and all other cells get one: %s", (style) => {
    const plans = plansOf(settingsOf(style)).filter(({ layers }) => layers.length > 1);
    const negatives = plans.flatMap(negativesOf);
    for (const text of texts) {
      const [apart, near] = [true, false].map((isApart) =>
        negatives.filter((each) => each.text === text && each.isApart === isApart),
      ) as [typeof negatives, typeof negatives];
      const share = near.filter(({ showsKind }) => showsKind).length / near.length;
      if (text === "brown dog") expect([share > 0.4 && share < 0.6, apart.length]).toEqual([true, 0]);
      else expect([share || 0, apart.every(({ showsKind }) => showsKind), apart.length > 99]).toEqual([0, true, true]);
    }
    for (const plan of plans) expect(new Set(plan.layers.map(({ image }) => image)).size).toBe(4);
    expect(negatives.some(({ isRisky }) => isRisky)).toBe(false);
  });

  it("draw from K images in either place, however many show the kind", () => {
    const k = 5;
    const of = (every: number): Plan[] => {
      const showsKind = (_: number, image: number): boolean => image % every !== 0;
      const many = syntheticFacts({
        images: 120,
        textOf: () => "left dog",
        risk: () => 0,
        showsKind,
        categoryOf: () => "dog",
      });
      const settings = settingsOf("nemo");
      const few = { ...settings, tooFew: "error" as const, band: { ...settings.band, k } };
      return Array.from({ length: 200 }, (_, epoch) => planSample(many, few, 3, epoch, 7));
    };
    // Expression by expression: a ref has two, each with K images for the cell at the left and K for those at the right.
    for (const plans of [of(2), of(20)])
      for (const isAtLeft of [true, false]) {
        const drawn = plans.flatMap(({ expression, layers }) =>
          layers
            .filter(({ masks, destination }) => masks.length === 0 && (destination[0] === 0) === isAtLeft)
            .map(({ image }) => `${expression} ${image}`),
        );
        expect(new Set(drawn).size).toBe(2 * k);
      }
  });

  it("keep the kind out of random stand-ins, too, and say where a policy helped with either", () => {
    const showsKind = (_: number, image: number): boolean => image % 2 === 0;
    // Of nothing but the kind the sentence is false: what lacks it has to be drawn at random.
    const risk = (_: number, image: number): number => (showsKind(0, image) ? 0 : 0.9);
    const made = syntheticFacts({ images: 80, textOf: () => "left dog", risk, showsKind, categoryOf: () => "dog" });
    for (const tooFew of ["random", "single"] as const)
      for (let index = 0; index < 80; index++) {
        const { layers, why } = planSample(made, { ...settingsOf("nemo"), tooFew }, 3, 0, index);
        expect(why.policy).toBeDefined();
        const left = layers.filter(({ masks, destination }) => masks.length === 0 && destination[0] === 0);
        for (const { image } of left) expect(showsKind(0, made.imageOfKey(image))).toBe(false);
      }
  });

  it("do not cost the mosaic where no image shows the kind", () => {
    const scarce = syntheticFacts({
      images: 40,
      textOf,
      risk: () => 0,
      showsKind: () => false,
      categoryOf: () => "dog",
    });
    const plans = Array.from({ length: 40 }, (_, at) => planSample(scarce, settingsOf("nemo"), 3, 0, at));
    expect(plans.every(({ layers }) => layers.length === 4)).toBe(true);
  });

  it("are all cells of a mosaic that leaves the target out", () => {
    const settings = settingsOf("nemo");
    const plans = plansOf({ ...settings, gres: { ...settings.gres, makeNoTarget: 1 } }, 3);
    const drawn = plans.flatMap((plan) => plan.layers.map(({ image }) => ({ text: plan.text, image })));
    for (const text of texts) {
      const showing = drawn.filter((each) => each.text === text && facts.imageOfKey(each.image) % 3 === 0);
      if (text === "brown dog") expect(showing.length).toBeGreaterThan(0);
      else expect(showing).toEqual([]);
    }
  });
});
