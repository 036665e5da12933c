import { fail, shown } from "../model/index.ts";
import {
  type ExpressionNumber,
  type Modifier,
  oneOf,
  type ParsedExpression,
  type Phrase,
  type PlainModifier,
  type Pole,
  phraseOf,
  type Relation,
} from "./logic.ts";
import { type Noun, nouns } from "./nouns.ts";
import {
  betweenForms,
  denialForms,
  linkForms,
  nearestForms,
  onlyForms,
  ordinalForms,
  originForms,
  pluralDenialForms,
  pluralLinkForms,
  relationForms,
  type Wording,
  withForms,
  wordings,
} from "./wordings.ts";

/**
 * Reads an expression of the grammar (docs/scenes.md) in any case, with or without articles and punctuation. Phrases
 * that others are compared with ("behind the red car") carry words before their noun only, so that "mug behind the
 * dog on the left" is the mug on the left. Errors: "bad-input", naming the first word that does not fit.
 */
export function parseExpression(text: string): ParsedExpression {
  const words = wordsOf(text);
  const state: State = { words, farthest: 0 };
  for (const found of expressions(state, 0)) {
    if (found.at === words.length) return found.value;
  }
  const stuck = words[state.farthest];
  const where = stuck === undefined ? "at its end" : `at word ${state.farthest + 1}, ${shown(stuck)}`;
  return fail(
    "bad-input",
    `expected an expression of the scenes' grammar, got ${shown(text)}: it does not fit ${where}`,
  );
}

/** As `parseExpression`, or undefined for text outside of the grammar. */
export function tryParseExpression(text: string): ParsedExpression | undefined {
  const words = wordsOf(text);
  for (const found of expressions({ words, farthest: 0 }, 0)) {
    if (found.at === words.length) return found.value;
  }
  return undefined;
}

interface State {
  readonly words: readonly string[];
  farthest: number;
}

/** One way of reading the words up to `at`. */
interface Found<T> {
  readonly value: T;
  readonly at: number;
}

type Reading<T> = Generator<Found<T>, void, undefined>;

