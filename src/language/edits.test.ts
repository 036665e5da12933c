import { describe, expect, it } from "vitest";
import { editKinds, editsOf, NameFinder } from "./index.ts";

const categories = [
  ..."person dog cat horse elephant car truck boat bus chair couch cup sandwich orange apple umbrella backpack skis".split(
    " ",
  ),
  "hot dog",
];
const finder = new NameFinder(categories);
const edited = (sentence: string, category: string, targets = 1) =>
  editsOf(sentence, { category, targets, categories }, finder);
const texts = (kind: string, sentence: string, category: string, targets = 1): string[] =>
  edited(sentence, category, targets).flatMap((edit) => (edit.kind === kind ? [edit.text] : []));

describe("editsOf", () => {
  it("changes a side of the picture, a direction faced and a side of another thing, each with what makes it false", () => {
    expect(edited("a dog on the left", "dog").filter(({ kind }) => kind === "side")).toEqual([
      { text: "a dog on the right", kind: "side", from: "left", to: "right", condition: { holds: "at", side: "left" } },
    ]);
    expect(edited("dog facing right", "dog")[0]?.condition).toEqual({ holds: "faces", side: "right" });
    expect(edited("dog left of the cat", "dog")[0]).toMatchObject({
      text: "dog right of the cat",
      condition: { holds: "beside", side: "left", category: "cat" },
    });
    expect(texts("side", "dog on the upper shelf", "dog")).toEqual(["dog on the lower shelf"]);
  });

  it.each(["leftmost dog", "second dog from left", "dog with its left paw up", "bright dog", "dog left over"])(
    "leaves a side alone that no other place stands against: %s",
    (sentence) => expect(texts("side", sentence, "dog")).toEqual([]),
  );

  it("counts further from a side, in the words or numerals of the sentence", () => {
    expect(texts("ordinal", "the seventh dog from left", "dog")).toEqual([
      "the eighth dog from left",
      "the ninth dog from left",
    ]);
    expect(texts("ordinal", "an eighth dog", "dog")).toEqual(["a ninth dog"]);
    expect(texts("ordinal", "2nd dog from the right", "dog")[0]).toBe("3rd dog from the right");
    expect(texts("ordinal", "dog at third base", "dog")).toEqual([]);
    expect(texts("ordinal", "last dog", "dog")).toEqual([]);
  });

  it("changes a colour where it is plain what has it", () => {
    expect(texts("colour", "a brown dog", "dog")).toContain("an orange dog");
    expect(texts("colour", "the dog that is gray", "dog")).toContain("the dog that is black");
    expect(texts("colour", "the dog that is gray", "dog")).not.toContain("the dog that is grey");
    expect(edited("man in red shirt", "person")[0]?.condition).toMatchObject({ holds: "colour", ofPart: true });
    for (const [sentence, category] of [
      ["black and white dog", "dog"],
      ["dark brown dog", "dog"],
      ["black man", "person"],
      ["man in black", "person"],
      ["dog near the red car", "dog"],
      ["the orange on the left", "orange"],
    ] as const)
      expect(texts("colour", sentence, category)).toEqual([]);
  });

  it("changes sizes and counts", () => {
    expect(texts("size", "a large dog", "dog")).toEqual(["a small dog"]);
    expect(texts("size", "bigger dog", "dog")).toEqual([]);
    expect(texts("count", "both dogs", "dog", 2)[0]).toBe("three dogs");
    expect(texts("count", "the 3 dogs", "dog", 3)[0]).toBe("the 4 dogs");
    expect(texts("count", "two dogs", "dog", 3)).toEqual([]);
  });

  it("puts another thing of the supercategory in, in the same number, with the article that it takes", () => {
    expect(texts("noun", "a dog on the left", "dog")).toEqual(
      expect.arrayContaining(["a cat on the left", "an elephant on the left"]),
    );
    expect(texts("noun", "Two dogs", "dog", 2)).toEqual(
      expect.arrayContaining(["Two cats", "Two horses", "Two elephants"]),
    );
    expect(texts("landmark", "dog next to a car", "dog")).toEqual(["dog next to a boat"]);
    expect(texts("noun", "an apple", "apple")).toContain("a hot dog");
    expect(texts("noun", "woman on a horse", "person")).toEqual(["man on a horse"]);
    expect(texts("noun", "man with his dog", "person")).toEqual([]);
    expect(texts("noun", "the car", "car")).not.toContain("the truck"); // people take one for the other
  });

  it.each([
    ["dog bowl on the left", "dog"],
    ["dog without a cat", "dog"],
    ["dog not on the left", "dog"],
    ["dog or cat", "dog"],
    ["left one", "dog"],
    ["hot dog", "dog"],
    ["", "dog"],
    ["İ 🐕 dog's", "dog"],
  ])("gives nothing where it is not plain what would be false: %s", (sentence, category) => {
    expect(edited(sentence, category)).toEqual([]);
  });

  it("changes one thing only, and never to what the sentence was", () => {
    for (const edit of edited("a big brown dog on the left near a car", "dog")) {
      expect(editKinds).toContain(edit.kind);
      expect(edit.text).not.toBe("a big brown dog on the left near a car");
      expect(edit.text.split(" ").length).toBe(10);
    }
  });
});
