/**
 * Changes one thing of a sentence so that it stays English and says something else, with what has to hold of a picture for the
 * result to be false there. Nothing is known here of the picture: the room `sentences` checks.
 *
 *   1. A `NameFinder` finds the categories that the sentence names.
 *   2. Each kind of change looks for words that it may replace: a noun only where it ends its noun phrase ("dog", not "dog
 *      bowl"), a colour only where it is told what has it, a side only where it is a place in the picture or a direction faced.
 *   3. `replaced` puts the new words in, and turns "a" into "an" before a vowel.
 *
 * Example: "the second dog from left" gives "the third dog from left", "the fourth …", false where there are fewer dogs, and
 * "the second cat from left", false where there is no cat. Sentences that deny something ("dog without a collar") give nothing:
 * changed, they may become true.
 */
import { endsPhrase, isDirectionWord } from "./directions.ts";
import { expressionFeatures } from "./features.ts";
import { areConfusable, areOfOneKind, spokenName } from "./kinds-of-things.ts";
import * as lexicon from "./lexicon.ts";
import type { NamedSpan, NameFinder } from "./named-spans.ts";
import { pluralOf } from "./named-things.ts";
import { cardinalOf, findCounts } from "./ordinals.ts";
import { positionsOf } from "./positions.ts";
import { readTokens } from "./tokens.ts";
import { tokenizeWords, type Word } from "./words.ts";

/** What is changed. */
export const editKinds = ["side", "ordinal", "colour", "size", "count", "landmark", "noun"] as const;
export type EditKind = (typeof editKinds)[number];

/** What must hold of the picture, so that the changed sentence is true of nothing there. */
export type EditCondition =
  /** Nothing of this category is there, nor of one that is taken for it. */
  | { readonly holds: "absent"; readonly category: string }
  /** There are fewer things of the target's category. */
  | { readonly holds: "fewer"; readonly than: number }
  /** Nothing else of the target's category is there, and the target lies plainly on this side. */
  | { readonly holds: "at"; readonly side: "left" | "right" | "top" | "bottom" }
  /** One thing of the target's category is there and one of the other, and the target lies plainly on this side of it. */
  | { readonly holds: "beside"; readonly side: "left" | "right"; readonly category: string }
  /** Everything of the target's category is said to face this way, and nothing of it the other. */
  | { readonly holds: "faces"; readonly side: "left" | "right" }
  /** Everything of the target's category is said to be of other colours; `ofPart`: nothing else of it is there. */
  | { readonly holds: "colour"; readonly colour: string; readonly ofPart: boolean }
  /** Nothing else of the target's category is there, and the target is plainly of this size. */
  | { readonly holds: "size"; readonly size: "big" | "small" }
  /** Everything of the target's category is said to be one of `said`, and nothing of it is said to be `words`. */
  | { readonly holds: "called"; readonly said: readonly string[]; readonly words: readonly string[] };

/** A changed sentence. */
export interface SentenceEdit {
  readonly text: string;
  readonly kind: EditKind;
  /** The words that were replaced, and those in their place. */
  readonly from: string;
  readonly to: string;
  readonly condition: EditCondition;
}

/** What is known of the sentence's target. */
export interface EditSubject {
  /** The one category of its targets. */
  readonly category: string;
  readonly targets: number;
  /** Categories that the sentence may name instead: those that the dataset annotates. */
  readonly categories: readonly string[];
}

/** Every change of `sentence` that is English; none where it names its target's category nowhere, or denies something. */
export function editsOf(sentence: string, subject: EditSubject, finder: NameFinder): SentenceEdit[] {
  const named = finder.find(sentence);
  const own = named.find(({ category }) => category === subject.category);
  if (own === undefined || expressionFeatures(sentence).hasNegation || /\bor\b/i.test(sentence)) return [];
  const request: Request = { sentence, words: tokenizeWords(sentence), named, own, ...subject };
  if (!endsNoun(request, own) || !request.words.slice(0, own.from).every(({ text }) => opensPhrase(text))) return [];
  return [
    ...sides(request),
    ...ordinals(request),
    ...colours(request),
    ...sizes(request),
    ...counts(request),
    ...landmarks(request),
    ...nouns(request),
  ];
}

interface Request extends EditSubject {
  readonly sentence: string;
  readonly words: readonly Word[];
  readonly named: readonly NamedSpan[];
  /** Where the target's category is named first. */
  readonly own: NamedSpan;
}

const otherSide: Readonly<Record<string, string>> = {
  left: "right",
  right: "left",
  top: "bottom",
  bottom: "top",
  upper: "lower",
  lower: "upper",
};

