import { describe, expect, it } from "vitest";
import { type SyntheticFacts, syntheticFacts } from "../../test/synthetic-facts.ts";
import type { Plan } from "../model/index.ts";
import { parseSettings, type ResolvedSettings, resolveSettings } from "../settings/index.ts";
import { letterLikeness, planSample, type SentenceFacts } from "./index.ts";

const images = 24;
/** Expression e is of image e >> 1; of each image the sentences of the 8 images behind it are mined. */
const minedOf = (image: number): number[] => Array.from({ length: 8 }, (_, at) => 2 * ((image + 1 + at) % images));
const sentences: SentenceFacts = {
  edited: (expression) => [
    { text: `edited ${expression}`, kind: "side", from: "a", to: "b", category: "dog" },
    ...[1, 2, 3].map((at) => ({ text: `noun ${expression}`, kind: "noun", from: "c", to: `d${at}`, category: "cat" })),
  ],
  mined: (expression) => {
    const ids = Int32Array.from(minedOf(expression >> 1));
    return {
      row: {
        ids,
        t2i: Float32Array.from(ids, (_, at) => 0.5 - at / 100),
        i2i: new Float32Array(ids.length).fill(-1),
        risk: Float32Array.from(ids, (_, at) => (at % 2 === 0 ? 0.5 : 0.01)),
        showsKind: Array.from(ids, (_, at) => (at % 4 === 1 ? 1 : 0)),
        truncated: true,
        rank: "t2i",
      },
      context: { ownImage: -1, targets: 0 },
    };
  },
  categoryOf: () => "dog",
  shows: (image) => image % 2 === 0,
};
const facts = syntheticFacts({ images, sentences, textOf: (e) => `${String.fromCharCode(97 + (e % 23)).repeat(6)}` });

function settingsOf(gres: object, changes: object = {}): ResolvedSettings {
  const tree = { size: 64, tokens: { kind: "none" }, gres, ...changes };
  return resolveSettings(parseSettings(tree, "test"), { ownMedian: 0.5, ownLower: 0.5, i2iHigh: 0.9 });
}

function plansOf(of: SyntheticFacts, settings: ResolvedSettings, count = 1200): Plan[] {
  const { length } = of.units;
  return Array.from({ length: count }, (_, at) => planSample(of, settings, 5, Math.floor(at / length), at % length));
}

const bandless = { risk: null, prefer: "score", tau: null, tauImage: null } as const;
const rowOf = (key: string): number => {
  const [, ref, sentence] = key.split("/");
  return 2 * Number(ref) + Number(sentence);
};

