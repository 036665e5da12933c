import type { Pool } from "../pool/index.ts";

/**
 * Estimates from annotations alone whether another image also holds what an expression names (docs/tune.md):
 *
 *   an object can be meant only if its category is one of the expression's targets';
 *   of such an object a word w is true with chance t = f / m, where f is how often sentences about the category say w,
 *   and m how often a sentence says a word that is true: the share of other sentences of the same ref that say it too;
 *   what sentences about that very object say or leave unsaid changes t by Bayes' rule;
 *   words are taken as independent, and so are objects: 1 - Π over objects (1 - Π over words t).
 */
export interface FalseNegatives {
  /** The chance, 0 to 1, that `expression` (a row) is true of something in `image` (a row). 0 for a no-target expression. */
  chance(expression: number, image: number): number;
}

/** Counts the pool's words once. */
export function estimateFalseNegatives(pool: Pool): FalseNegatives {
  const words = pool.expressions.sent.map(contentWords);
  const mention = mentionRates(pool, words);
  const categories = categoryWords(pool, words);
  const refsOf = refsOfAnnotations(pool);
  const query = (expression: number): Query => {
    const ref = pool.expressions.ref[expression] as number;
    const own = words[expression] ?? [];
    const priorOf = (category: string): Float64Array =>
      Float64Array.from(own, (word) =>
        Math.min(1, saidWithout(pool, words, categories, category, word, ref) / mention(word)),
      );
    return {
      expression,
      words: own,
      rates: Float64Array.from(own, mention),
      priors: new Map(Array.from(categoriesOf(pool, ref), (category) => [category, priorOf(category)])),
    };
  };
  let last: Query | undefined;
  return {
    chance(expression, image) {
      if (last?.expression !== expression) last = query(expression);
      const { words: own, rates, priors } = last;
      if (priors.size === 0) return 0;
      let none = 1;
      for (const annotation of pool.annotationsOfImage(image)) {
        const prior = priors.get(pool.annotations.category[annotation] ?? "");
        if (prior === undefined) continue;
        const said = (refsOf.get(annotation) ?? []).flatMap((other) => sentencesOf(pool, other));
        let all = 1;
        for (let at = 0; at < own.length && all > 0; at++) {
          const isSaid = said.some((row) => words[row]?.includes(own[at] as string));
          all *= isSaid ? 1 : unsaid(prior[at] as number, rates[at] as number, said.length);
        }
        none *= 1 - all;
      }
      return 1 - none;
    },
  };
}

/** What one expression asks of an object. */
interface Query {
  readonly expression: number;
  readonly words: readonly string[];
  /** For each word the rate at which it is said where it is true. */
  readonly rates: Float64Array;
  /** By category of its targets: for each word the chance that it is true of any object of that category. */
  readonly priors: ReadonlyMap<string, Float64Array>;
}

/** The words of a sentence that can be true or false of a thing, each once. */
export function contentWords(sentence: string): string[] {
  const found = sentence.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(found.filter((word) => !empty.has(word)))];
}

const empty = new Set(
  "a an the is are was be that which who of in on at to it its there here and or with picture image photo pic".split(
    " ",
  ),
);

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

interface CategoryWords {
  sentences: number;
  readonly saying: Map<string, number>;
}

function categoryWords(pool: Pool, words: readonly (readonly string[])[]): Map<string, CategoryWords> {
  const result = new Map<string, CategoryWords>();
  for (let ref = 0; ref < pool.refs.count; ref++)
    for (const category of categoriesOf(pool, ref)) {
      const known = result.get(category) ?? { sentences: 0, saying: new Map<string, number>() };
      for (const row of sentencesOf(pool, ref)) {
        known.sentences++;
        for (const word of words[row] ?? []) known.saying.set(word, (known.saying.get(word) ?? 0) + 1);
      }
      result.set(category, known);
    }
  return result;
}

/** How often sentences about a category say a word, the expression's own ref left out: it would count for itself. */
function saidWithout(
  pool: Pool,
  words: readonly (readonly string[])[],
  categories: ReadonlyMap<string, CategoryWords>,
  category: string,
  word: string,
  ref: number,
): number {
  const known = categories.get(category);
  if (known === undefined) return 0;
  const own = categoriesOf(pool, ref).has(category) ? sentencesOf(pool, ref) : [];
  const saying = (known.saying.get(word) ?? 0) - own.filter((row) => words[row]?.includes(word)).length;
  return saying / Math.max(1, known.sentences - own.length);
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