/** "The dog in the picture" is the dog: all is about this picture. */
const tailPattern = /(?<=\S)\s+(?:(?:in|of) (?:the |this )?(?:picture|image|photo|scene)|here)\s*[.!]?\s*$/;

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .replace(tailPattern, "")
    .replaceAll("’", "'")
    .replace(/[.,;:!?"]/g, " ")
    .split(/\s+/)
    .filter((word) => word !== "");
}

/** Phrases by their words, longest first, so that "left side" is tried before "left". */
function bySize<T>(entries: readonly (readonly [text: string, value: T])[]): [string[], T][] {
  return entries
    .map(([text, value]): [string[], T] => [text === "" ? [] : text.split(" "), value])
    .sort((a, b) => b[0].length - a[0].length);
}

const fixed = (place: Wording["place"]): [string[], Modifier][] =>
  bySize(
    wordings.filter((wording) => wording.place === place).map((wording) => [wording.text, wording.modifier] as const),
  );
const fixedBefore = fixed("before");
const fixedAfter = fixed("after");
const singulars = bySize(nouns.map((noun) => [noun.name, noun] as const));
const longNouns = nouns
  .flatMap((noun) => [noun.name.split(" "), noun.plural.split(" ")])
  .filter((words) => words.length > 1);
const plurals = bySize(nouns.map((noun) => [noun.plural, noun] as const));
const relations = bySize(
  (Object.entries(relationForms) as [Relation, readonly string[]][]).flatMap(([relation, texts]) =>
    texts.map((text) => [text, relation] as const),
  ),
);
const withRelations = bySize(
  (Object.entries(withForms) as [Relation, readonly string[]][]).flatMap(([relation, texts]) =>
    texts.map((text) => [text, relation] as const),
  ),
);
const literal = (texts: readonly string[]): [string[], true][] => bySize(texts.map((text) => [text, true] as const));
const nearestWords = literal(nearestForms);
const betweenWords = literal(betweenForms);
const links = literal(["", ...[...linkForms, ...pluralLinkForms].filter((text) => text !== "")]);
const denials = literal([...denialForms, ...pluralDenialForms]);
const articles = literal(["the", "a", "an", ""]);
const definite = literal(["the", ""]);
const ranks = bySize(
  ordinalForms.flatMap(([word, figure], index) => [[word, index + 1] as const, [figure, index + 1] as const]),
);
const figures = bySize([1, 2, 3, 4, 5].map((rank) => [String(rank), rank] as const));
const origins = bySize(originForms);
const onlyWords = literal(onlyForms);
const counts = bySize<ExpressionNumber>([
  ["all the", "all"],
  ["all of the", "all"],
  ["all", "all"],
  ["both", 2],
  ["both of the", 2],
  ["both the", 2],
  ["the two", 2],
  ["two", 2],
  ["the three", 3],
  ["three", 3],
  ["all three", 3],
  ["the four", 4],
  ["four", 4],
  ["the", "all"],
  ["", "all"],
]);

function* read<T>(state: State, at: number, table: readonly (readonly [readonly string[], T])[]): Reading<T> {
  for (const [words, value] of table) {
    if (words.every((word, offset) => state.words[at + offset] === word)) {
      const end = at + words.length;
      state.farthest = Math.max(state.farthest, end);
      yield { value, at: end };
    }
  }
}

function* expressions(state: State, at: number): Reading<ParsedExpression> {
  for (const only of read(state, at, onlyWords)) {
    for (const found of phrases(state, only.at, singulars, true, false)) {
      yield { value: { number: 1, phrases: [found.value] }, at: found.at };
    }
  }
  for (const first of phrases(state, at, singulars, true)) {
    if (first.at === state.words.length) yield { value: oneOf(first.value), at: first.at };
    yield* moreOf(state, first, [first.value]);
  }
  for (const count of read(state, at, counts)) {
    for (const first of phrases(state, count.at, plurals, true, false)) {
      yield { value: { number: count.value, phrases: [first.value] }, at: first.at };
      if (count.value === "all") yield* moreOf(state, first, [first.value]);
    }
  }
}

/** "… and the red car and all mugs": what several phrases name is about all of it. */
function* moreOf(state: State, last: Found<Phrase>, before: readonly Phrase[]): Reading<ParsedExpression> {
  if (state.words[last.at] !== "and") return;
  const next = last.at + 1;
  for (const nounTable of [singulars, plurals]) {
    for (const phrase of phrases(state, next, nounTable, true)) {
      const all = [...before, phrase.value];
      yield { value: { number: "all", phrases: all }, at: phrase.at };
      yield* moreOf(state, phrase, all);
    }
  }
}

type NounTable = readonly (readonly [readonly string[], Noun])[];

/** A phrase; `isOuter`: with words behind the noun. */
function* phrases(state: State, at: number, table: NounTable, isOuter: boolean, hasArticle = true): Reading<Phrase> {
  for (const article of read(state, at, hasArticle ? articles : literal([""]))) {
    for (const before of modifiersBefore(state, article.at, isOuter)) {
      for (const noun of read(state, before.at, table)) {
        if (!isOuter) {
          if (before.value.rank === undefined)
            yield { value: phraseOf(noun.value.name, before.value.modifiers), at: noun.at };
          continue;
        }
        for (const after of modifiersAfter(state, noun.at, before.value.rank)) {
          yield { value: phraseOf(noun.value.name, [...before.value.modifiers, ...after.value]), at: after.at };
        }
      }
    }
  }
}

interface Before {
  readonly modifiers: readonly Modifier[];
  /** "2nd" that still waits for its "from the left" behind the noun. */
  readonly rank: number | undefined;
}

function* modifiersBefore(state: State, at: number, isOuter: boolean): Reading<Before> {
  const none: Found<Before> = { value: { modifiers: [], rank: undefined }, at };
  // "Top hat" is a kind of hat before it is the hat at the top.
  const isLongNoun = longNouns.some((words) => words.every((word, offset) => state.words[at + offset] === word));
  if (isLongNoun) yield none;
  for (const first of modifierBefore(state, at, isOuter)) {
    for (const rest of modifiersBefore(state, first.at, isOuter)) {
      if (first.value.rank !== undefined && rest.value.rank !== undefined) continue;
      yield {
        value: {
          modifiers: [...first.value.modifiers, ...rest.value.modifiers],
          rank: first.value.rank ?? rest.value.rank,
        },
        at: rest.at,
      };
    }
  }
  if (!isLongNoun) yield none;
}

function* modifierBefore(state: State, at: number, isOuter: boolean): Reading<Before> {
  const plain = (modifiers: readonly Modifier[]): Before => ({ modifiers, rank: undefined });
  for (const found of read(state, at, fixedBefore)) yield { value: plain([found.value]), at: found.at };
  for (const found of read(state, at, literal(["non", "not"]))) {
    for (const colour of read(state, found.at, fixedBefore)) {
      const denied = colour.value;
      if (denied.kind === "colour")
        yield { value: plain([{ kind: "not", modifier: denied, presumes: true }]), at: colour.at };
    }
  }
  if (!isOuter) return;
  for (const rank of read(state, at, ranks)) {
    for (const origin of originAt(state, rank.at)) {
      yield { value: plain([{ kind: "ordinal", rank: rank.value, from: origin.value }]), at: origin.at };
    }
    yield { value: { modifiers: [], rank: rank.value }, at: rank.at };
  }
}

function* originAt(state: State, at: number): Reading<Pole> {
  for (const from of read(state, at, literal(["from", "to"]))) {
    if (state.words[at] === "from") yield* read(state, from.at, origins);
  }
}

function* modifiersAfter(state: State, at: number, rank: number | undefined): Reading<readonly Modifier[]> {
  if (rank !== undefined) {
    for (const origin of originAt(state, at)) {
      for (const rest of modifiersAfter(state, origin.at, undefined)) {
        yield { value: [{ kind: "ordinal", rank, from: origin.value }, ...rest.value], at: rest.at };
      }
    }
    return;
  }
  for (const first of modifierAfter(state, at)) {
    for (const rest of modifiersAfter(state, first.at, undefined)) {
      yield { value: [first.value, ...rest.value], at: rest.at };
    }
  }
  yield { value: [], at };
}

function* modifierAfter(state: State, at: number): Reading<Modifier> {
  yield* placed(state, at);
  yield* read(state, at, fixedAfter);
  for (const link of read(state, at, links)) {
    if (link.at > at) yield* read(state, link.at, fixedAfter);
    for (const figure of read(state, link.at, literal(["number", ""]))) {
      const table = figure.at > link.at ? [...figures, ...ranks] : ranks;
      for (const the of read(state, figure.at, definite)) {
        for (const rank of read(state, the.at, table)) {
          for (const origin of originAt(state, rank.at)) {
            yield { value: { kind: "ordinal", rank: rank.value, from: origin.value }, at: origin.at };
          }
        }
      }
    }
  }
  for (const found of read(state, at, nearestWords)) {
    for (const phrase of phrases(state, found.at, singulars, false)) {
      yield { value: { kind: "nearest", to: phrase.value }, at: phrase.at };
    }
  }
  for (const denial of read(state, at, denials)) {
    for (const found of placed(state, denial.at)) {
      if (found.value.kind !== "not")
        yield { value: { kind: "not", modifier: found.value, presumes: true }, at: found.at };
    }
    for (const found of read(state, denial.at, [...fixedBefore, ...fixedAfter])) {
      if (found.value.kind === "colour" || found.value.kind === "area") {
        yield { value: { kind: "not", modifier: found.value, presumes: true }, at: found.at };
      }
    }
    yield* deniedNoun(state, denial.at);
  }
  for (const found of read(state, at, literal(["other than", "except", "except for"])))
    yield* deniedNoun(state, found.at);
}

function* deniedNoun(state: State, at: number): Reading<Modifier> {
  for (const article of read(state, at, articles)) {
    for (const noun of read(state, article.at, singulars)) {
      yield { value: { kind: "not", modifier: { kind: "is", noun: noun.value.name }, presumes: false }, at: noun.at };
    }
  }
}

/** Relations, "between", "with a dog next to it" and "without a dog next to it". */
function* placed(state: State, at: number): Reading<PlainModifier | Extract<Modifier, { kind: "not" }>> {
  for (const link of read(state, at, links)) {
    for (const relation of read(state, link.at, relations)) {
      for (const phrase of phrases(state, relation.at, singulars, false)) {
        yield { value: { kind: "relation", relation: relation.value, of: phrase.value }, at: phrase.at };
      }
    }
    for (const found of read(state, link.at, betweenWords)) {
      for (const first of phrases(state, found.at, singulars, false)) {
        if (state.words[first.at] !== "and") continue;
        for (const second of phrases(state, first.at + 1, singulars, false)) {
          yield { value: { kind: "between", of: [first.value, second.value] }, at: second.at };
        }
      }
    }
  }
  for (const found of read(
    state,
    at,
    bySize([
      ["with", true],
      ["that has", true],
      ["without", false],
      ["with no", false],
      ["that has no", false],
    ]),
  )) {
    for (const phrase of phrases(state, found.at, singulars, false)) {
      for (const relation of read(state, phrase.at, withRelations)) {
        const inner: PlainModifier = { kind: "relation", relation: relation.value, of: phrase.value };
        yield { value: found.value ? inner : { kind: "not", modifier: inner, presumes: false }, at: relation.at };
      }
    }
  }
}