describe("samples with a sentence that is false of their image", () => {
  it("are as many as asked for, show the image without truth, and leave all other samples as they were", () => {
    const band = { band: bandless };
    const before = plansOf(facts, settingsOf({}, band));
    const plans = plansOf(facts, settingsOf({ negativeSentence: 0.3, negativeSource: "edited" }, band));
    const drawn = plans.filter(({ why }) => why.sentence !== undefined);
    expect(Math.abs(drawn.length / plans.length - 0.3)).toBeLessThan(0.05);
    plans.forEach((plan, at) => {
      if (plan.why.sentence === undefined) {
        expect(plan).toEqual(before[at]);
        return;
      }
      expect([plan.kind, plan.expression]).toEqual(["no-target", before[at]?.expression]);
      expect(plan.layers.flatMap(({ masks }) => masks)).toEqual([]);
      const own = plan.layers.filter(({ role }) => role === "target");
      expect(own.map(({ image }) => image)).toEqual([`image-${rowOf(plan.expression) >> 1}`]);
    });
    expect(new Set(drawn.map(({ layers }) => layers.length))).toEqual(new Set([1, 4]));
    expect(plansOf(facts, settingsOf({ negativeSentence: 0, negativeSource: "random" }, band))).toEqual(before);
  });

  it("change one thing of the expression's own sentence, nouns in a fourth of them, beside images without the thing", () => {
    const plans = plansOf(facts, settingsOf({ negativeSentence: 1, negativeSource: "edited" }));
    const nouns = plans.filter(({ why }) => why.sentence?.change?.kind === "noun");
    expect(Math.abs(nouns.length / plans.length - 0.25)).toBeLessThan(0.05);
    expect(new Set(nouns.map(({ why }) => why.sentence?.change?.to))).toEqual(new Set(["d1", "d2", "d3"]));
    for (const { text, expression, layers, why } of plans) {
      expect(text).toMatch(new RegExp(`^(edited|noun) ${rowOf(expression)}$`));
      expect(why.sentence?.expression).toBe(expression);
      const others = layers.filter(({ role }) => role === "negative").map(({ image }) => facts.imageOfKey(image));
      for (const image of others) expect(image % 2).toBe(1);
      expect(new Set(others).size).toBe(others.length);
    }
  });

  it("take the image's mined sentences within the risk, those first that name a kind it shows", () => {
    const settings = settingsOf({ negativeSentence: 1, negativeSource: "mined" }, { mosaic: { gamma: 0 } });
    for (const { text, expression, why, layers } of plansOf(facts, settings)) {
      const at = minedOf(rowOf(expression) >> 1).indexOf(rowOf(why.sentence?.expression ?? ""));
      expect(at % 2).toBe(1);
      expect(why.sentence).toMatchObject({ source: "mined", rank: at, showsKind: at % 4 === 1 });
      expect(why.sentence?.risk).toBeCloseTo(0.01);
      expect([text, layers.length]).toEqual([facts.expression(rowOf(why.sentence?.expression ?? "")).text, 1]);
    }
  });

  it("never put the image twice in a mosaic, nor one that the sentence is said of or whose kind it shows", () => {
    const settings = settingsOf(
      { negativeSentence: 1, negativeSource: "mined" },
      { mosaic: { gamma: 1 }, band: { tau: 0.9, tauImage: null, k: 30, risk: null } },
    );
    let mosaics = 0;
    for (const { expression, why, layers } of plansOf(facts, settings)) {
      const shown = layers.map(({ image }) => facts.imageOfKey(image));
      expect(new Set(shown).size).toBe(shown.length);
      expect(shown).toContain(rowOf(expression) >> 1);
      expect(shown).not.toContain(rowOf(why.sentence?.expression ?? "") >> 1);
      for (const image of shown) if (image !== rowOf(expression) >> 1) expect(image % 2).toBe(1);
      if (shown.length > 1) mosaics++;
    }
    expect(mosaics).toBeGreaterThan(1000);
  });

  it("are any other image's sentence that is unlike in its letters, with the source random", () => {
    const settings = settingsOf({ negativeSentence: 1, negativeSource: "random" }, { mosaic: { gamma: 0 } });
    const drawn = new Set<string>();
    for (const { text, expression, why } of plansOf(facts, settings)) {
      const own = facts.expression(rowOf(expression)).text;
      expect(letterLikeness(text, own)).toBeLessThan(0.5);
      expect(rowOf(why.sentence?.expression ?? "") >> 1).not.toBe(rowOf(expression) >> 1);
      drawn.add(why.sentence?.expression ?? "");
    }
    expect(drawn.size).toBe(2 * images);
  });

  it("take either source with equal chance, the other where one has nothing, and the true sentence where none has", () => {
    const both = settingsOf({ negativeSentence: 1, negativeSource: "mined+edited" }, { mosaic: { gamma: 0 } });
    const sources = plansOf(facts, both).map(({ why }) => why.sentence?.source);
    const edited = sources.filter((source) => source === "edited").length;
    expect(Math.abs(edited / sources.length - 0.5)).toBeLessThan(0.05);
    const without: SyntheticFacts = { ...facts, sentences: { ...sentences, edited: () => [] } };
    expect(new Set(plansOf(without, both).map(({ why }) => why.sentence?.source))).toEqual(new Set(["mined"]));
    const bare: SyntheticFacts = { ...facts, sentences: { ...sentences, edited: () => [], mined: () => undefined } };
    for (const { kind, text, expression, why, layers } of plansOf(bare, both, 50)) {
      expect([kind, why.wanted, why.policy]).toEqual(["single", "no-target", "no-sentence"]);
      expect(text).toBe(facts.expression(rowOf(expression)).text);
      expect(layers[0]?.masks).toEqual([`s/${rowOf(expression) >> 1}-0`]);
    }
    expect(() => plansOf(bare, { ...both, tooFew: "error" }, 1)).toThrow(/no sentence is known to be false/);
  });

  it.each(["left dog", "bigger dog", "dog next to the car"])(
    "are single images where other cells could make them true, and in styles without a grid: %s",
    (text) => {
      const edit = { text, kind: "side", from: "right", to: "left", category: "dog" };
      const placed = syntheticFacts({ images, sentences: { ...sentences, edited: () => [edit] } });
      const asked = { negativeSentence: 1, negativeSource: "edited" };
      const always = { mosaic: { gamma: 1 } };
      for (const { layers, why, kind } of plansOf(placed, settingsOf(asked, always), 50))
        expect([kind, layers.length, why.policy]).toEqual(["no-target", 1, "placement"]);
      for (const { layers, kind } of plansOf(facts, settingsOf(asked, { mosaic: { gamma: 1, style: "paste" } }), 50))
        expect([kind, layers.length]).toEqual(["no-target", 1]);
    },
  );
});

describe("letterLikeness", () => {
  it("is the mean of Jaccard's and the cosine likeness over bags of characters, as DeRIS's textdistance counts", () => {
    // "abc" and "abd" share two of four letters (Jaccard 2/4), cosine 2/3.
    expect(letterLikeness("abc", "abd")).toBeCloseTo((0.5 + 2 / 3) / 2);
    expect(letterLikeness("aab", "ab")).toBeCloseTo((2 / 3 + 2 / Math.sqrt(6)) / 2);
    expect([letterLikeness("x", "x"), letterLikeness("x", "y"), letterLikeness("", "")]).toEqual([1, 0, 1]);
  });
});
