import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countWords, tokenizeWords } from "./index.ts";

const texts = (text: string): string[] => tokenizeWords(text).map((word) => word.text);

describe("tokenizeWords", () => {
  it("splits at everything but letters, marks, digits and inner apostrophes", () => {
    expect(texts("Left-most man's t-shirt, 3 o’clock!")).toEqual([
      "left",
      "most",
      "man's",
      "t",
      "shirt",
      "3",
      "o'clock",
    ]);
    expect(texts("'quoted' boys'")).toEqual(["quoted", "boys"]);
    expect(texts("  ")).toEqual([]);
    expect(texts("")).toEqual([]);
  });

  it("keeps letters outside ASCII and outside the first plane", () => {
    expect(texts("café naïve 左边的人 𝒳y")).toEqual(["café", "naïve", "左边的人", "𝒳y"]);
    expect(texts("man 🙂left")).toEqual(["man", "left"]);
    expect(texts("\ud800left\udc00")).toEqual(["left"]);
  });

  it("marks the word behind a clause's end", () => {
    expect(tokenizeWords("man, left (far) end").map((word) => word.afterBreak)).toEqual([false, true, true, true]);
    expect(tokenizeWords("man - left").map((word) => word.afterBreak)).toEqual([false, false]);
  });

  it("gives offsets that find each word in the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        let last = 0;
        for (const { text: word, start, end } of tokenizeWords(text)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          expect(text.slice(start, end).toLowerCase().replace(/[’`]/g, "'")).toBe(word);
          last = end;
        }
      }),
    );
  });
});

describe("countWords", () => {
  it("counts what whitespace separates and holds a letter or digit", () => {
    expect(countWords("man in t-shirt, 2nd from left - yes")).toBe(7);
    expect(countWords(" !! ")).toBe(0);
    expect(countWords("a\tb\u00a0c\nd")).toBe(4);
  });
});
