import { rleBox } from "../kernels/index.ts";
import { positionsOf } from "../language/index.ts";
import type { Pool } from "../pool/index.ts";
import { type Choice, chanceOfAny, choiceOf, type Possible } from "./meant-objects.ts";

/**
 * Estimates from annotations alone whether another image also holds what an expression names (docs/tune.md):
 *
 *   an object can be meant if its category is one of the expression's targets', or if every word has been said of
 *   that category before (an "animal" need not be the same animal);
 *   words that choose among what is left (biggest, closest) say nothing: something always is the biggest; but a count
 *   from a side takes as many such objects, a place takes one that lies there, and what is denied says nothing;
 *   a word that is the name of that category is true; a word that names another one is true where the image has it;
 *   any other word w is true with chance t = f / m, where f is how often sentences about the category say w (drawn
 *   towards how often all sentences do, where there are few), and m how often a sentence says a word that is true:
 *   the share of other sentences of the same ref that say it too;
 *   what sentences about that very object say or leave unsaid changes t by Bayes' rule;
 *   words are taken as independent, and so are objects: 1 - Π over objects at the place (1 - Π over words t).
 */
export interface FalseNegatives {
  /**
   * The chance, 0 to 1, that `expression` (a row) is true of something in `image` (a row). NaN for a no-target expression:
   * nothing is known of what it names.
   */
  chance(expression: number, image: number): number;
}

/** Counts the pool's words once. */
export function estimateFalseNegatives(pool: Pool): FalseNegatives {
  const words = pool.expressions.sent.map(contentWords);
  const mention = mentionRates(pool, words);
  const spoken = countSpoken(pool, words);
  const refsOf = refsOfAnnotations(pool);
  const named = categoriesByWord(pool);
  const query = (expression: number): Query => {
    const ref = pool.expressions.ref[expression] as number;
    const own = words[expression] ?? [];
    const targets = categoriesOf(pool, ref);
    const others = own.map((word) => {
      const categories = named.get(word);
      return categories === undefined || [...targets].some((category) => categories.has(category))
        ? undefined
        : categories;
    });
    const priorOf = (category: string): Float64Array =>
      Float64Array.from(own, (word) => {
        const names = named.get(word);
        if (names?.has(category)) return 1;
        const isTarget = targets.has(category);
        // The name of the target's kind is not true of another kind.
        if (!isTarget && names !== undefined && [...targets].some((target) => names.has(target))) return 0;
        const weight = isTarget ? overallWeight : 0;
        return Math.min(1, saidWithout(pool, words, spoken, category, word, ref, weight) / mention(word));
      });
    const priors = new Map<string, Float64Array | undefined>();
    return {
      expression,
      words: own,
      choice: choiceOf(pool.expressions.sent[expression] ?? ""),
      others,
      rates: Float64Array.from(own, mention),
      isNoTarget: targets.size === 0,
      priorOf: (category) => {
        if (!priors.has(category)) {
          const made = priorOf(category);
          priors.set(category, made.length > 0 && !made.includes(0) ? made : undefined);
        }
        return targets.has(category) ? (priors.get(category) ?? priorOf(category)) : priors.get(category);
      },
    };
  };
  const centres = new Map<number, readonly [x: number, y: number]>();
  const centreOf = (annotation: number): readonly [x: number, y: number] => {
    const known = centres.get(annotation) ?? centreOfAnnotation(pool, annotation);
    centres.set(annotation, known);
    return known;
  };
  let last: Query | undefined;
  return {
    chance(expression, image) {
      if (last?.expression !== expression) last = query(expression);
      const { words: own, others, rates, isNoTarget, choice, priorOf } = last;
      if (isNoTarget) return Number.NaN;
      const annotations = pool.annotationsOfImage(image);
      const holds = (wanted: ReadonlySet<string>): boolean =>
        annotations.some((row) => wanted.has(pool.annotations.category[row] ?? ""));
      const landmarks = others.map((wanted) => (wanted === undefined ? undefined : holds(wanted)));
      if (landmarks.includes(false)) return 0;
      const possible: Possible[] = [];
      for (const annotation of annotations) {
        const prior = priorOf(pool.annotations.category[annotation] ?? "");
        if (prior === undefined) continue;
        const said = (refsOf.get(annotation) ?? []).flatMap((other) => sentencesOf(pool, other));
        let all = 1;
        for (let at = 0; at < own.length && all > 0; at++) {
          if (landmarks[at] === true) continue;
          const isSaid = said.some((row) => words[row]?.includes(own[at] as string));
          all *= isSaid ? 1 : unsaid(prior[at] as number, rates[at] as number, said.length);
        }
        if (all > 0) possible.push({ chance: all, centre: () => centreOf(annotation) });
      }
      return chanceOfAny(possible, choice);
    },
  };
}

