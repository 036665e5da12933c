/**
 * Worked examples of the estimate (the map stands in estimate.ts). Ten dogs are spoken of by two sentences each, unless
 * said otherwise; the image asked for is the first of `others`.
 */
import { describe, expect, it } from "vitest";
import { estimateRisk } from "./estimate.ts";
import { poolOf, type Thing } from "./made-pool.contract.ts";

type Box = readonly [number, number, number, number];
const dog = (...sentences: string[]): Thing => ({ category: "dog", sentences });
const dogAt = (...box: Box): Thing => ({ category: "dog", box });
const sofa: Thing = { category: "sofa" };
const cat: Thing = { category: "cat" };

/** Five dogs of which `one` is said twice, five of which `other` is. */
const halves = (one: string, other: string): Thing[][] => [
  ...Array.from({ length: 5 }, () => [dog(one, one)]),
  ...Array.from({ length: 5 }, () => [dog(other, other)]),
];

/** The chance that the first sentence is true of `things`, among images in `pool`. */
function chanceOf(things: readonly Thing[], pool: readonly Thing[][]): number {
  const made = poolOf([...pool, things]);
  return estimateRisk(made.pool, made.measures).chance(0, pool.length);
}

describe("a colour", () => {
  const pool = halves("black dog", "white dog");
  // Said by 8 of 18 other sentences, and by 0.7 of those of a black dog (10 of 10 pairs, ten more at 0.4): t.
  const t = 8 / 18 / 0.7;

  it("of a dog of which nothing is said: t = 0.63", () => {
    expect(chanceOf([dog()], pool)).toBeCloseTo(t, 12);
    expect(t).toBeCloseTo(0.635, 3);
  });

  it("of either of two such dogs: 1 - (1 - t)²", () => {
    expect(chanceOf([dog(), dog()], pool)).toBeCloseTo(1 - (1 - t) ** 2, 12);
  });

  it("that was said of the dog: 1; in an image without dogs: 0", () => {
    expect(chanceOf([dog("black dog")], pool)).toBe(1);
    expect(chanceOf([cat], pool)).toBe(0);
    expect(chanceOf([], pool)).toBe(0);
  });

  it("of a dog that one sentence calls white: 0.15, since it leaves black out, which excludes white", () => {
    // That sentence counts too: 8 of 19 others say black. A black dog's sentence leaves it out with 1 - 0.7.
    const share = 8 / 19 / 0.7;
    // 20 pairs, of sentences of which 10 of 21 say black and 11 white: 5 expected together, none is, 3 are mixed in.
    const white = 3 / (((10 / 21) * 20 * 11) / 21 + 3);
    // All 10 pairs of black dogs say dog, a little more than 20 × 10 / 21.
    const called = (10 + 3) / ((10 / 21) * 20 + 3);
    const odds = (share / (1 - share)) * (1 - 0.7) * white * called;
    expect(chanceOf([dog("white dog")], pool)).toBeCloseTo(odds / (1 + odds), 6);
    expect(odds / (1 + odds)).toBeCloseTo(0.15, 3);
  });

  it("of a dog that is just called a dog: less than unsaid, more than white", () => {
    const plain = chanceOf([dog("dog")], pool);
    expect(plain).toBeLessThan(chanceOf([dog()], pool));
    expect(plain).toBeGreaterThan(chanceOf([dog("white dog")], pool));
  });

  it("close to the one said (black, brown): excluded by half at most", () => {
    const [near, far] = ["brown", "white"].map((colour) =>
      chanceOf([dog(`${colour} dog`)], halves("black dog", `${colour} dog`)),
    );
    expect(far).toBeCloseTo(0.15, 3);
    expect(near).toBeCloseTo(0.19, 2); // 0.5 in place of 3 / 8
  });
});

describe("where something faces", () => {
  const pool = halves("dog facing left", "dog facing right");

  it("is a word as a colour is: 0.45 unsaid, 1 said, little where the other side is said", () => {
    // 60 pairs are enough to measure how often a second sentence repeats a word: always, so that 0.98 is the most.
    expect(chanceOf([dog()], pool)).toBeCloseTo(8 / 18 / 0.98, 12);
    expect(chanceOf([dog("dog facing left")], pool)).toBe(1);
    expect(chanceOf([dog("dog facing right")], pool)).toBeLessThan(0.02);
  });

  it("is not where something lies: a dog on the left is not said to face left", () => {
    expect(chanceOf([dog("dog on the left")], pool)).toBeLessThan(chanceOf([dog()], pool));
  });
});

