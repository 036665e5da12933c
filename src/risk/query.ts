import type { CategoryNames } from "./category-names.ts";
import type { RiskFacts } from "./facts.ts";
import { type Choice, choiceOf } from "./meant-objects.ts";
import type { WordStatistics } from "./word-statistics.ts";

/** In `Query.kinds`: the category is one of the expression's targets'; its objects can be what the expression names. */
export const isTarget = 1;
export const canBeMeant = 2;
/** How often "leaves the word unsaid" is kept ready for: as many sentences about an object, and less. */
export const readyPowers = 16;

/**
 * What one expression asks of an object, per category. One query is used for all expressions in turn, so that its arrays
 * are made once; `read` fills it.
 */
export class Query {
  expression = -1;
  isNoTarget = false;
  /** Per category: `isTarget`, `canBeMeant` or both. */
  readonly kinds: Uint8Array;
  /** Per category that can be meant: its place in the arrays by prior. */
  readonly priorOf: Int32Array;
  /** Ids of the words that an object must be, landmarks left out. */
  words: number[] = [];
  rates: number[] = [];
  /** Tables of the words, read when first needed. */
  evidence: (Float32Array | undefined)[] = [];
  /** (1 - rate) ** n: word at × readyPowers + n. */
  unsaid: Float64Array = new Float64Array(0);
  /** Prior × words + word: the chance that the word is true of any object of the category. */
  chances: Float64Array = new Float64Array(0);
  /** Likewise chance / (1 - chance). */
  odds: Float64Array = new Float64Array(0);
  /** Likewise 1 where the word stands in place of the category's name, so that another noun leaves no room for it. */
  nouns = new Uint8Array(0);
  /** Per prior: the product of its chances, for objects of which nothing is said. */
  unspoken: Float64Array = new Float64Array(0);
  choice: Choice = { least: 1 };
  /** For each landmark per category: 1 where its word names it. */
  landmarks: Uint8Array[] = [];
  readonly #facts: RiskFacts;
  readonly #statistics: WordStatistics;
  readonly #names: CategoryNames;
  /** Categories whose `kinds` are set, and the categories marked in each of `landmarks`. */
  readonly #set: number[] = [];
  readonly #marked: ReadonlySet<number>[] = [];
  readonly #marks: Uint8Array[] = [];
  #priors = 0;

  constructor(facts: RiskFacts, statistics: WordStatistics, names: CategoryNames) {
    this.#facts = facts;
    this.#statistics = statistics;
    this.#names = names;
    this.kinds = new Uint8Array(facts.categories.length);
    this.priorOf = new Int32Array(facts.categories.length);
  }

