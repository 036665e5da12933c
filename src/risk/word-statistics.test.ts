import { describe, expect, it } from "vitest";
import { namesOfCategories } from "./category-names.ts";
import { readFacts } from "./facts.ts";
import { poolOf, type Thing } from "./made-pool.contract.ts";
import { WordStatistics } from "./word-statistics.ts";

const dog = (...sentences: string[]): Thing => ({ category: "dog", sentences });
const cat = (...sentences: string[]): Thing => ({ category: "cat", sentences });

function countedIn(images: readonly (readonly Thing[])[]) {
  const { pool, measures } = poolOf(images);
  const facts = readFacts(pool, measures);
  const statistics = new WordStatistics(facts);
  return {
    statistics,
    word: (word: string) => statistics.ids.get(word)!,
    category: (name: string) => facts.categories.indexOf(name),
    names: namesOfCategories(facts.categories, statistics),
  };
}

describe("word statistics", () => {
  it("rate: what two sentences about one thing say both; drawn to 0.4, as ten pairs weigh, where pairs are few", () => {
    const { statistics, word } = countedIn([[dog("brown dog", "brown puppy")], [cat("cat")]]);
    expect(statistics.rate(word("brown"))).toBe((2 + 4) / (2 + 10)); // either sentence asks the other, both times yes
    expect(statistics.rate(word("dog"))).toBe((0 + 4) / (1 + 10)); // asked once: no
    expect(statistics.rate(word("cat"))).toBe(0.4); // one sentence: never asked
  });

  it("share: how often a category's sentences say a word, those of the asking ref left out", () => {
    const images = [[dog("brown dog", "brown dog")], [dog("brown dog")], [dog("black dog")], [cat("cat"), cat("cat")]];
    const { statistics, word, category } = countedIn(images);
    const brown = word("brown");
    expect(statistics.plainShare(brown, category("dog"))).toBe(3 / 4);
    expect(statistics.plainShare(brown, category("cat"))).toBe(0);
    // Of the others: one of two sentences about dogs, one of four of all; 20 of all are mixed in.
    expect(statistics.shareBesides(0, brown, category("dog"), 20)).toBe((1 + 20 * (1 / 4)) / (2 + 20));
    expect(statistics.shareBesides(0, brown, category("dog"), 0)).toBe(1 / 2);
    expect(statistics.categoriesSaying(brown)).toEqual([category("dog")]);
  });

  it("evidence: words that are never said of one thing speak against each other, close colours by half at most", () => {
    const two = (colour: string) => [dog(`${colour} dog`, `${colour} puppy`)];
    const { statistics, word } = countedIn(
      [...Array<string>(6).fill("black"), ...Array<string>(6).fill("white")].map(two),
    );
    const black = statistics.evidence(word("black"));
    // 24 pairs; half of the sentences say black and half white: 24 × 1/2 × 1/2 = 6 expected, none there, 3 mixed in.
    expect(black[word("white")]).toBe(Math.fround(3 / (6 + 3)));
    expect(black[word("black")]).toBe(Math.fround((12 + 3) / (6 + 3))); // all 12 pairs of black dogs say it twice
    expect(black[word("dog")]).toBe(1); // 6 pairs as expected
    const close = countedIn([...Array<string>(20).fill("black"), ...Array<string>(20).fill("brown")].map(two));
    expect(close.statistics.evidence(close.word("black"))[close.word("brown")]).toBe(0.5); // 3 / 23 without the floor
  });

  it("evidence: is made again, the same, where its table was let go for others", () => {
    const images = Array.from({ length: 60 }, (_, at) => [dog(`w${at} v${at % 7}`, `v${(at * 3) % 7} w${at}`)]);
    const { pool, measures } = poolOf(images);
    const [kept, few] = [2 ** 20, 0].map((bytes) => new WordStatistics(readFacts(pool, measures), bytes));
    const first = few!.evidence(0);
    const ids = [...kept!.ids.values(), ...kept!.ids.values()];
    for (const id of ids) expect(few!.evidence(id)).toEqual(kept!.evidence(id));
    expect(few!.evidence(0)).not.toBe(first);
    expect(kept!.evidence(0)).toBe(kept!.evidence(0));
  });

  it("names: of a category, its synonyms, and what its sentences say in its place (kitten, fuzzball)", () => {
    const images = [
      ...Array.from({ length: 12 }, () => [cat("fuzzball", "white fuzzball")]),
      [cat("the kitten", "white kitten")],
      [dog("white dog", "white dog")],
    ];
    const { names, statistics, word, category } = countedIn(images);
    expect(names.exact.get(word("kitten"))).toEqual(new Set([category("cat")])); // names.ts
    expect(names.exact.get(word("fuzzball"))).toEqual(new Set([category("cat")])); // said of cats alone, and of most
    expect(names.exact.get(word("white"))).toBeUndefined(); // dogs are white too
    expect(names.exact.get(word("dog"))).toEqual(new Set([category("dog")]));
    expect(statistics.nounOf(word("fuzzball"), names.words).has(category("cat"))).toBe(true);
    expect(statistics.nounOf(word("white"), names.words)).toEqual(new Set()); // stands beside the name each time
  });

  it("names: a man is a person, but a person need not be a man", () => {
    const { names, word, category } = countedIn([[{ category: "person", sentences: ["man", "someone"] }]]);
    expect(names.exact.get(word("someone"))).toEqual(new Set([category("person")]));
    expect(names.exact.get(word("man"))).toBeUndefined();
    expect(names.landmark.get(word("man"))).toEqual(new Set([category("person")]));
  });
});
