import { colourSynonyms, colourWords } from "../colours.ts";
import type { Modifier, Pole, Relation } from "./logic.ts";

/**
 * The fixed wordings of modifiers, one table for the writer and the parser. `before` stands before the noun ("left
 * mug"), `after` behind it ("mug on the left"). `weight` 0: understood, never written.
 */
export interface Wording {
  readonly text: string;
  readonly place: "before" | "after";
  readonly modifier: Modifier;
  readonly weight: number;
}

/** Every fixed wording. */
export const wordings: readonly Wording[] = [...colourForms(), ...poleForms(), ...middleForms(), ...areaForms()];

/** The wordings of a relation, before the phrase that it names. */
export const relationForms: Readonly<Record<Relation, readonly string[]>> = {
  "next to": ["next to", "beside", "right next to", "by", "right beside"],
  "left of": ["left of", "to the left of", "on the left of", "to left of", "on the left side of"],
  "right of": ["right of", "to the right of", "on the right of", "to right of", "on the right side of"],
  behind: ["behind", "in back of", "right behind", "directly behind", "just behind"],
  "in front of": ["in front of", "right in front of", "directly in front of", "just in front of"],
};

/** Relations in the form "with a dog … it". */
export const withForms: Readonly<Partial<Record<Relation, readonly string[]>>> = {
  "next to": ["next to it", "beside it", "by it"],
};

/**
 * As `withForms`, and those that are understood but never written: what stands behind a thing has that thing before it.
 */
export const readWithForms: Readonly<Record<Relation, readonly string[]>> = {
  "next to": withForms["next to"] ?? [],
  "left of": ["to its right", "to the right of it", "on its right", "on the right of it", "right of it"],
  "right of": ["to its left", "to the left of it", "on its left", "on the left of it", "left of it"],
  behind: ["in front of it", "before it"],
  "in front of": ["behind it", "in back of it"],
};

/** The wordings of "nearest", before the phrase that it names. */
export const nearestForms: readonly string[] = [
  "closest to",
  "nearest to",
  "nearest",
  "that is closest to",
  "which is nearest to",
];

/** The wordings of "between", before the first phrase. */
export const betweenForms: readonly string[] = [
  "between",
  "in between",
  "that is between",
  "which sits between",
  "which is between",
];

/** Words that say that there is just one such thing. */
export const onlyForms: readonly string[] = ["the only", "only", "the single", "the one and only"];

/** Words behind a mere noun that add nothing. */
export const tailForms: readonly string[] = [
  "in the picture",
  "in the image",
  "in the photo",
  "in this picture",
  "here",
];

/** Links between a noun and its relation. */
export const linkForms: readonly string[] = ["", "", "", "that is", "that's", "which is", "that's"];

/** Links behind a plural. */
export const pluralLinkForms: readonly string[] = ["", "", "that are", "which are"];

/** Links that deny behind a plural. */
export const pluralDenialForms: readonly string[] = ["not", "that are not", "that aren't", "which are not"];

/** Links that deny what follows. */
export const denialForms: readonly string[] = [
  "not",
  "that is not",
  "that isn't",
  "which is not",
  "that's not",
  "which isn't",
];

/** "first", "2nd" … up to nine, the most that a scene holds: [words, figures]. */
export const ordinalForms: readonly (readonly [word: string, figure: string])[] = [
  ["first", "1st"],
  ["second", "2nd"],
  ["third", "3rd"],
  ["fourth", "4th"],
  ["fifth", "5th"],
  ["sixth", "6th"],
  ["seventh", "7th"],
  ["eighth", "8th"],
  ["ninth", "9th"],
];

/** Numbers from two to nine. */
export const countForms: readonly string[] = ["two", "three", "four", "five", "six", "seven", "eight", "nine"];

/** Where ordinals count from, behind "from". */
export const originForms: readonly (readonly [text: string, pole: Pole])[] = [
  ["left", "left"],
  ["the left", "left"],
  ["right", "right"],
  ["the right", "right"],
  ["left side", "left"],
  ["the left side", "left"],
  ["right side", "right"],
  ["the right side", "right"],
  ["front", "front"],
  ["the front", "front"],
  ["back", "back"],
  ["the back", "back"],
  ["top", "top"],
  ["the top", "top"],
  ["bottom", "bottom"],
  ["the bottom", "bottom"],
];

function forms(
  modifier: Modifier,
  before: readonly string[],
  after: readonly string[],
  rare: readonly string[] = [],
): Wording[] {
  return [
    ...before.map((text): Wording => ({ text, place: "before", modifier, weight: 1 })),
    ...after.map((text): Wording => ({ text, place: "after", modifier, weight: 1 })),
    ...rare.flatMap((text): Wording[] => [
      { text, place: "before", modifier, weight: 0 },
      { text, place: "after", modifier, weight: 0 },
    ]),
  ];
}