function centreOfAnnotation(pool: Pool, annotation: number): readonly [x: number, y: number] {
  const mask = pool.mask(pool.annotations.image[annotation] as number, [annotation]);
  const [x, y, width, height] = rleBox(mask);
  return [(x + width / 2) / mask.width, (y + height / 2) / mask.height];
}

/** What one expression asks of an object. */
interface Query {
  readonly expression: number;
  readonly words: readonly string[];
  readonly choice: Choice;
  /** For each word the categories that it names, where none of them is the target's. */
  readonly others: readonly (ReadonlySet<string> | undefined)[];
  /** For each word the rate at which it is said where it is true. */
  readonly rates: Float64Array;
  readonly isNoTarget: boolean;
  /** For each word the chance that it is true of any object of a category; undefined where one of them cannot be. */
  priorOf(category: string): Float64Array | undefined;
}

/** The words of a sentence that are true of some things and not of others, each once. */
export function contentWords(sentence: string): string[] {
  // Lower case may be longer ("İ"): all places are in it.
  const lower = sentence.toLowerCase();
  const said = lower.slice(0, denying.exec(lower)?.index);
  const chosen = positionsOf(lower).mentions.filter(({ scope }) => scope === "absolute");
  const found = [...said.matchAll(/[\p{L}\p{N}]+/gu)].filter(
    ({ index }) => !chosen.some(({ span }) => index >= span[0] && index < span[1]),
  );
  return [...new Set(found.map(([word]) => word).filter((word) => !empty.has(word) && !choosing.test(word)))];
}

const empty = new Set(
  (
    "a an the is are was be that which who of in on at to it its there here and or with from by side picture image " +
    "photo pic all way far hand very number only single"
  ).split(" "),
);
/** What follows is denied: no word that is true. */
const denying = /\b(not|without|no|isn'?t|aren'?t|doesn'?t|don'?t)\b/;
/** Counts, superlatives and comparatives of size: they choose one of what is left. */
const choosing = /^(first|second|third|fourth|last|\d+(st|nd|rd|th)?|\w{3,}(est|most)|larger|bigger|smaller|taller)$/;

/** How likely a word is true of an object of which `sentences` sentences do not say it. */
function unsaid(prior: number, rate: number, sentences: number): number {
  const silent = prior * (1 - rate) ** sentences;
  return silent === 0 ? 0 : silent / (silent + 1 - prior);
}

/** The rate at which a sentence says a word that another sentence of its ref says; towards the mean for rare words. */
function mentionRates(pool: Pool, words: readonly (readonly string[])[]): (word: string) => number {
  const counts = new Map<string, { asked: number; said: number }>();
  let [asked, said] = [0, 0];
  for (let ref = 0; ref < pool.refs.count; ref++) {
    const rows = sentencesOf(pool, ref);
    for (const row of rows)
      for (const word of words[row] ?? []) {
        const count = counts.get(word) ?? { asked: 0, said: 0 };
        for (const other of rows) {
          if (other === row) continue;
          count.asked++;
          asked++;
          if (words[other]?.includes(word)) {
            count.said++;
            said++;
          }
        }
        counts.set(word, count);
      }
  }
  const mean = asked < 50 ? rateWithoutPairs : Math.max(0.05, said / asked);
  return (word) => {
    const count = counts.get(word) ?? { asked: 0, said: 0 };
    return Math.min(0.98, (count.said + mean * priorWeight) / (count.asked + priorWeight));
  };
}