function sides({ sentence, targets, named, category }: Request): SentenceEdit[] {
  if (targets !== 1) return [];
  const { mentions, denied, reasons } = positionsOf(sentence);
  if (denied.length > 0 || reasons.length > 0) return [];
  return mentions.flatMap(({ value, scope, span, ordinal }): SentenceEdit[] => {
    const from = sentence.slice(...span);
    const to = otherSide[from.toLowerCase()];
    const isMost = /^[\s-]*most\b/i.test(sentence.slice(span[1]));
    if (to === undefined || ordinal !== undefined || isMost) return [];
    if (value !== "left" && value !== "right" && value !== "top" && value !== "bottom") return [];
    const change = { text: replaceSpan(sentence, span, to), kind: "side", from, to } as const;
    if (scope === "absolute") return [{ ...change, condition: { holds: "at", side: value } }];
    if (value === "top" || value === "bottom") return [];
    if (scope === "orientation") return [{ ...change, condition: { holds: "faces", side: value } }];
    const mark = named.find((other) => other.span[0] > span[1]);
    if (scope !== "relative" || mark === undefined || mark.isPlural || mark.category === category) return [];
    return [{ ...change, condition: { holds: "beside", side: value, category: mark.category } }];
  });
}

const ordinalNames = [...lexicon.ordinalWords].filter(([, count]) => count > 0).map(([word]) => word);

function ordinals({ sentence, targets }: Request): SentenceEdit[] {
  if (targets !== 1) return [];
  const tokens = readTokens(sentence);
  const found = findCounts(tokens);
  const [count] = found;
  if (count === undefined || found.length > 1 || count.from !== "side") return [];
  const token = tokens[count.index];
  const from = token === undefined ? "" : sentence.slice(...token.span);
  const isNumeral = /^\d(st|nd|rd|th)$/i.test(from);
  if (token === undefined || !(isNumeral || ordinalNames.includes(from.toLowerCase()))) return [];
  return Array.from({ length: Math.max(0, mostCounted - count.ordinal) }, (_, at) => count.ordinal + 1 + at).map(
    (rank) => {
      const to = isNumeral ? `${rank}${rank === 2 ? "nd" : rank === 3 ? "rd" : "th"}` : (ordinalNames[rank - 1] ?? "");
      return {
        text: replaceSpan(sentence, token.span, to),
        kind: "ordinal",
        from,
        to,
        condition: { holds: "fewer", than: rank },
      };
    },
  );
}

/** People seldom count further. */
const mostCounted = 9;

/** Colours that everybody names alike. */
export const plainColours: readonly string[] = "black white brown grey red blue green yellow orange purple pink".split(
  " ",
);
const garments = new Set(
  "shirt tshirt jacket coat dress hat cap pants shorts tie sweater hoodie skirt suit helmet jersey uniform vest scarf".split(
    " ",
  ),
);
const shades = new Set("dark light bright pale deep".split(" "));

function colours({ sentence, words, named, own, category }: Request): SentenceEdit[] {
  const isColour = (word: Word | undefined): boolean => word !== undefined && lexicon.colours.has(word.text);
  const all = words.flatMap((word, at) => (isColour(word) ? [at] : []));
  const [at] = all;
  const word = at === undefined ? undefined : words[at];
  if (at === undefined || word === undefined || all.length > 1) return [];
  if (named.some((span) => at >= span.from && at < span.to) || named.some((span) => span.category !== category))
    return [];
  const colour = word.text === "gray" ? "grey" : word.text;
  if (!plainColours.includes(colour) || shades.has(words[at - 1]?.text ?? "")) return [];
  const ofPart = garments.has(words[at + 1]?.text ?? "");
  const isPerson = category.toLowerCase() === "person";
  // "Red dog" and "dog that is red"; of people what they wear alone.
  const isBefore = at < own.from && words.slice(at + 1, own.from).every(({ text }) => isAdjective(text));
  const isAfter = at > own.to && /^(that|which) is$/.test(textOf(words, own.to, at)) && at === words.length - 1;
  if (!ofPart && (isPerson || !(isBefore || isAfter))) return [];
  return plainColours
    .filter((other) => other !== colour)
    .map((to) => ({
      text: replaceSpan(sentence, [word.start, word.end], to),
      kind: "colour",
      from: word.text,
      to,
      condition: { holds: "colour", colour: to, ofPart },
    }));
}

const sizeOf: ReadonlyMap<string, "big" | "small"> = new Map([
  ["big", "big"],
  ["large", "big"],
  ["huge", "big"],
  ["giant", "big"],
  ["small", "small"],
  ["little", "small"],
  ["tiny", "small"],
]);

function sizes({ sentence, words, own, category, targets }: Request): SentenceEdit[] {
  if (targets !== 1 || category.toLowerCase() === "person") return [];
  const at = words.findIndex(({ text }) => sizeOf.has(text));
  const word = words[at];
  const size = sizeOf.get(word?.text ?? "");
  if (word === undefined || size === undefined || at >= own.from) return [];
  if (!words.slice(at + 1, own.from).every(({ text }) => isAdjective(text))) return [];
  const to = size === "big" ? (word.text === "large" ? "small" : "tiny") : word.text === "small" ? "large" : "huge";
  return [
    {
      text: replaceSpan(sentence, [word.start, word.end], to),
      kind: "size",
      from: word.text,
      to,
      condition: { holds: "size", size },
    },
  ];
}

const cardinalNames = [...lexicon.cardinalWords.keys()];

