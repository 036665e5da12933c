import { describe, expect, it } from "vitest";
import { type Choice, choiceOf, PossibleObjects } from "./meant-objects.ts";

interface Thing {
  readonly x: number;
  readonly y: number;
  readonly chance: number;
  readonly share: number;
}

const at = (x: number, y: number, chance = 1, share = 0.1): Thing => ({ x, y, chance, share });

function chanceOfAny(things: readonly Thing[], choice: Choice): number {
  const possible = new PossibleObjects(things.length, {
    across: Float64Array.from(things, ({ x }) => x),
    down: Float64Array.from(things, ({ y }) => y),
    share: Float64Array.from(things, ({ share }) => share),
    measure: () => undefined,
  });
  for (const [object, { chance }] of things.entries()) possible.add(object, chance);
  return possible.chanceOfAny(choice);
}

describe("choiceOf", () => {
  it("reads counts from either end and places, and lets a denied place go", () => {
    expect(choiceOf("third mug from the left")).toEqual({ least: 3 });
    expect(choiceOf("second to last cow")).toEqual({ least: 2 });
    expect(choiceOf("bottom left cat")).toEqual({ least: 1, horizontal: "left", vertical: "bottom" });
    expect(choiceOf("cat left of the dog")).toEqual({ least: 1 });
    expect(choiceOf("the one not on the left")).toEqual({ least: 1 });
    expect(choiceOf("left girl on the right couch")).toEqual({ least: 1 });
  });

  it("reads the end of a row, and comparatives unless they say with what", () => {
    expect(choiceOf("leftmost cat")).toEqual({ least: 1, horizontal: "left", isExtreme: true });
    expect(choiceOf("the bigger cat")).toEqual({ least: 1, compares: "large" });
    expect(choiceOf("the shorter man")).toEqual({ least: 1, compares: "small" });
    expect(choiceOf("the cat bigger than the dog")).toEqual({ least: 1 });
    expect(choiceOf("the biggest cat")).toEqual({ least: 1 }); // the only one may be the biggest
  });
});

describe("the chance that any object is meant", () => {
  it("is one less the chance that none is meant, where nothing is said of place", () => {
    expect(chanceOfAny([at(0, 0, 0.5), at(1, 1, 0.2)], { least: 1 })).toBeCloseTo(0.6, 12); // 1 - 0.5 × 0.8
    expect(chanceOfAny([], { least: 1 })).toBe(0);
  });

  it("takes as many as are counted: the chance of that many or more, by all subsets", () => {
    const objects = [0.3, 0.9, 0.5, 0.25].map((chance) => at(0.5, 0.5, chance));
    for (const least of [2, 3, 4]) {
      let expected = 0;
      for (let subset = 0; subset < 16; subset++) {
        const members = objects.map((_, index) => (subset >> index) & 1);
        if (members.reduce((sum, each) => sum + each, 0) < least) continue;
        expected += objects.reduce((all, { chance }, index) => all * (members[index] === 1 ? chance : 1 - chance), 1);
      }
      expect(chanceOfAny(objects, { least })).toBeCloseTo(expected, 12);
    }
    expect(chanceOfAny(objects.slice(0, 2), { least: 3 })).toBe(0);
  });

  it("asks an object to lie at the place: against its like, or in the image where it is alone", () => {
    const left = { least: 1, horizontal: "left" } as const;
    expect(chanceOfAny([at(0.9, 0.5)], left)).toBe(0);
    expect(chanceOfAny([at(0.6, 0.5)], left)).toBe(1);
    expect(chanceOfAny([at(0.8, 0.5), at(0.9, 0.5)], left)).toBe(1); // the left one of two
    const corner = { least: 1, horizontal: "left", vertical: "bottom" } as const;
    expect(chanceOfAny([at(0.1, 0.1), at(0.9, 0.9)], corner)).toBe(0);
    expect(chanceOfAny([at(0.1, 0.9), at(0.9, 0.1)], corner)).toBe(1);
    const middle = { least: 1, horizontal: "center" } as const;
    expect(chanceOfAny([at(0.1, 0.5), at(0.9, 0.5)], middle)).toBe(0);
    expect(chanceOfAny([at(0.1, 0.5), at(0.2, 0.5), at(0.9, 0.5)], middle)).toBe(1);
    expect(chanceOfAny([at(0.45, 0.5)], middle)).toBe(1);
    expect(chanceOfAny([at(0.9, 0.5)], middle)).toBe(0.25); // some call the only one "in the middle"
  });

  it("lets the only like one be the leftmost wherever it lies", () => {
    const leftmost = { least: 1, horizontal: "left", isExtreme: true } as const;
    expect(chanceOfAny([at(0.9, 0.5)], leftmost)).toBe(1);
    expect(chanceOfAny([at(0.9, 0.5), at(0.1, 0.5, 0.4)], leftmost)).toBe(1); // less than half as likely: not its like
    expect(chanceOfAny([at(0.9, 0.5), at(0.8, 0.5, 0)], leftmost)).toBe(1);
    expect(chanceOfAny([at(0.9, 0.5, 0.5), at(0.1, 0.5, 0.4)], leftmost)).toBe(0.4); // the left one of two alike
  });

  it("takes two for a comparison; one alone counts half where the target does not clearly outdo it", () => {
    const bigger = { least: 1, compares: "large", ownShare: 0.2 } as const;
    expect(chanceOfAny([at(0, 0), at(1, 1)], bigger)).toBe(1);
    expect(chanceOfAny([at(0, 0, 1, 0.2)], bigger)).toBe(0.5);
    expect(chanceOfAny([at(0, 0, 1, 0.1)], bigger)).toBe(0); // half the target's size: it is not the bigger one
    expect(chanceOfAny([at(0, 0, 1, 0.1)], { ...bigger, compares: "small" })).toBe(0.5);
    expect(chanceOfAny([at(0, 0, 0.5), at(1, 1, 0.5, 0.3)], bigger)).toBe(0.25 + 0.25 * 0.5); // both, or the large one alone
  });
});