/** Where refs have one sentence each nothing can be measured; RefCOCO's mean is about this. */
const rateWithoutPairs = 0.4;
const priorWeight = 10;

interface Spoken {
  sentences: number;
  readonly saying: Map<string, number>;
}

interface SpokenOf {
  readonly all: Spoken;
  readonly ofCategory: ReadonlyMap<string, Spoken>;
}

function countSpoken(pool: Pool, words: readonly (readonly string[])[]): SpokenOf {
  const ofCategory = new Map<string, Spoken>();
  const all: Spoken = { sentences: 0, saying: new Map() };
  const count = (spoken: Spoken, row: number): void => {
    spoken.sentences++;
    for (const word of words[row] ?? []) spoken.saying.set(word, (spoken.saying.get(word) ?? 0) + 1);
  };
  for (let ref = 0; ref < pool.refs.count; ref++) {
    const rows = sentencesOf(pool, ref);
    for (const row of rows) count(all, row);
    for (const category of categoriesOf(pool, ref)) {
      const known: Spoken = ofCategory.get(category) ?? { sentences: 0, saying: new Map() };
      for (const row of rows) count(known, row);
      ofCategory.set(category, known);
    }
  }
  return { all, ofCategory };
}

/** How often sentences about a category say a word, the expression's own ref left out: it would count for itself. */
function saidWithout(
  pool: Pool,
  words: readonly (readonly string[])[],
  spoken: SpokenOf,
  category: string,
  word: string,
  ref: number,
  weight: number,
): number {
  const own = sentencesOf(pool, ref);
  const saying = own.filter((row) => words[row]?.includes(word)).length;
  const { all, ofCategory } = spoken;
  const overall = ((all.saying.get(word) ?? 0) - saying) / Math.max(1, all.sentences - own.length);
  const known = ofCategory.get(category);
  if (known === undefined) return weight === 0 ? 0 : overall;
  const isOwn = categoriesOf(pool, ref).has(category);
  const here = (known.saying.get(word) ?? 0) - (isOwn ? saying : 0);
  const sentences = known.sentences - (isOwn ? own.length : 0);
  return sentences + weight === 0 ? 0 : (here + overall * weight) / (sentences + weight);
}

/** As many sentences about the target's category weigh as much as all others together. */
const overallWeight = 20;

/** The categories that each word names: "mug", and "mugs" for the category mug. */
function categoriesByWord(pool: Pool): ReadonlyMap<string, ReadonlySet<string>> {
  const result = new Map<string, Set<string>>();
  for (const category of new Set(pool.annotations.category))
    for (const word of contentWords(category))
      for (const form of [word, `${word}s`]) {
        const known = result.get(form) ?? new Set();
        result.set(form, known.add(category));
      }
  return result;
}

function categoriesOf(pool: Pool, ref: number): Set<string> {
  return new Set(Array.from(pool.targetsOfRef(ref), (row) => pool.annotations.category[row] ?? ""));
}

function sentencesOf(pool: Pool, ref: number): number[] {
  const [start, end] = pool.expressionsOfRef(ref);
  return Array.from({ length: end - start }, (_, at) => start + at);
}

/** The refs about each annotation alone: what is said of several says nothing of one. */
function refsOfAnnotations(pool: Pool): Map<number, number[]> {
  const result = new Map<number, number[]>();
  for (let ref = 0; ref < pool.refs.count; ref++) {
    const [annotation, another] = pool.targetsOfRef(ref);
    if (annotation === undefined || another !== undefined) continue;
    const known = result.get(annotation);
    if (known === undefined) result.set(annotation, [ref]);
    else known.push(ref);
  }
  return result;
}
