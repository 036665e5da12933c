import { fail, quoteValue } from "../../model/index.ts";
import {
  inPlural,
  type Modifier,
  oneOf,
  type ParsedExpression,
  type Phrase,
  type PlainModifier,
  type Pole,
  phraseOf,
} from "./logic.ts";
import type { Noun } from "./nouns.ts";
import {
  articles,
  betweenWords,
  counts,
  definite,
  denials,
  denyingColours,
  exceptWords,
  figures,
  fixedAfter,
  fixedAnywhere,
  fixedBefore,
  fromWord,
  links,
  longNouns,
  markArticles,
  nearestWords,
  noWords,
  numberWord,
  onlyWords,
  origins,
  pairWords,
  plurals,
  ranks,
  relations,
  singulars,
  type WordTable,
  withRelations,
  withWords,
  wordsOf,
} from "./parse-tables.ts";

/**
 * Reads an expression of the grammar (docs/scenes.md) in any case, with or without articles and punctuation. Phrases
 * that others are compared with ("behind the red car") carry words before their noun only, so that "mug behind the
 * dog on the left" is the mug on the left. Errors: "bad-input", naming the first word that does not fit.
 */
export function parseExpression(text: string): ParsedExpression {
  const state = stateOf(text);
  const found = firstReading(state);
  if (found !== undefined) return found;
  const stuck = state.words[state.farthest];
  const where = stuck === undefined ? "at its end" : `at word ${state.farthest + 1}, ${quoteValue(stuck)}`;
  return fail(
    "bad-input",
    state.steps > maxSteps
      ? `expected an expression of the scenes' grammar, got ${quoteValue(text)}: it can be read in too many ways. Say it in fewer words`
      : `expected an expression of the scenes' grammar, got ${quoteValue(text)}: it does not fit ${where}`,
  );
}

/** As `parseExpression`, or undefined for text outside of the grammar. */
export function tryParseExpression(text: string): ParsedExpression | undefined {
  return firstReading(stateOf(text));
}

/** What a person writes takes some hundreds of them; a run of "top left top left …" can be read in 2^n ways. */
const maxSteps = 20_000;
const maxWords = 100;

function stateOf(text: string): State {
  const words = wordsOf(text);
  return { words, farthest: 0, steps: words.length > maxWords ? maxSteps : 0 };
}

function firstReading(state: State): ParsedExpression | undefined {
  for (const found of expressions(state, 0)) {
    if (found.at === state.words.length) return found.value;
  }
  return undefined;
}

interface State {
  readonly words: readonly string[];
  farthest: number;
  /** Looks into tables; beyond `maxSteps` nothing fits any more. */
  steps: number;
}

/** One way of reading the words up to `at`. */
interface Found<T> {
  readonly value: T;
  readonly at: number;
}

type Reading<T> = Generator<Found<T>, void, undefined>;

function* read<T>(state: State, at: number, table: WordTable<T>): Reading<T> {
  if (++state.steps > maxSteps) return;
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
      const phrase = inPlural(first.value, count.value);
      yield { value: { number: count.value, phrases: [phrase] }, at: first.at };
      if (count.value === "all") yield* moreOf(state, first, [phrase]);
    }
  }
}

/** "… and the red car and all mugs": what several phrases name is about all of it. */
function* moreOf(state: State, last: Found<Phrase>, before: readonly Phrase[]): Reading<ParsedExpression> {
  if (state.words[last.at] !== "and") return;
  const next = last.at + 1;
  for (const nounTable of [singulars, plurals]) {
    for (const phrase of phrases(state, next, nounTable, true)) {
      const all = [...before, nounTable === plurals ? inPlural(phrase.value, "all") : phrase.value];
      yield { value: { number: "all", phrases: all }, at: phrase.at };
      yield* moreOf(state, phrase, all);
    }
  }
}

/** A phrase; `isOuter`: with words behind the noun. */
function* phrases(
  state: State,
  at: number,
  table: WordTable<Noun>,
  isOuter: boolean,
  hasArticle = true,
): Reading<Phrase> {
  for (const article of read(state, at, !hasArticle ? noWords : isOuter ? articles : markArticles)) {
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
  for (const found of read(state, at, denyingColours)) {
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
    // "Second largest".
    for (const most of read(state, rank.at, fixedBefore)) {
      if (most.value.kind === "pole" && most.value.isMost) {
        yield { value: plain([{ kind: "ordinal", rank: rank.value, from: most.value.pole }]), at: most.at };
      }
    }
    yield { value: { modifiers: [], rank: rank.value }, at: rank.at };
  }
}

function* originAt(state: State, at: number): Reading<Pole> {
  for (const from of read(state, at, fromWord)) yield* read(state, from.at, origins);
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
    for (const figure of read(state, link.at, numberWord)) {
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
    for (const the of read(state, denial.at, definite)) {
      for (const found of read(state, the.at, fixedAnywhere)) {
        const { kind } = found.value;
        if (kind === "colour" || kind === "area" || kind === "pole" || kind === "middle") {
          yield { value: { kind: "not", modifier: found.value, presumes: true }, at: found.at };
        }
      }
    }
    yield* deniedNoun(state, denial.at);
  }
  for (const found of read(state, at, exceptWords)) yield* deniedNoun(state, found.at);
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
      for (const two of read(state, found.at, pairWords)) {
        for (const pair of phrases(state, two.at, plurals, false, false)) {
          yield { value: { kind: "between", of: [pair.value, pair.value] }, at: pair.at };
        }
      }
    }
  }
  for (const found of read(state, at, withWords)) {
    for (const phrase of phrases(state, found.at, singulars, false)) {
      for (const relation of read(state, phrase.at, withRelations)) {
        const inner: PlainModifier = { kind: "relation", relation: relation.value, of: phrase.value };
        yield { value: found.value ? inner : { kind: "not", modifier: inner, presumes: false }, at: relation.at };
      }
    }
  }
}
