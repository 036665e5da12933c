import { describe, expect, it } from "vitest";
import { FalsityReasons } from "./index.ts";
import { poolOf, type Thing } from "./made-pool.contract.ts";

const at = (category: string, x: number): Thing => ({ category, box: [x, 40, 20, 20] });

/** Whether something known speaks against a sentence about a dog elsewhere, in an image of `things` with what is said of them. */
function hasReason(sentence: string, things: readonly Thing[], said: readonly (readonly string[])[] = []): boolean {
  const often = Array.from({ length: 10 }, () => ({ image: 0, targets: [0], sentences: ["spotted dog"] }));
  const cars = [at("dog", 0), at("car", 50)];
  const pool = poolOf(
    [cars, cars, things],
    [
      { image: 1, targets: [0], sentences: [sentence] },
      ...often,
      ...said.map((sentences, place) => ({ image: 2, targets: [place], sentences })),
    ],
  );
  return new FalsityReasons(pool).has(0, 2);
}

describe("FalsityReasons", () => {
  it("asks for none where nothing is there that may be meant", () => {
    expect(hasReason("the ugly dog", [at("cat", 0)])).toBe(true);
    expect(hasReason("the ugly dog", [at("cat", 0), at("", 50)])).toBe(false);
  });

  it("takes a missing landmark, too few to count, and the plainly other side", () => {
    expect(hasReason("dog next to the car", [at("dog", 0)])).toBe(true);
    expect(hasReason("dog next to the car", [at("dog", 0), at("car", 50)])).toBe(false);
    expect(hasReason("dog without a car", [at("dog", 0)])).toBe(false);
    expect(hasReason("third dog from left", [at("dog", 0), at("dog", 50)])).toBe(true);
    expect(hasReason("second dog from left", [at("dog", 0), at("dog", 50)])).toBe(false);
    expect(hasReason("left dog", [at("dog", 75)])).toBe(true);
    expect(hasReason("left dog", [at("dog", 45)])).toBe(false);
    expect(hasReason("left dog", [at("dog", 75), at("dog", 45)])).toBe(false);
    expect([hasReason("bigger dog", [at("dog", 0)]), hasReason("biggest dog", [at("dog", 0)])]).toEqual([true, false]);
  });

  it("takes other colours and directions only where they are said of everything of the kind", () => {
    const two = [at("dog", 0), at("dog", 50)];
    expect(hasReason("white dog", two, [["black dog"], ["a black one"]])).toBe(true);
    expect(hasReason("white dog", two, [["black dog"]])).toBe(false);
    expect(hasReason("brown dog", two, [["black dog"], ["a black one"]])).toBe(false);
    expect(hasReason("dog facing left", two, [["dog facing right"], ["facing right"]])).toBe(true);
    expect(hasReason("dog facing left", two, [["dog facing right"]])).toBe(false);
  });

  it("takes none where a noun is said of something else that the image shows", () => {
    const both = [at("crate", 0), at("gift box", 50)];
    const pool = (more: readonly { image: number; targets: number[]; sentences: string[] }[]) =>
      poolOf(
        [both, both, [at("crate", 0)], [at("cat", 0)]],
        [{ image: 0, targets: [1], sentences: ["the box", "second box from left", "the gift box"] }, ...more],
      );
    const crate = (sentence: string) => ({ image: 1, targets: [0], sentences: [sentence] });
    const known = new FalsityReasons(pool([crate("box"), crate("the left box")]));
    expect([0, 1, 2].map((row) => known.has(row, 2))).toEqual([false, false, true]);
    expect([0, 1, 2].map((row) => known.has(row, 3))).toEqual([true, true, true]);
    // One ref may be a slip, and what is named beside a thing is not what it is called.
    for (const more of [[crate("box")], [crate("crate near the gift box"), crate("box")]])
      expect(new FalsityReasons(pool(more)).has(0, 2)).toBe(true);
  });

  it("leaves words to the estimate where they are said often, and nothing places or compares", () => {
    expect(hasReason("spotted dog", [at("dog", 0)])).toBe(true);
    expect(hasReason("ugly dog", [at("dog", 0)])).toBe(false);
    expect(hasReason("big spotted dog", [at("dog", 0)])).toBe(false);
    expect(hasReason("spotted dog in the middle", [at("dog", 0)])).toBe(false);
  });
});
