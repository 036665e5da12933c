import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allowedCells, languageOf, languageRemark, positionsOf } from "./index.ts";

describe("languageOf", () => {
  it.each([
    ["左边的人", "chinese"],
    ["der Mann links", "german"],
    ["die Frau oben rechts", "german"],
    ["zweite Tasse von links", "german"],
    ["l'homme à gauche", "french"],
    ["le centre", "french, spelled as in English"],
    ["homme en haut", "french"],
    ["la mujer de la izquierda", "spanish"],
    ["uomo a sinistra", "italian"],
    ["o homem da direita", "portuguese"],
    ["de man rechts", "dutch"],
    ["người đàn ông bên trái", "vietnamese"],
    ["человек слева", "russian"],
    ["右の男", "japanese"],
    ["왼쪽 남자", "korean"],
  ])('knows that "%s" (%s) names a place that it cannot read: no cell is known to keep it', (text) => {
    expect(languageOf(text)).toEqual({ isEnglish: false, namesPlace: true });
    expect(positionsOf(text)).toMatchObject({ mentions: [], unsafe: true, reasons: ["unknown-language"] });
    expect(allowedCells(text, 2, 2)).toEqual([]);
    expect(allowedCells(text, 1, 1)).toEqual([0]);
  });

  it.each(["红色的杯子", "la tasse bleue", "der rote Hut", "el hombre con camisa roja", "красная чашка"])(
    'takes "%s" for position-free',
    (text) => {
      expect(languageOf(text)).toEqual({ isEnglish: false, namesPlace: false });
      expect(allowedCells(text, 2, 2)).toEqual([0, 1, 2, 3]);
    },
  );

  it.each([
    ["the one with jalapeño on left", [0, 2]],
    ["man in la dodgers hat left", [0, 2]],
    ["café sign top", [0, 1]],
    ["person in 北京 shirt right", [1, 3]],
    ["sausage links", [0, 1, 2, 3]],
    ["no", [0, 1, 2, 3]],
    ["van", [0, 1, 2, 3]],
    ["", [0, 1, 2, 3]],
  ])('leaves "%s" to the English rules', (text, cells) => {
    expect(languageOf(text).isEnglish).toBe(true);
    expect(allowedCells(text, 2, 2)).toEqual(cells);
  });

  it("takes any string", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => typeof languageOf(text).isEnglish === "boolean"));
  });
});

describe("languageRemark", () => {
  const english = Array.from({ length: 200 }, (_, i) => `man ${i} left`);

  it("counts what is not English, and of it what gets the single image", () => {
    expect(languageRemark([...english, "der Mann links", "das Auto"])).toMatch(
      /^2 of 202 expressions are not in English.*\(such as "der Mann links"\): 1 of them name a place/,
    );
  });

  it("is silent about English, and about fewer than one in two hundred", () => {
    expect(languageRemark([])).toBeUndefined();
    expect(languageRemark([...english, "left café"])).toBeUndefined();
    expect(languageRemark([...english, "der Mann links"])).toBeUndefined();
  });
});
