import type { Many, Modifier, Relation } from "./logic.ts";
import { nouns } from "./nouns.ts";
import {
  betweenForms,
  countForms,
  denialForms,
  linkForms,
  nearestForms,
  onlyForms,
  ordinalForms,
  originForms,
  pluralDenialForms,
  pluralLinkForms,
  readWithForms,
  relationForms,
  type Wording,
  wordings,
} from "./wordings.ts";

/** "The dog in the picture" is the dog: all is about this picture. */
const tailPattern = /(?<=\S)\s+(?:(?:in|of) (?:the |this )?(?:picture|image|photo|scene)|here)\s*[.!]?\s*$/;

/** The words of an expression: lower case, without punctuation and without what adds nothing. */
export function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .replace(tailPattern, "")
    .replaceAll("’", "'")
    .replace(/\b(non|left|right|top|bottom|front|back|far)-(?=[a-z])/g, "$1 ")
    .replace(/[ -]colou?red\b/g, " colored")
    .replaceAll("#", "# ")
    .replace(/[.,;:!?"]/g, " ")
    .split(/\s+/)
    .filter((word) => word !== "");
}

/** Phrases by their words and what they mean, longest first, so that "left side" is tried before "left". */
export type WordTable<T> = readonly (readonly [words: readonly string[], value: T])[];

/** Makes a table; what is given several times stands in it once. */
function bySize<T>(entries: readonly (readonly [text: string, value: T])[]): WordTable<T> {
  const once = new Map(entries.map((entry) => [JSON.stringify([entry[0], entry[1]]), entry]));
  return [...once.values()]
    .map(([text, value]): [string[], T] => [text === "" ? [] : text.split(" "), value])
    .sort((a, b) => b[0].length - a[0].length);
}

const fixed = (place: Wording["place"]): WordTable<Modifier> =>
  bySize(
    wordings.filter((wording) => wording.place === place).map((wording) => [wording.text, wording.modifier] as const),
  );
/** Fixed wordings before a noun. */
export const fixedBefore = fixed("before");
/** Fixed wordings behind a noun. */
export const fixedAfter = fixed("after");
/** Both, as behind a denial. */
export const fixedAnywhere = bySize(wordings.map((wording) => [wording.text, wording.modifier] as const));
/** Nouns by their singulars. */
export const singulars = bySize(nouns.map((noun) => [noun.name, noun] as const));
/** Nouns of several words, as words. */
export const longNouns = nouns
  .flatMap((noun) => [noun.name.split(" "), noun.plural.split(" ")])
  .filter((words) => words.length > 1);
/** Nouns by their plurals. */
export const plurals = bySize(nouns.map((noun) => [noun.plural, noun] as const));
/** Relations, before their marks. */
export const relations = bySize(
  (Object.entries(relationForms) as [Relation, readonly string[]][]).flatMap(([relation, texts]) =>
    texts.map((text) => [text, relation] as const),
  ),
);
const literal = (texts: readonly string[]): WordTable<true> => bySize(texts.map((text) => [text, true] as const));
/** "Closest to", before its mark. */
export const nearestWords = literal(nearestForms);
/** "Between", before its marks. */
export const betweenWords = literal(betweenForms);
/** What may stand between a noun and what is said of it. */
export const links = literal(["", ...[...linkForms, ...pluralLinkForms].filter((text) => text !== "")]);
/** "That is not", before what is denied. */
export const denials = literal([...denialForms, ...pluralDenialForms]);
/** Articles, or none. */
export const articles = literal(["the", "a", "an", ""]);
/** "The", or nothing. */
export const definite = literal(["the", ""]);
/** Ordinals as words and as figures. */
export const ranks = bySize(
  ordinalForms.flatMap(([word, figure], index) => [[word, index + 1] as const, [figure, index + 1] as const]),
);
/** Numbers, behind "number". */
export const figures = bySize(ordinalForms.map((_, index) => [String(index + 1), index + 1] as const));
/** "from", before where an ordinal counts from. */
export const fromWord = literal(["from"]);
/** "Number", or nothing. */
export const numberWord = literal(["number", "no", "#", ""]);
/** Where ordinals count from, behind "from". */
export const origins = bySize(originForms);
/** "The only". */
export const onlyWords = literal(onlyForms);
/** How many an expression in the plural is about. */
export const counts = bySize<Many>([
  ...["all the", "all of the", "all", "the", ""].map((text) => [text, "all"] as const),
  ...["both", "both of the", "both the"].map((text) => [text, 2] as const),
  ...countForms.flatMap((word, index) =>
    ["", "the ", "all ", "all the ", "all of the "].flatMap((start) =>
      [word, String(index + 2)].map((figure) => [start + figure, index + 2] as const),
    ),
  ),
]);
/** "with a dog … it" means the relation of the thing to the dog. */
export const withRelations: WordTable<Relation> = bySize(
  (Object.entries(readWithForms) as [Relation, readonly string[]][]).flatMap(([relation, texts]) =>
    texts.map((text) => [text, relation] as const),
  ),
);
/** "With" (true) and "without" (false), before such a dog. */
export const withWords = bySize([
  ["with", true],
  ["that has", true],
  ["that have", true],
  ["without", false],
  ["with no", false],
  ["that has no", false],
  ["that have no", false],
]);
/** "Non", before a colour. */
export const denyingColours = literal(["non", "not"]);
/** "Other than", before a noun. */
export const exceptWords = literal(["other than", "except", "except for"]);
/** Before the thing that others are compared with. */
export const markArticles = literal(["the", "a", "an", "another", ""]);
/** "Between the two dogs". */
export const pairWords = literal(["the two", "two", "both", "the", ""]);
/** Nothing at all. */
export const noWords = literal([""]);
