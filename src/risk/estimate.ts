/**
 * Estimates from annotations and sentences alone whether an image also holds what an expression names (docs/tune.md).
 *
 *   1. `WordStatistics` counts the pool's words once (word-statistics.ts).
 *   2. `askQuery` reads an expression: its content words (sentences.ts), how it chooses among like things
 *      (meant-objects.ts), the landmarks that it names, and for each category the chance of each word.
 *   3. `chance` looks at an image's objects. One can be meant if its category is one of the expression's targets', or if
 *      every word has been said of that category before (an "animal" need not be the same animal).
 *   4. `chanceOfWord`: a word that names the category is true; a word said of that very object is true; any other word
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
import { rleBox } from "../kernels/index.ts";
import { type AnnotationCoverage, type AnnotationMeasures, type Pool, readMeasures } from "../pool/index.ts";
import { measureCoverage } from "./coverage.ts";
import { type Choice, chanceOfAny, choiceOf, type Possible } from "./meant-objects.ts";
import { isPersonWord, synonymsOf } from "./names.ts";
import { contentWords } from "./sentences.ts";
import { WordStatistics } from "./word-statistics.ts";

/** What is estimated of pairs of an expression and an image, both by row. */
export interface RiskEstimate {
  readonly coverage: AnnotationCoverage;
  /**
   * The chance, 0 to 1, that `expression` is true of something in `image`. NaN for a no-target expression: nothing is
   * known of what it names.
   */
  chance(expression: number, image: number): number;
  /** True where an object of one of the expression's target categories is annotated in the image. */
  showsKind(expression: number, image: number): boolean;
}

/** Counts the pool's words once, and reads its annotations' boxes. */
export async function openRiskEstimate(pool: Pool): Promise<RiskEstimate> {
  return estimateRisk(pool, await readMeasures(pool));
}

/** As `openRiskEstimate`, with boxes that are there already; without them masks are decoded where a place is asked for. */
export function estimateRisk(pool: Pool, measures?: AnnotationMeasures): RiskEstimate {
  const objects = new AnnotatedObjects(pool, measures);
  const statistics = new WordStatistics(pool);
  const names = namesOfCategories(objects.categories, statistics);
  const said = sentencesOfObjects(pool, statistics);
  let last: Query | undefined;
  const queryOf = (expression: number): Query => {
    if (last?.expression !== expression) last = askQuery(expression, { pool, statistics, objects, names });
    return last;
  };
  const coverage = measureCoverage(pool, (expression) =>
    landmarkWords(expression, { pool, statistics, names }).map((word) => names.landmark.get(word) ?? noNames),
  );
  return {
    coverage,
    chance: (expression, image) => {
      const query = queryOf(expression);
      if (query.isNoTarget) return Number.NaN;
      return chanceInImage(query, objects, said, pool.annotationsOfImage(image));
    },
    showsKind: (expression, image) => {
      const { isTarget } = queryOf(expression);
      for (const row of pool.annotationsOfImage(image)) if (isTarget[objects.category[row]!] === 1) return true;
      return false;
    },
  };
}

/** Categories as numbers, and where objects lie. */
class AnnotatedObjects {
  /** The names of the categories; "" is a category of which nothing is known. */
  readonly categories: readonly string[];
  readonly category: Int32Array;
  readonly #pool: Pool;
  readonly #measures: AnnotationMeasures | undefined;
  readonly #boxes = new Map<number, readonly [x: number, y: number, width: number, height: number]>();

  constructor(pool: Pool, measures: AnnotationMeasures | undefined) {
    const ids = new Map<string, number>();
    this.category = Int32Array.from(pool.annotations.category, (name) => {
      const id = ids.get(name) ?? ids.size;
      ids.set(name, id);
      return id;
    });
    this.categories = [...ids.keys()];
    this.#pool = pool;
    this.#measures = measures;
  }

  /** The middle of the box as shares of the image. */
  centre(annotation: number): readonly [x: number, y: number] {
    const [x, y, width, height] = this.#box(annotation);
    return [x + width / 2, y + height / 2];
  }

  /** The box's share of the image. */
  share(annotation: number): number {
    const [, , width, height] = this.#box(annotation);
    return width * height;
  }