function counts({ sentence, words, own, targets }: Request): SentenceEdit[] {
  if (targets < 2 || !own.isPlural) return [];
  const at = words.findIndex(
    ({ text }, place) => place < own.from && (text === "both" || (cardinalOf(text) ?? 0) === targets),
  );
  const word = words[at];
  if (word === undefined || !words.slice(at + 1, own.from).every(({ text }) => isAdjective(text))) return [];
  if (word.text === "both" && targets !== 2) return [];
  const isNumeral = /^\d/.test(word.text);
  return Array.from({ length: Math.max(0, mostCounted - targets) }, (_, more) => targets + 1 + more).map((count) => {
    const to = isNumeral ? String(count) : (cardinalNames[count - 1] ?? "");
    return {
      text: replaceSpan(sentence, [word.start, word.end], to),
      kind: "count",
      from: word.text,
      to,
      condition: { holds: "fewer", than: count },
    };
  });
}

function landmarks(request: Request): SentenceEdit[] {
  return request.named.flatMap((span) =>
    span.category === request.category || span.category.toLowerCase() === "person"
      ? []
      : otherNouns(request, span, "landmark"),
  );
}

function nouns(request: Request): SentenceEdit[] {
  const { own, category, named } = request;
  if (category.toLowerCase() !== "person") return otherNouns(request, own, "noun");
  const to = otherPerson.get(own.words);
  if (to === undefined || named.filter((span) => span.category === category).length > 1 || !endsNoun(request, own))
    return [];
  if (gendered.test(request.sentence)) return [];
  const isFemale = females.has(to);
  return [
    {
      text: replaceSpan(request.sentence, own.span, to),
      kind: "noun",
      from: own.words,
      to,
      condition: {
        holds: "called",
        said: [...(isFemale ? males : females)],
        words: [...(isFemale ? females : males)],
      },
    },
  ];
}

function otherNouns(request: Request, span: NamedSpan, kind: "landmark" | "noun"): SentenceEdit[] {
  if (!endsNoun(request, span) || (kind === "noun" && span.isPlural !== request.targets > 1)) return [];
  return request.categories.flatMap((category): SentenceEdit[] => {
    const said = spokenName(category);
    if (said === undefined || !areOfOneKind(span.category, category) || areConfusable(span.category, category))
      return [];
    if (request.named.some((other) => other.category === category)) return [];
    const to = span.isPlural ? pluralOf(said) : said;
    return [
      {
        text: replaceSpan(request.sentence, span.span, to),
        kind,
        from: span.words,
        to,
        condition: { holds: "absent", category },
      },
    ];
  });
}

const males = new Set("man men boy boys guy guys dude gentleman father dad male lad".split(" "));
const females = new Set("woman women girl girls lady ladies mother mom female chick gal".split(" "));
const otherPerson = new Map(
  [..."man/woman boy/girl guy/lady men/women boys/girls guys/ladies".split(" ")].flatMap((pair) => {
    const [one = "", other = ""] = pair.split("/");
    return [[one, other] as const, [other, one] as const];
  }),
);
/** Words that go with one of the two. */
const gendered =
  /\b(he|she|his|her|hers|him|dress|skirt|bikini|bra|beard|bearded|mustache|moustache|bald|tie|pregnant)\b/i;

/** True where the noun phrase ends with the name: "dog on the left", not "dog bowl". */
function endsNoun({ words }: Request, { to }: NamedSpan): boolean {
  const next = words[to];
  if (next === undefined || next.afterBreak) return true;
  return endsPhrase(next.text) || isDirectionWord(next.text) || followers.has(next.text);
}

const followers = new Set(
  "that which closest nearest farthest furthest next near behind beside in on at by with from over under number and".split(
    " ",
  ),
);

/** True for what may stand between an attribute and its noun: no preposition, no verb, no comma's other side. */
function isAdjective(text: string): boolean {
  return !endsPhrase(text) && !lexicon.determiners.has(text) && !lexicon.relationWords.has(text);
}

/** True for what may stand before the head of the sentence: else the target is called by another name, and this is another thing. */
function opensPhrase(text: string): boolean {
  return isAdjective(text) || lexicon.determiners.has(text) || isDirectionWord(text) || leads.has(text);
}

const leads = new Set("next nearest closest only most side hand".split(" "));

function textOf(words: readonly Word[], from: number, to: number): string {
  return words
    .slice(from, to)
    .map(({ text }) => text)
    .join(" ");
}

/** The sentence with other words at `span`, and the article before them as they ask for. */
function replaceSpan(sentence: string, [start, end]: readonly [number, number], words: string): string {
  const isCapital = /^\p{Lu}/u.test(sentence.slice(start, end));
  const put = isCapital ? words.slice(0, 1).toUpperCase() + words.slice(1) : words;
  const before = sentence.slice(0, start).replace(/\b(a)n?(\s+)$/i, (_, a: string, gap: string) => {
    return `${a}${isVowelFirst(words) ? "n" : ""}${gap}`;
  });
  return before + put + sentence.slice(end);
}

function isVowelFirst(words: string): boolean {
  return /^[aeiou]/.test(words) && !/^(uni|use|euro|one)/.test(words);
}
