import { describe, expect, it } from "vitest";
import type { Pool } from "../pool/index.ts";
import { contentWords, estimateRisk } from "./index.ts";

describe("estimateRisk", () => {
  it("drops words that choose among what is left, keeps what is true of a thing by itself", () => {
    expect(contentWords("the second largest red mug on the left")).toEqual(["red", "mug"]);
    expect(contentWords("İİİİİ mug not red")).not.toContain("not"); // longer in lower case
    expect(contentWords("man with his left hand raised")).toContain("left");
  });

  it("knows by category, by words, and by how often words are said", () => {
    // Things by image: [category, sentences]; no sentences = not referred to.
    const things: [category: string, sentences: string[]][][] = [
      [["mug", ["red mug", "the red mug here"]]],
      [["mug", ["blue mug", "mug in blue"]]],
      [["mug", []]],
      [
        ["mug", []],
        ["mug", []],
      ], // prettier-ignore
      [["dog", ["brown dog", "dog next to mug"]]],
      [["mug", ["red mug", "mug"]]],
      [
        ["mug", []],
        ["dog", []],
      ], // prettier-ignore
      [["mug", ["mug next to dog", "red mug"]]],
    ];
    const flat = things.flatMap((list, image) => list.map(([category, sentences]) => ({ image, category, sentences })));
    const refs = flat.flatMap(({ sentences }, annotation) => (sentences.length > 0 ? [{ annotation, sentences }] : []));
    const none = { annotation: -1, sentences: ["red mug"] };
    const all = [...refs, none];
    const starts = all.map((_, ref) => all.slice(0, ref).reduce((sum, each) => sum + each.sentences.length, 0));
    const fake = {
      expressions: {
        count: all.flatMap(({ sentences }) => sentences).length,
        sent: all.flatMap(({ sentences }) => sentences),
        ref: all.flatMap(({ sentences }, ref) => sentences.map(() => ref)),
      }, // prettier-ignore
      refs: { count: all.length, image: all.map(({ annotation }) => flat[annotation]?.image ?? 0) },
      annotations: {
        count: flat.length,
        image: Int32Array.from(flat, ({ image }) => image),
        category: flat.map(({ category }) => category),
      },
      images: { count: things.length, width: [100], height: [100] },
      expressionsOfRef: (ref: number) => [starts[ref]!, starts[ref]! + all[ref]!.sentences.length],
      targetsOfRef: (ref: number) => (all[ref]!.annotation < 0 ? [] : [all[ref]!.annotation]),
      annotationsOfImage: (image: number) => flat.flatMap((each, row) => (each.image === image ? [row] : [])),
    } as unknown as Pool;
    const { chance } = estimateRisk(fake);
    expect(chance(0, 4)).toBe(0); // no mug
    expect(chance(0, 5)).toBe(1); // said to be red
    expect(chance(0, 1)).toBeLessThan(chance(0, 2)); // two sentences leave red out
    expect(chance(0, 2)).toBeLessThan(chance(0, 3)); // two chances
    expect(chance(0, 2)).toBeGreaterThan(0.05);
    const nextToDog = all.flatMap(({ sentences }) => sentences).indexOf("mug next to dog");
    expect(chance(nextToDog, 2)).toBe(0); // no dog there
    expect(chance(nextToDog, 6)).toBeGreaterThan(0);
    expect(chance(fake.expressions.sent.length - 1, 5)).toBeNaN(); // no-target: nothing is known to be named
  });
});
