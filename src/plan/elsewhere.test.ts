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

function settingsOf(style: string, band: object): ResolvedSettings {
  const tree = { size: S, tokens: { kind: "none" }, mosaic: { style, gamma: 1 }, band: { prefer: "score", ...band } };
  return resolveSettings(parseSettings(tree, "test"), undefined);
}

function plansOf(settings: ResolvedSettings, epochs = 20): Plan[] {
  const { length } = facts.units;
  return Array.from({ length: epochs * length }, (_, at) =>
    planSample(facts, settings, 3, Math.floor(at / length), at % length),
  );
}

/** For each negative: the sentence, whether words keep its cell apart, whether its image is risky, what the plan says. */
function negativesOf(plan: Plan) {
  const others = plan.layers.filter(({ masks }) => masks.length === 0);
  return others.map(({ destination: [left, top], image }, at) => {
    const isApart =
      plan.text === "left dog" || plan.text === "dog near the left cat"
        ? left > 0
        : plan.text === "dog on the top right" && (left === 0 || top > 0);
    const isRisky = facts.imageOfKey(image) % 2 === 0;
    const showsKind = facts.imageOfKey(image) % 3 === 0;
    return { text: plan.text, isApart, isRisky, showsKind, elsewhere: plan.why.negatives[at]?.elsewhere === true };
  });
}

describe("cells to which words bind the target", () => {
  it.each(["nemo", "full-size"])("get no other image with the kind, wherever it is in that image: %s", (style) => {
    for (const band of [{}, { riskElsewhere: 1 }]) {
      const negatives = plansOf(settingsOf(style, band)).flatMap(negativesOf);
      for (const text of texts) {
        const near = negatives.filter((each) => each.text === text && !each.isApart);
        const showing = near.filter(({ showsKind }) => showsKind).length;
        if (text === "brown dog") expect(showing / near.length).toBeCloseTo(1 / 3, 1);
        else expect(showing).toBe(0);
      }
    }
  });

  it("are all cells of a mosaic that leaves the target out", () => {
    const settings = settingsOf("nemo", {});
    const plans = plansOf({ ...settings, gres: { ...settings.gres, makeNoTarget: 1 } }, 3);
    const drawn = plans.flatMap((plan) => plan.layers.map(({ image }) => ({ text: plan.text, image })));
    for (const text of texts) {
      const showing = drawn.filter((each) => each.text === text && facts.imageOfKey(each.image) % 3 === 0);
      if (text === "brown dog") expect(showing.length).toBeGreaterThan(0);
      else expect(showing).toEqual([]);
    }
  });
});

describe("band.riskElsewhere", () => {
  it.each(["nemo", "full-size"])(
    "lets what the words keep apart be risky, in every cell that they exclude and in no other: %s",
    (style) => {
      const plans = plansOf(settingsOf(style, { riskElsewhere: 1 })).filter(({ layers }) => layers.length > 1);
      const negatives = plans.flatMap(negativesOf);
      for (const { isApart, isRisky, elsewhere } of negatives) {
        expect(elsewhere).toBe(isApart);
        if (isRisky) expect(isApart).toBe(true);
      }
      for (const text of texts) {
        const apart = negatives.filter((each) => each.text === text && each.isApart);
        if (text === "brown dog") expect(apart).toHaveLength(0);
        // Half of the images are risky, and nothing prefers the others.
        else expect(apart.filter(({ isRisky }) => isRisky).length / apart.length).toBeCloseTo(0.5, 1);
      }
      for (const plan of plans) expect(new Set(plan.layers.map(({ image }) => image)).size).toBe(4);
    },
  );

  it("changes nothing where it is null, where band.risk is, and of sentences that may be anywhere", () => {
    const plain = plansOf(settingsOf("nemo", {}), 3);
    expect(plain.flatMap(({ why }) => why.negatives).some(({ elsewhere }) => elsewhere)).toBe(false);
    const loose = plansOf(settingsOf("nemo", { riskElsewhere: 1 }), 3);
    plain.forEach((plan, at) => {
      if (plan.text === "brown dog") expect(loose[at]).toEqual(plan);
    });
    const off = { risk: null, tau: 0.9, tauImage: null };
    expect(plansOf(settingsOf("nemo", { ...off, riskElsewhere: 1 }), 2)).toEqual(plansOf(settingsOf("nemo", off), 2));
  });

  it("lets what is pasted on the other side be of any image that shows the kind", () => {
    const of = (band: object): Plan[] =>
      plansOf(settingsOf("paste", band)).filter(({ text, layers }) => text === "left dog" && layers.length > 1);
    const isRisky = ({ image }: { image: string }): boolean => facts.imageOfKey(image) % 2 === 0;
    const pasted = of({ riskElsewhere: 1 }).flatMap(({ layers }) => layers.slice(1));
    expect(pasted.filter(isRisky).length).toBeGreaterThan(pasted.length / 4);
    expect(
      of({})
        .flatMap(({ layers }) => layers.slice(1))
        .filter(isRisky),
    ).toEqual([]);
  });
});