  /** As the dataset states it, else of the mask; in shares of the image. */
  #box(annotation: number): readonly [x: number, y: number, width: number, height: number] {
    const known = this.#boxes.get(annotation);
    if (known !== undefined) return known;
    const image = this.#pool.annotations.image[annotation]!;
    const stated = this.#measures?.box(annotation) ?? null;
    const [x, y, width, height] =
      stated !== null && stated[2] > 0 && stated[3] > 0 ? stated : rleBox(this.#pool.mask(image, [annotation]));
    const [across, down] = [
      Math.max(1, this.#pool.images.width[image]!),
      Math.max(1, this.#pool.images.height[image]!),
    ];
    const box = [x / across, y / down, width / across, height / down] as const;
    if (this.#boxes.size >= mostBoxes) this.#boxes.clear();
    this.#boxes.set(annotation, box);
    return box;
  }
}

const mostBoxes = 200_000;

/** What sentences about each object alone say: what is said of several says nothing of one. */
interface SaidOfObjects {
  /** Per annotation: how many sentences are about it. */
  readonly sentences: Int32Array;
  /** Their words, each once: words.values[starts[a] .. starts[a + 1]]. */
  readonly starts: Int32Array;
  readonly words: Int32Array;
}

function sentencesOfObjects(pool: Pool, statistics: WordStatistics): SaidOfObjects {
  const sentences = new Int32Array(pool.annotations.count);
  const words = new Map<number, Set<number>>();
  for (let ref = 0; ref < pool.refs.count; ref++) {
    const [annotation, another] = pool.targetsOfRef(ref);
    if (annotation === undefined || another !== undefined) continue;
    const [start, end] = pool.expressionsOfRef(ref);
    sentences[annotation] = sentences[annotation]! + end - start;
    const known = words.get(annotation) ?? new Set();
    for (const word of statistics.countWords(start, end).keys()) known.add(word);
    words.set(annotation, known);
  }
  const starts = new Int32Array(pool.annotations.count + 1);
  for (let row = 0; row < pool.annotations.count; row++) starts[row + 1] = starts[row]! + (words.get(row)?.size ?? 0);
  const all = new Int32Array(starts[pool.annotations.count]!);
  for (const [row, set] of words) all.set([...set], starts[row]!);
  return { sentences, starts, words: all };
}

/** What one expression asks of an object. */
interface Query {
  readonly expression: number;
  readonly isNoTarget: boolean;
  /** Per category: 1 where it is a target's. */
  readonly isTarget: Uint8Array;
  /** Ids of the words that an object must be, landmarks left out. */
  readonly words: readonly number[];
  readonly rates: readonly number[];
  readonly evidence: readonly Float32Array[];
  readonly choice: Choice;
  /** For each landmark per category: 1 where its word names it. */
  readonly landmarks: readonly Uint8Array[];
  /** Per category: for each word the chance that it is true of any object of it; undefined where one of them cannot be. */
  readonly priors: readonly (Prior | undefined)[];
}

interface Prior {
  readonly chances: Float64Array;
  /** Per word: 1 where it stands in place of the category's name, so that another noun leaves no room for it. */
  readonly nouns: Uint8Array;
}

interface QueryFacts {
  readonly pool: Pool;
  readonly statistics: WordStatistics;
  readonly objects: AnnotatedObjects;
  readonly names: CategoryNames;
}

function askQuery(expression: number, { pool, statistics, objects, names }: QueryFacts): Query {
  const ref = pool.expressions.ref[expression] ?? 0;
  const targets = statistics.categoriesOf(ref);
  const isTarget = Uint8Array.from(objects.categories, (name) => (targets.includes(name) ? 1 : 0));
  const all = [...(statistics.sentences[expression] ?? [])];
  const isOfTarget = (categories: ReadonlySet<string> | undefined) => targets.some((name) => categories?.has(name));
  const marks = landmarkWords(expression, { pool, statistics, names });
  const words = all.filter((word) => !marks.includes(word));
  const landmarks = marks.map((word) => {
    const named = names.landmark.get(word);
    return Uint8Array.from(objects.categories, (name) => (named?.has(name) ? 1 : 0));
  });
  const priors = objects.categories.map((category, id) => {
    const isOfKind = isTarget[id] === 1;
    const made = Float64Array.from(words, (word) => {
      const named = names.exact.get(word);
      if (named?.has(category)) return 1;
      // The name of the target's kind is not true of another kind.
      if (!isOfKind && isOfTarget(named)) return 0;
      return Math.min(1, statistics.share(word, category, ref, isOfKind ? overallWeight : 0) / statistics.rate(word));
    });
    if (!isOfKind && (made.length === 0 || made.includes(0))) return undefined;
    const own = names.words.get(category) ?? noWords;
    return { chances: made, nouns: Uint8Array.from(words, (word) => (statistics.isNoun(word, category, own) ? 1 : 0)) };
  });
  const annotations = pool.targetsOfRef(ref);
  const choice = choiceOf(pool.expressions.sent[expression] ?? "");
  return {
    expression,
    isNoTarget: annotations.length === 0,
    isTarget,
    words,
    rates: words.map((word) => statistics.rate(word)),
    evidence: words.map((word) => statistics.evidence(word)),
    choice:
      choice.compares !== undefined && annotations.length === 1
        ? { ...choice, ownShare: objects.share(annotations[0]!) }
        : choice,
    landmarks,
    priors,
  };
}

/** Ids of the words of an expression that name a category which none of its targets has. */
function landmarkWords(
  expression: number,
  { pool, statistics, names }: Pick<QueryFacts, "pool" | "statistics" | "names">,
): number[] {
  const targets = statistics.categoriesOf(pool.expressions.ref[expression] ?? 0);
  return [...(statistics.sentences[expression] ?? [])].filter((word) => {
    const named = names.landmark.get(word);
    return named !== undefined && !targets.some((name) => named.has(name));
  });
}

const noNames: ReadonlySet<string> = new Set();
const noWords: ReadonlySet<number> = new Set();

/** As many sentences about the target's category weigh as much as all others together. */
const overallWeight = 20;

function chanceInImage(query: Query, objects: AnnotatedObjects, said: SaidOfObjects, annotations: Int32Array): number {
  const possible: Possible[] = [];
  let landmark = -1;
  for (const annotation of annotations) {
    const prior = query.priors[objects.category[annotation]!];
    if (prior === undefined) continue;
    if (landmark < 0) landmark = chanceOfLandmarks(query, objects, annotations);
    const chance = landmark * chanceOfWords(query, prior, said, annotation);
    if (chance > 0)
      possible.push({ chance, centre: () => objects.centre(annotation), share: () => objects.share(annotation) });
  }
  return possible.length === 0 ? 0 : chanceOfAny(possible, query.choice);
}

/** The chance that all landmarks are there: those annotated are; others may be where there is more than the target's kind. */
function chanceOfLandmarks({ landmarks, isTarget }: Query, objects: AnnotatedObjects, annotations: Int32Array): number {
  let chance = 1;
  for (const isNamed of landmarks) {
    let found = 0;
    for (const annotation of annotations) {
      const category = objects.category[annotation]!;
      if (isNamed[category] === 1) {
        found = 1;
        break;
      }
      if (isTarget[category] === 0) found = chanceUnnoticed;
    }
    chance *= found;
  }
  return chance;
}

/** Datasets call one thing by several names ("couch", "bed") and leave small ones out. */
const chanceUnnoticed = 0.2;

/** The chance that all words are true of an object. */
function chanceOfWords(
  query: Query,
  { chances: prior, nouns }: Prior,
  said: SaidOfObjects,
  annotation: number,
): number {
  const { words, rates, evidence } = query;
  const [start, end] = [said.starts[annotation]!, said.starts[annotation + 1]!];
  const sentences = said.sentences[annotation]!;
  let all = 1;
  for (let at = 0; at < words.length; at++) {
    const chance = prior[at]!;
    if (chance === 0) return 0;
    if (chance === 1) continue;
    if (sentences === 0) {
      all *= chance;
      continue;
    }
    const table = evidence[at]!;
    let [lowest, highest, isSaid] = [1, 1, false];
    for (let place = start; place < end; place++) {
      const word = said.words[place]!;
      if (word === words[at]) isSaid = true;
      const ratio = table[word]!;
      if (ratio < lowest) lowest = ratio;
      else if (ratio > highest) highest = ratio;
    }
    if (isSaid) continue;
    const unsaid = nouns[at] === 1 ? 1 : (1 - rates[at]!) ** sentences;
    const odds = (chance / (1 - chance)) * unsaid * Math.max(leastEvidence, lowest) * Math.min(mostEvidence, highest);
    all *= odds / (1 + odds);
  }
  return all;
}

/** People err, and an object may be both: no word excludes another for sure. */
const leastEvidence = 0.03;
const mostEvidence = 10;

/** By word the categories that it names. */
interface CategoryNames {
  /** Words that are true of every object of the category. */
  readonly exact: ReadonlyMap<number, ReadonlySet<string>>;
  /** Also words that name some of its objects: what a landmark by that word may be. */
  readonly landmark: ReadonlyMap<number, ReadonlySet<string>>;
  /** All of these, by category. */
  readonly words: ReadonlyMap<string, ReadonlySet<number>>;
}

function namesOfCategories(categories: readonly string[], statistics: WordStatistics): CategoryNames {
  const exact = new Map<number, Set<string>>();
  const landmark = new Map<number, Set<string>>();
  const all = new Map<string, Set<number>>();
  const add = (to: Map<number, Set<string>>, word: number | undefined, category: string): void => {
    if (word !== undefined) to.set(word, (to.get(word) ?? new Set()).add(category));
  };
  for (const category of categories) {
    const words = new Set<number>();
    for (const word of contentWords(category))
      for (const form of synonymsOf(word)) {
        const id = statistics.ids.get(form);
        if (id !== undefined) words.add(id);
      }
    for (const word of statistics.learnNames(category)) words.add(word);
    for (const word of words) {
      add(exact, word, category);
      add(landmark, word, category);
    }
    if (contentWords(category).includes("person"))
      for (const [word, id] of statistics.ids)
        if (isPersonWord(word)) {
          add(landmark, id, category);
          words.add(id);
        }
    all.set(category, words);
  }
  return { exact, landmark, words: all };
}
