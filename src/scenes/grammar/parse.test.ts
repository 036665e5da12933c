import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../io/index.ts";
import { CounterRandom } from "../../kernels/index.ts";
import { objectClasses } from "../classes.ts";
import { type ComparedModifier, inPlural, type Modifier, phraseOf } from "./logic.ts";
import { nouns } from "./nouns.ts";
import { parseExpression, tryParseExpression } from "./parse.ts";
import { textOf } from "./phrase-text.ts";

const one = (noun: string, ...modifiers: unknown[]): unknown => ({ number: "one", phrases: [{ noun, modifiers }] });

describe("parseExpression", () => {
  it.each([
    ["2nd mug from left", one("mug", { kind: "ordinal", rank: 2, from: "left" })],
    ["The second mug from the left.", one("mug", { kind: "ordinal", rank: 2, from: "left" })],
    [
      "big red car behind the dog",
      one(
        "car",
        { kind: "colour", colour: "red" },
        { kind: "pole", pole: "big", isMost: false },
        { kind: "relation", relation: "behind", of: { noun: "dog", modifiers: [] } },
      ),
    ],
    ["left mug", one("mug", { kind: "pole", pole: "left", isMost: false })],
    ["mug left of dog", one("mug", { kind: "relation", relation: "left of", of: { noun: "dog", modifiers: [] } })],
    [
      "mug right behind the dog",
      one("mug", { kind: "relation", relation: "behind", of: { noun: "dog", modifiers: [] } }),
    ],
    [
      "apple without a dog next to it",
      one("apple", {
        kind: "not",
        modifier: { kind: "relation", relation: "next to", of: { noun: "dog", modifiers: [] } },
        presumes: false,
      }),
    ],
    ["mug in front", one("mug", { kind: "pole", pole: "front", isMost: false })],
    ["top hat", one("top hat")],
    ["cap at the top", one("cap", { kind: "pole", pole: "top", isMost: false })],
    ["bus nearest the camera", one("bus", { kind: "nearest", to: { noun: "camera", modifiers: [] } })],
  ])("reads %s", (text, expected) => {
    expect(parseExpression(text)).toEqual(expected);
  });

  it("reads the name, plural and every synonym of every class as that noun", () => {
    let seen = 0;
    for (const noun of nouns) {
      expect(parseExpression(`the ${noun.name}`)).toEqual(one(noun.name));
      expect(parseExpression(`all ${noun.plural}`)).toEqual({
        number: "all",
        phrases: [{ noun: noun.name, modifiers: [] }],
      });
      seen++;
    }
    expect(seen).toBeGreaterThan(objectClasses.length);
  });

  it.each(["", "the", "blorp", "mug mug", "leftover mug", "mug in a bright room", "red", "mug from left", "2nd mug"])(
    "refuses %j with the place where it stops making sense",
    (text) => {
      expect(tryParseExpression(text)).toBeUndefined();
      expect(() => parseExpression(text)).toThrow(/grammar.*does not fit/);
    },
  );

  it.each([
    Array(200).fill("top left").join(" "),
    `mug ${Array(60).fill("left").join(" ")} blorp`,
    "mug and ".repeat(500),
    "the ".repeat(5000),
  ])("gives up soon on what could be read in very many ways", (text) => {
    expect(tryParseExpression(text)).toBeUndefined();
    expect(() => parseExpression(text)).toThrow(/in too many ways|does not fit/);
  });

  it("reads what textOf writes of any logical form, also of those that the dataset never holds", () => {
    const dog = { noun: "dog", modifiers: [] };
    const poles = (["left", "right", "top", "bottom", "front", "back", "big", "small"] as const).flatMap((pole) =>
      [false, true].map((isMost): Modifier => ({ kind: "pole", pole, isMost })),
    );
    const compared: Modifier[] = [...poles, { kind: "middle" }, { kind: "nearest", to: dog }];
    const denied = [...poles, { kind: "middle" } as const].map(
      (modifier): Modifier => ({ kind: "not", modifier: modifier as ComparedModifier, presumes: true }),
    );
    const ordinals = poles.flatMap((modifier) =>
      modifier.kind === "pole"
        ? [1, 5, 9].map((rank): Modifier => ({ kind: "ordinal", rank, from: modifier.pole }))
        : [],
    );
    let seen = 0;
    for (const modifier of [...compared, ...denied, ...ordinals]) {
      for (const number of ["one", "all", 1, 2, 3, 4, 9] as const) {
        if (typeof number !== "string" && number > 1 && modifier.kind === "ordinal") continue;
        const phrase = phraseOf("mug", [modifier]);
        const isPlural = number === "all" || (typeof number === "number" && number > 1);
        const logic = { number, phrases: [isPlural ? inPlural(phrase, number) : phrase] };
        const text = textOf(logic, new CounterRandom(seen, 0, 0, 0));
        expect(canonicalJson(parseExpression(text)), text).toBe(canonicalJson(logic));
        seen++;
      }
    }
    expect(seen).toBeGreaterThan(200);
  });

  it("names the first word that does not fit", () => {
    expect(() => parseExpression("red mug under the dog")).toThrow('word 3, "under"');
  });
});