function colourForms(): Wording[] {
  const spelled = [...colourWords.map((word) => [word, word] as const), ...Object.entries(colourSynonyms)];
  return spelled.flatMap(([word, colour]) =>
    word === colour || word === "grey"
      ? [
          ...[word, word, word].flatMap((text) => forms({ kind: "colour", colour }, [text], [])),
          ...forms(
            { kind: "colour", colour },
            [`${word} colored`],
            [`that is ${word}`, `that's ${word}`, `colored ${word}`, `which is ${word}`],
            // People write it of clothes, and nobody of a snail.
            [`in ${word}`],
          ),
        ]
      : forms({ kind: "colour", colour }, [], [], [word]),
  );
}

function poleForms(): Wording[] {
  const some = (pole: Pole): Modifier => ({ kind: "pole", pole, isMost: false });
  const most = (pole: Pole): Modifier => ({ kind: "pole", pole, isMost: true });
  const sides = (["left", "right"] as const).flatMap((side) => [
    ...forms(
      some(side),
      [side, side, `${side} side`, `${side} hand`],
      [`on ${side}`, `on the ${side}`, side, `to the ${side}`, `on ${side} side`, `on the ${side} side`, `at ${side}`],
      [
        `${side} hand side`,
        `on the ${side} hand side`,
        `to ${side}`,
        `at the ${side}`,
        `on the ${side} of the picture`,
      ],
    ),
    ...forms(
      most(side),
      [`${side}most`, `far ${side}`, `furthest ${side}`],
      [`on far ${side}`, `on the far ${side}`, `far ${side}`, `furthest to the ${side}`, `all the way ${side}`],
      [
        `${side} most`,
        `at far ${side}`,
        `at the far ${side}`,
        `farthest ${side}`,
        `furthest to ${side}`,
        `to the far ${side}`,
        `all the way to the ${side}`,
      ],
    ),
  ]);
  return [
    ...sides,
    ...forms(
      some("top"),
      ["top", "upper"],
      ["at top", "at the top", "up top", "toward the top", "near the top"],
      ["on top", "on the top", "top"],
    ),
    ...forms(
      most("top"),
      ["topmost", "highest"],
      ["at the very top", "highest up", "that is highest up"],
      ["top most"],
    ),
    ...forms(
      some("bottom"),
      ["bottom", "lower"],
      ["at bottom", "at the bottom", "on bottom", "toward the bottom", "near the bottom"],
      ["on the bottom", "bottom"],
    ),
    ...forms(
      most("bottom"),
      ["lowest", "bottommost"],
      ["at the very bottom", "lowest down", "that is lowest down"],
      ["bottom most"],
    ),
    ...forms(
      some("front"),
      ["front"],
      ["in front", "in the front", "up front", "in foreground", "in the foreground"],
      ["front", "at the front", "at front"],
    ),
    ...forms(
      most("front"),
      ["closest", "frontmost"],
      ["closest to us", "nearest to us", "closest to the viewer", "closest to me"],
      ["nearest", "nearest us", "nearest the viewer"],
    ),
    ...forms(
      some("back"),
      ["back", "rear"],
      ["in back", "in the back", "at the back", "in background", "in the background"],
      ["back", "at back"],
    ),
    ...forms(
      most("back"),
      ["farthest", "furthest"],
      ["furthest away", "farthest away", "farthest back", "furthest back", "farthest from us"],
      ["most distant", "furthest from us"],
    ),
    ...forms(some("big"), ["big", "large", "bigger", "larger"], ["that is big", "that's bigger"], ["huge"]),
    ...forms(
      most("big"),
      ["biggest", "largest"],
      ["that is biggest", "that is the largest", "that's the biggest"],
      ["the biggest", "the largest"],
    ),
    ...forms(some("small"), ["small", "little", "smaller"], ["that is small", "that's smaller"], ["littler", "tiny"]),
    ...forms(
      most("small"),
      ["smallest", "littlest", "tiniest"],
      ["that is smallest", "that's the smallest"],
      ["the smallest"],
    ),
  ];
}

function middleForms(): Wording[] {
  return forms(
    { kind: "middle" },
    ["middle", "center"],
    ["in middle", "in the middle", "in center", "in the center", "middle"],
    ["center", "centre", "in the centre", "in centre"],
  );
}

function areaForms(): Wording[] {
  const words = { top: ["top", "upper"], bottom: ["bottom", "lower"] } as const;
  return (["top", "bottom"] as const).flatMap((vertical) =>
    (["left", "right"] as const).flatMap((horizontal) => {
      const modifier: Modifier = { kind: "area", vertical, horizontal };
      return words[vertical].flatMap((word) => {
        const corner = `${word} ${horizontal}`;
        return forms(
          modifier,
          [corner],
          [corner, `in ${corner}`, `in the ${corner}`, `in ${corner} corner`, `${corner} corner`, `at ${corner}`],
          [`in the ${corner} corner`, `on the ${corner}`, `on ${corner}`, `at the ${corner}`, `${horizontal} ${word}`],
        );
      });
    }),
  );
}