describe("names", () => {
  it("are true of all of their kind, as synonyms are: 1", () => {
    expect(chanceOf([dog()], [[dog("dog")]])).toBe(1);
    expect(chanceOf([dog()], [[dog("the puppy")]])).toBe(1);
    expect(chanceOf([dog("white doggy")], [[dog("the puppy")]])).toBe(1);
  });

  it("of some of a kind (man) are words: 0.63 of a person unsaid; of a woman 0.32, by exclusion alone", () => {
    const person = (...sentences: string[]): Thing => ({ category: "person", sentences });
    const people = (one: string) => Array.from({ length: 5 }, () => [person(one, one)]);
    const pool = [...people("man"), ...people("woman")];
    expect(chanceOf([person()], pool)).toBeCloseTo(8 / 18 / 0.7, 12); // as the colour
    expect(chanceOf([person("man")], pool)).toBe(1);
    // A noun is not left out but replaced: nothing for that. 22 pairs, 10 of 22 say man and 12 woman, never both.
    const share = 8 / 20 / 0.7;
    const odds = (share / (1 - share)) * (3 / (((10 / 22) * 22 * 12) / 22 + 3));
    expect(chanceOf([person("woman", "woman")], pool)).toBeCloseTo(odds / (1 + odds), 6);
    expect(odds / (1 + odds)).toBeCloseTo(0.32, 2);
  });

  it("are not true of another kind, of which a word for both (animal) may be", () => {
    const animal = (category: string): Thing[] => [{ category, sentences: ["animal", "animal"] }];
    const pool = [...Array.from({ length: 6 }, () => animal("dog")), ...Array.from({ length: 6 }, () => animal("cat"))];
    expect(chanceOf([cat], [[dog("dog")], ...pool])).toBe(0);
    expect(chanceOf([cat], pool)).toBe(1); // all sentences about cats say it
    expect(chanceOf([sofa], pool)).toBe(0); // none about sofas does
  });
});

describe("what chooses among like things", () => {
  it("second and third take two and three of them: 0 with fewer", () => {
    const pool = [[dog("second dog from the left")]];
    expect(
      [1, 2, 3].map((count) =>
        chanceOf(
          Array.from({ length: count }, () => dog()),
          pool,
        ),
      ),
    ).toEqual([0, 1, 1]);
    expect(chanceOf([dog(), dog()], [[dog("third dog from the right")]])).toBe(0);
  });

  it("left: of the left one of two, and of one alone that is not in the right third", () => {
    const pool = [[dog("dog on the left")]];
    expect(chanceOf([dogAt(70, 40, 20, 20)], pool)).toBe(0);
    expect(chanceOf([dogAt(40, 40, 20, 20)], pool)).toBe(1);
    expect(chanceOf([dogAt(60, 40, 20, 20), dogAt(75, 40, 20, 20)], pool)).toBe(1);
    expect(chanceOf([dogAt(70, 40, 20, 20)], [[dog("leftmost dog")]])).toBe(1); // the only one is the leftmost
  });

  it("bigger: of one of two; of one alone by half, and not where it is clearly smaller than the target", () => {
    const target = { ...dogAt(0, 0, 40, 40), sentences: ["the bigger dog"] };
    expect(chanceOf([dogAt(0, 0, 10, 10), dogAt(50, 50, 20, 20)], [[target]])).toBe(1);
    expect(chanceOf([dogAt(0, 0, 40, 40)], [[target]])).toBe(0.5);
    expect(chanceOf([dogAt(0, 0, 40, 30)], [[target]])).toBe(0); // 3/4 of its size
    expect(chanceOf([dogAt(0, 0, 40, 33)], [[target]])).toBe(0.5); // not clearly smaller
  });
});

describe("a landmark", () => {
  const pool = [[dog("dog by the cat"), cat]];

  it("that is there: 1; that is not, 0 where only dogs are, and a fifth where other things are", () => {
    expect(chanceOf([dog(), cat], pool)).toBe(1);
    expect(chanceOf([dog()], pool)).toBe(0);
    expect(chanceOf([dog(), sofa], pool)).toBeCloseTo(0.2, 12); // it may be small, or called something else
  });

  it("two of them: both have to be there", () => {
    const both = [[dog("dog by the cat and a sofa"), cat, sofa]];
    expect(chanceOf([dog(), cat, sofa], both)).toBeCloseTo(chanceOf([dog(), sofa, cat], both), 12);
    expect(chanceOf([dog(), cat], both)).toBeCloseTo(0.2 * chanceOf([dog(), cat, sofa], both), 12);
  });
});

describe("what the columns say beside the chance", () => {
  it("showsKind: whether a target's category is there, true or not; a no-target sentence has no kind and no chance", () => {
    const { pool, measures } = poolOf(
      [[dog("black dog")], [dog("white dog")], [cat]],
      [{ image: 0, things: [], sentences: ["black cat"] }],
    );
    const { chance, showsKind } = estimateRisk(pool, measures);
    expect([0, 1, 2].map((image) => showsKind(0, image))).toEqual([true, true, false]);
    expect([0, 1, 2].map((image) => showsKind(2, image))).toEqual([false, false, false]);
    expect(chance(2, 2)).toBeNaN();
  });
});