  /** Reads an expression. `shareOf` gives the share of its image that a target takes; NaN where it is not known. */
  read(expression: number, shareOf: (object: number) => number): void {
    const { ref: refs, sentences, targetStarts, targets } = this.#facts;
    const statistics = this.#statistics;
    this.expression = -1; // until all is read
    this.#clear();
    const ref = refs[expression] ?? 0;
    const categories = statistics.categoriesOf(ref);
    for (const category of categories) this.#mark(category, isTarget);
    const marks = landmarkWords(expression, ref, statistics, this.#names);
    this.words = [...statistics.wordsOf(expression)].filter((word) => !marks.includes(word));
    this.rates = this.words.map((word) => statistics.rate(word));
    this.evidence = this.words.map(() => undefined);
    this.landmarks = marks.map((word, at) => this.#landmark(word, at));
    this.#fillUnsaid();
    for (const category of categories) this.#addPrior(category, ref, categories);
    for (const category of this.#otherCategories(categories)) this.#addPrior(category, ref, categories);
    const [first, end] = [targetStarts[ref]!, targetStarts[ref + 1]!];
    this.isNoTarget = first === end;
    const choice = choiceOf(sentences[expression] ?? "");
    this.choice =
      choice.compares !== undefined && end - first === 1 ? { ...choice, ownShare: shareOf(targets[first]!) } : choice;
    this.expression = expression;
  }

  /** What is said with the word at `at`, in how far it speaks for or against it. */
  evidenceOf(at: number): Float32Array {
    const table = this.#statistics.evidence(this.words[at]!);
    this.evidence[at] = table;
    return table;
  }

  #clear(): void {
    for (const category of this.#set) this.kinds[category] = 0;
    this.#set.length = 0;
    for (const [at, marked] of this.#marked.entries()) for (const category of marked) this.#marks[at]![category] = 0;
    this.#marked.length = 0;
    this.#priors = 0;
  }

  #mark(category: number, flag: number): void {
    this.kinds[category] = this.kinds[category]! | flag;
    this.#set.push(category);
  }

  #landmark(word: number, at: number): Uint8Array {
    const made = this.#marks[at] ?? new Uint8Array(this.kinds.length);
    this.#marks[at] = made;
    const named = this.#names.landmark.get(word) ?? noIds;
    for (const category of named) made[category] = 1;
    this.#marked.push(named);
    return made;
  }

  #fillUnsaid(): void {
    const wanted = this.words.length * readyPowers;
    if (this.unsaid.length < wanted) this.unsaid = new Float64Array(2 * wanted);
    for (const [at, rate] of this.rates.entries())
      for (let count = 0; count < readyPowers; count++) this.unsaid[at * readyPowers + count] = (1 - rate) ** count;
  }

  /** Categories beside the targets' of which all words can be true: those of the word of which fewest can, tried on the rest. */
  #otherCategories(targets: Int32Array): number[] {
    let fewest: readonly number[] | undefined;
    for (const word of this.words) {
      const named = this.#names.exact.get(word) ?? noIds;
      // The name of the target's kind is not true of another kind.
      const said = targets.some((category) => named.has(category)) ? [] : this.#statistics.categoriesSaying(word);
      if (fewest === undefined || named.size + said.length < fewest.length) fewest = [...named, ...said];
    }
    return [...new Set(fewest)].filter((category) => !targets.includes(category));
  }

  #addPrior(category: number, ref: number, targets: Int32Array): void {
    const isOfKind = targets.includes(category);
    const { words } = this;
    const start = this.#priors * words.length;
    this.#reserve(start + words.length);
    const { chances, odds, nouns } = this;
    let unspoken = 1;
    for (let at = 0; at < words.length; at++) {
      const chance = this.#chanceOf(words[at]!, category, ref, isOfKind ? undefined : targets, this.rates[at]!);
      if (chance === 0 && !isOfKind) return;
      chances[start + at] = chance;
      odds[start + at] = chance / (1 - chance);
      unspoken *= chance;
    }
    for (let at = 0; at < words.length; at++)
      nouns[start + at] = this.#statistics.nounOf(words[at]!, this.#names.words).has(category) ? 1 : 0;
    this.unspoken[this.#priors] = unspoken;
    this.priorOf[category] = this.#priors++;
    this.#mark(category, canBeMeant);
  }

  /** `targets` where the category is not one of them. */
  #chanceOf(word: number, category: number, ref: number, targets: Int32Array | undefined, rate: number): number {
    const named = this.#names.exact.get(word);
    if (named?.has(category)) return 1;
    if (targets === undefined)
      return Math.min(1, this.#statistics.shareBesides(ref, word, category, overallWeight) / rate);
    if (named !== undefined && targets.some((target) => named.has(target))) return 0;
    return Math.min(1, this.#statistics.plainShare(word, category) / rate);
  }

  #reserve(length: number): void {
    if (this.unspoken.length <= this.#priors) this.unspoken = growArray(this.unspoken, 2 * this.#priors + 16);
    if (this.chances.length >= length) return;
    this.chances = growArray(this.chances, 2 * length);
    this.odds = growArray(this.odds, 2 * length);
    const nouns = new Uint8Array(2 * length);
    nouns.set(this.nouns);
    this.nouns = nouns;
  }
}

/** Ids of the words of an expression that name a category which none of its targets has. */
export function landmarkWords(
  expression: number,
  ref: number,
  statistics: WordStatistics,
  names: CategoryNames,
): number[] {
  const targets = statistics.categoriesOf(ref);
  return [...statistics.wordsOf(expression)].filter((word) => {
    const named = names.landmark.get(word);
    return named !== undefined && !targets.some((category) => named.has(category));
  });
}

const noIds: ReadonlySet<number> = new Set();

/** As many sentences about the target's category weigh as much as all others together. */
const overallWeight = 20;

function growArray(values: Float64Array, length: number): Float64Array {
  const made = new Float64Array(length);
  made.set(values);
  return made;
}
