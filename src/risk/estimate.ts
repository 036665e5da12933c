/**
 * Estimates from annotations and sentences alone whether an image also holds what an expression names (docs/tune.md).
 *
 *   1. `readFacts` puts what is read of a pool into arrays (facts.ts), `WordStatistics` counts the words (word-statistics.ts).
 *   2. `Query.read` reads an expression: its content words (sentences.ts), how it chooses among like things
 *      (meant-objects.ts), the landmarks that it names, and for each category the chance of each word.
 *   3. `ImageReader.chanceIn` looks at an image's objects (chance.ts). One can be meant if its category is one of the
 *      expression's targets', or if every word has been said of that category before (an "animal" need not be the same).
 *   4. `#chanceOfWords`: a word that names the category is true; a word said of that very object is true; any other word
 *      is true with chance t = f / m, where f is how often sentences about the category say it and m how often a sentence
 *      says a word that is true. By Bayes' rule, t falls with each sentence about the object that leaves the word
 *      unsaid, and changes with what they say instead: "black" excludes "white", but not "brown", which is close.
 *   5. A landmark (a word that names another category) that the image lacks makes the expression false; where the image
 *      holds other things, it may be there unnoticed, or under another name.
 *   6. Words are taken as independent, and so are objects; `chanceOfAny` minds place, count and comparison.
 *
 * Example: "brown dog", and an image with a dog of which "the white dog" is said. dog names the category: 1. brown is said
 * by a fifth of sentences about dogs, and where it is true by half of them: t = 0.4, odds 0.67. Its one sentence leaves it
 * unsaid (× 0.5); "white" was never said of a brown dog (× 0.03): odds 0.01, chance 0.01.
 */
import { type AnnotationCoverage, type AnnotationMeasures, type Pool, readMeasures } from "../pool/index.ts";
import { namesOfCategories } from "./category-names.ts";
import { ImageReader } from "./chance.ts";
import { measureCoverage } from "./coverage.ts";
import { measureBox, type RiskFacts, readFacts } from "./facts.ts";
import { canBeMeant, isTarget, landmarkWords, Query } from "./query.ts";
import { sentencesOfObjects } from "./said.ts";
import { WordStatistics } from "./word-statistics.ts";

/** What is estimated of pairs of an expression and an image, both by row. */
export interface PairEstimate {
  /**
   * The chance, 0 to 1, that `expression` is true of something in `image`. NaN for a no-target expression: nothing is
   * known of what it names.
   */
  chance(expression: number, image: number): number;
  /** True where an object of one of the expression's target categories is annotated in the image. */
  showsKind(expression: number, image: number): boolean;
  /** Both for many images, rounded to float32 and as 0 or 1, into `columns` from place `at` on. */
  fill(expression: number, images: Int32Array, columns: RiskColumns, at: number): void;
}

export interface RiskColumns {
  readonly risk: Float32Array;
  readonly showsKind: Uint8Array;
}

export interface RiskEstimate extends PairEstimate {
  readonly coverage: AnnotationCoverage;
  /**
   * True where an expression says what its targets are, by a word that names their category: then only such things are meant. "Left one"
   * may be anything.
   */
  namesKind(expression: number): boolean;
  /** What `estimateFrom` makes the same estimate of in another thread, once the boxes of `unmeasuredObjects` are measured. */
  readonly facts: RiskFacts;
}

/** Counts the pool's words once, and reads its annotations' boxes. */
export async function openRiskEstimate(pool: Pool): Promise<RiskEstimate> {
  return estimateRisk(pool, await readMeasures(pool));
}

/** As `openRiskEstimate`, with boxes that are there already; without them masks are decoded where a place is asked for. */
export function estimateRisk(pool: Pool, measures?: AnnotationMeasures): RiskEstimate {
  const facts = readFacts(pool, measures);
  const parts = partsOf(facts);
  const { statistics, names } = parts;
  const measure = (object: number): void => measureBox(facts, pool, object);
  const namesOfWord = (word: number): ReadonlySet<string> =>
    new Set([...(names.landmark.get(word) ?? [])].map((category) => facts.categories[category] ?? ""));
  const named = new Map<number, ReadonlySet<string>>();
  const coverage = measureCoverage(pool, (expression) =>
    landmarkWords(expression, facts.ref[expression]!, statistics, names).map((word) => {
      const known = named.get(word) ?? namesOfWord(word);
      named.set(word, known);
      return known;
    }),
  );
  return {
    coverage,
    facts,
    namesKind(expression) {
      const said = facts.wordIds.subarray(facts.wordStarts[expression]!, facts.wordStarts[expression + 1]!);
      const targets = statistics.categoriesOf(facts.ref[expression]!);
      return (
        targets.length > 0 && targets.every((category) => said.some((word) => names.words.get(category)?.has(word)))
      );
    },
    ...pairEstimate(facts, parts, measure),
  };
}

/** The estimate in a thread that has a pool's facts alone; boxes that are not measured stay unknown. */
export function estimateFrom(facts: RiskFacts): PairEstimate {
  return pairEstimate(facts, partsOf(facts), () => undefined);
}

function partsOf(facts: RiskFacts) {
  const statistics = new WordStatistics(facts);
  return {
    statistics,
    names: namesOfCategories(facts.categories, statistics),
    said: sentencesOfObjects(facts, statistics),
  };
}

function pairEstimate(
  facts: RiskFacts,
  { statistics, names, said }: ReturnType<typeof partsOf>,
  measure: (object: number) => void,
): PairEstimate {
  const query = new Query(facts, statistics, names);
  const images = new ImageReader(facts, said, measure);
  const shareOf = (object: number): number => images.shareOf(object);
  const ask = (expression: number): void => {
    if (query.expression !== expression) query.read(expression, shareOf);
  };
  return {
    chance(expression, image) {
      ask(expression);
      if (query.isNoTarget) return Number.NaN;
      return (images.kindsOf(query, image) & canBeMeant) === 0 ? 0 : images.chanceIn(query, image);
    },
    showsKind(expression, image) {
      ask(expression);
      return (images.kindsOf(query, image) & isTarget) !== 0;
    },
    fill(expression, ids, { risk, showsKind }, at) {
      ask(expression);
      const { isNoTarget } = query;
      for (let place = 0; place < ids.length; place++) {
        const image = ids[place]!;
        const kinds = images.kindsOf(query, image);
        showsKind[at + place] = kinds & isTarget;
        if (isNoTarget) risk[at + place] = Number.NaN;
        else risk[at + place] = (kinds & canBeMeant) === 0 ? 0 : images.chanceIn(query, image);
      }
    },
  };
}
