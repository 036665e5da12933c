import { describe, expect, it } from "vitest";
import { countNamed, findFurtherPlaces } from "./index.ts";

describe("placesForFurther", () => {
  it.each([
    ["brown dog", []],
    ["man with glasses", []],
    ["cow facing left", []],
    ["man with left hand raised", []],
    ["left dog", ["right"]],
    ["leftmost dog", ["right"]],
    ["dog at the left most", ["right"]],
    ["dog on the right", ["left"]],
    ["top left mug", ["below", "right"]],
    ["mug on the bottom shelf", ["above"]],
    ["second mug from left", ["right"]],
    ["first mug from the right", ["left"]],
  ] as const)("finds room for one more thing of the kind: %s", (text, sides) => {
    expect([...findFurtherPlaces(text)!].sort()).toEqual([...sides].sort());
  });

  it.each([
    "biggest dog",
    "the smaller dog",
    "the only dog",
    "dog closest to us",
    "front calf",
    "dog in the back",
    "middle giraffe",
    "cat in the corner",
    "dog left of the cat",
    "dog next to the tree",
    "second giraffe",
    "last cow on the left",
    "the dog that is not on the left",
    "left man on the right couch",
  ])("knows no place where one more could make it false or ambiguous: %s", (text) => {
    expect(findFurtherPlaces(text)).toBeUndefined();
  });
});

describe("countNamed", () => {
  it("counts a category's name in singular and plural, and the usual other words for it", () => {
    expect(countNamed("dog next to the other dogs", "dog")).toBe(2);
    expect(countNamed("woman left of the two men", "person")).toBe(2);
    expect(countNamed("cup on the dining table", "dining table")).toBe(1);
    expect(countNamed("cup on the table", "diningtable")).toBe(1);
    expect(countNamed("guy on couch", "sofa")).toBe(1);
    expect(countNamed("mug with three strawberries", "strawberry")).toBe(1);
    expect(countNamed("left bus, two buses behind", "bus")).toBe(2);
  });

  it("counts whole words only, not across a comma, and nothing for no name", () => {
    expect(countNamed("catalogue of carts", "cat")).toBe(0);
    expect(countNamed("hot, dog", "hot dog")).toBe(0);
    expect([countNamed("anything", ""), countNamed("", "dog")]).toEqual([0, 0]);
  });
});
