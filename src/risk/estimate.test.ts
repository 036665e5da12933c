import { describe, expect, it } from "vitest";
import { hashBytes } from "../io/index.ts";
import { CounterRandom, floatToHalf } from "../kernels/index.ts";
import { contentWords, estimateFrom, estimateRisk } from "./index.ts";
import { poolOf, type Thing } from "./made-pool.contract.ts";
import { plainEstimate } from "./plain-estimate.contract.ts";

const dog = (...sentences: string[]): Thing => ({ category: "dog", sentences });

describe("estimateRisk", () => {
  it("drops words that choose among what is left, keeps what is true of a thing by itself", () => {
    expect(contentWords("the second largest red mug on the left")).toEqual(["red", "mug"]);
    expect(contentWords("İİİİİ mug not red")).not.toContain("not"); // longer in lower case
    expect(contentWords("man with his left hand raised")).toContain("left");
  });

  it("knows by category, by words, and by how often words are said", () => {
    const mug = (...sentences: string[]): Thing => ({ category: "mug", sentences });
    const images = [
      [mug("red mug", "the red mug here")],
      [mug("blue mug", "mug in blue")],
      [mug()],
      [mug(), mug()],
      [dog("brown dog", "dog next to mug")],
      [mug("red mug", "mug")],
      [mug(), dog()],
      [mug("mug next to dog", "red mug")],
    ];
    const { pool, expression } = poolOf(images, [{ image: 0, things: [], sentences: ["red mug"] }]);
    const { chance } = estimateRisk(pool);
    expect(chance(0, 4)).toBe(0); // no mug
    expect(chance(0, 5)).toBe(1); // said to be red
    expect(chance(0, 1)).toBeLessThan(chance(0, 2)); // two sentences leave red out
    expect(chance(0, 2)).toBeLessThan(chance(0, 3)); // two chances
    expect(chance(0, 2)).toBeGreaterThan(0.05);
    const nextToDog = expression("mug next to dog");
    expect(chance(nextToDog, 2)).toBe(0); // no dog there
    expect(chance(nextToDog, 6)).toBeGreaterThan(0);
    expect(chance(pool.expressions.count - 1, 5)).toBeNaN(); // no-target: nothing is known to be named
  });
});

/** Sentences of every kind that the estimate tells apart, by formula: 32 images of 1 to 5 things. */
function mixedPool() {
  const categories = ["dog", "cat", "person", "sofa", "cup", "horse"];
  const colours = ["black", "white", "brown", "red", "grey"];
  const others = ["man", "kitty", "pony", "puppy", "animal", "woman", "mug"];
  const random = (image: number, place: number, stream: number) => new CounterRandom(3, image, place, stream);
  const sentence = (category: string, stream: CounterRandom): string => {
    const pick = (from: readonly string[]): string => from[stream.below(from.length)]!;
    const name = stream.below(4) === 0 ? pick(others) : category;
    const forms = [
      `${pick(colours)} ${name}`,
      `${name} ${pick(["on the left", "in the middle", "at the bottom right", "far left", "at the top"])}`,
      `${pick(["second", "third"])} ${name} from the ${pick(["left", "right"])}`,
      `the ${pick(["bigger", "smaller"])} ${pick(colours)} ${name}`,
      `${name} next to the ${pick(categories)}`,
      `${pick(colours)} ${name} ${pick(["facing", "looking"])} ${pick(["left", "right"])}`,
      `${name} that is not ${pick(colours)}`,
      pick(["the one in front", "left", "a striped thing", "", "the only one sleeping"]),
    ];
    return pick(forms);
  };
  const images = Array.from({ length: 32 }, (_, image) =>
    Array.from({ length: 1 + random(image, 0, 1).below(5) }, (_, place): Thing => {
      const stream = random(image, place, 2);
      const category = categories[stream.below(categories.length)]!;
      const count = [0, 0, 1, 2, 3][stream.below(5)]!;
      const box = [stream.below(60), stream.below(60), 5 + stream.below(40), 5 + stream.below(40)] as const;
      return { category, box, sentences: Array.from({ length: count }, () => sentence(category, stream)) };
    }),
  );
  const more = [
    { image: 1, things: [], sentences: ["a green dog", "black cat"] },
    { image: 2, things: [0, 0], sentences: ["black dogs"] },
    { image: images.findIndex((things) => things.length > 2), things: [0, 1, 2], sentences: ["all of them", "black"] },
    { image: 5, things: [0], sentences: Array.from({ length: 20 }, (_, at) => `${colours[at % 5]} thing ${at % 3}`) },
  ];
  return poolOf(images, more);
}

describe("the loops of the estimate", () => {
  const { pool, measures } = mixedPool();
  const ids = Int32Array.from({ length: pool.images.count }, (_, image) => image);
  const estimate = estimateRisk(pool, measures);
  const columns = { risk: new Float32Array(ids.length), showsKind: new Uint8Array(ids.length) };

  it("give bit by bit what the plain estimate gives, for every pair, asked one by one or all at once", () => {
    const plain = plainEstimate(pool, measures);
    const seen = new Set<number>();
    for (let expression = 0; expression < pool.expressions.count; expression++) {
      const expected = plain.chances(expression);
      const kinds = Array.from(ids, (image) => plain.showsKind(expression, image));
      expect(Array.from(ids, (image) => estimate.chance(expression, image))).toEqual(expected);
      expect(Array.from(ids, (image) => estimate.showsKind(expression, image))).toEqual(kinds);
      estimate.fill(expression, ids, columns, 0);
      expect(columns.risk).toEqual(Float32Array.from(expected));
      expect(Array.from(columns.showsKind)).toEqual(kinds.map(Number));
      for (const chance of expected) seen.add(chance);
    }
    expect(seen.size).toBeGreaterThan(500); // not all 0 and 1
  });

  it("give the same from the facts alone, as threads have them, and the halves that were recorded before they were fast", () => {
    const other = estimateFrom(estimate.facts);
    const all = new Float32Array(pool.expressions.count * ids.length);
    for (let expression = pool.expressions.count - 1; expression >= 0; expression--) {
      other.fill(expression, ids, columns, 0);
      all.set(columns.risk, expression * ids.length);
      estimate.fill(expression, ids, columns, 0);
      expect(all.subarray(expression * ids.length, (expression + 1) * ids.length)).toEqual(columns.risk);
    }
    expect(hashBytes(new Uint8Array(floatToHalf(all).buffer)).slice(0, 16)).toBe("eb98a65d8706e74a");
  });
});
