import { describe, expect, it } from "vitest";
import { chanceOfAny, choiceOf, type Possible } from "./meant-objects.ts";

const at = (x: number, y: number, chance = 1): Possible => ({
  chance,
  centre: () => [x, y],
  share: () => 0.1,
});

describe("choiceOf", () => {
  it("reads counts from either end and places, and lets a denied place go", () => {
    expect(choiceOf("third mug from the left")).toEqual({ least: 3 });
    expect(choiceOf("second to last cow")).toEqual({ least: 2 });
    expect(choiceOf("bottom left cat")).toEqual({ least: 1, horizontal: "left", vertical: "bottom" });
    expect(choiceOf("cat left of the dog")).toEqual({ least: 1 });
    expect(choiceOf("the one not on the left")).toEqual({ least: 1 });
    expect(choiceOf("left girl on the right couch")).toEqual({ least: 1 });
  });
});

describe("chanceOfAny", () => {
  it("is one less the chance that none is meant, where nothing is said of place", () => {
    expect(chanceOfAny([at(0, 0, 0.5), at(1, 1, 0.2)], { least: 1 })).toBeCloseTo(0.6, 12);
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
  });
});
