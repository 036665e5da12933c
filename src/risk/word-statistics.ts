/**
 * What the pool's sentences say about words: counted once, asked per expression. A ref is one object here; refs of
 * several objects count as being about each of their categories.
 *
 *   rate(w)         how often a sentence says w where another sentence of the same ref says it
 *   share(w, c)     how often sentences about category c say w, drawn towards how often all sentences do
 *   evidence(w)[v]  how many times as often w is said where another sentence of the ref says v than chance would have
 *                   it: near 0 for words that exclude each other ("black" and "white"), above 1 for words that go together
 */
import type { Pool } from "../pool/index.ts";
import { closeColours } from "./colours.ts";
import { contentWords } from "./sentences.ts";

/** Words said of one category or of all: how many sentences there are, and how many say each word (by id). */
interface Tally {
  sentences: number;
  /** Ordered pairs of sentences of the same ref. */
  pairs: number;
  readonly saying: Map<number, number>;
}

export class WordStatistics {
  /** Ids of words, in the order of first use. */
  readonly ids: ReadonlyMap<string, number>;
  readonly words: readonly string[];
  /** Content words of each sentence as ids; index = expression row. */
  readonly sentences: readonly Int32Array[];
  readonly #pool: Pool;
  readonly #categories: readonly (readonly string[])[];
  readonly #all: Tally = { sentences: 0, pairs: 0, saying: new Map() };
  readonly #of = new Map<string, Tally>();
  readonly #refsSaying: readonly number[][];
  readonly #rates: Float64Array;
  readonly #nouns = new Map<string, Map<number, boolean>>();
  readonly #evidence = new Map<number, Float32Array>();

  constructor(pool: Pool) {
    this.#pool = pool;
    const ids = new Map<string, number>();
    const words: string[] = [];
    const known = new Map<string, Int32Array>();
    this.sentences = pool.expressions.sent.map((sentence) => {
      let made = known.get(sentence);
      if (made === undefined) {
        made = Int32Array.from(contentWords(sentence), (word) => {
          const id = ids.get(word) ?? ids.size;
          if (id === ids.size) {
            ids.set(word, id);
            words.push(word);
          }
          return id;
        });
        known.set(sentence, made);
      }
      return made;
    });
    this.ids = ids;
    this.words = words;
    const refsSaying: number[][] = words.map(() => []);
    const categories: string[][] = [];
    const asked = new Float64Array(words.length);
    const said = new Float64Array(words.length);
    for (let ref = 0; ref < pool.refs.count; ref++) {
      const [start, end] = pool.expressionsOfRef(ref);
      const own = [...new Set(Array.from(pool.targetsOfRef(ref), (row) => pool.annotations.category[row] ?? ""))];
      categories.push(own);
      const counts = this.countWords(start, end);
      for (const [word, count] of counts) {
        refsSaying[word]?.push(ref);
        asked[word] = asked[word]! + count * (end - start - 1);
        said[word] = said[word]! + count * (count - 1);
      }
      for (const tally of [this.#all, ...own.map((category) => this.#tallyOf(category))]) {
        tally.sentences += end - start;
        tally.pairs += (end - start) * (end - start - 1);
        for (const [word, count] of counts) tally.saying.set(word, (tally.saying.get(word) ?? 0) + count);
      }
    }
    this.#categories = categories;
    this.#refsSaying = refsSaying;
    const [askedOfAll, saidOfAll] = [sum(asked), sum(said)];
    const mean = askedOfAll < 50 ? rateWithoutPairs : Math.max(0.05, saidOfAll / askedOfAll);
    this.#rates = asked.map((count, word) => Math.min(0.98, (said[word]! + mean * priorPairs) / (count + priorPairs)));
  }

  /** How many of the sentences `start` up to `end` say each word. */
  countWords(start: number, end: number): Map<number, number> {
    const counts = new Map<number, number>();
    for (let row = start; row < end; row++)
      for (const word of this.sentences[row] ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
    return counts;
  }

  /** Categories of a ref's targets, each once. */
  categoriesOf(ref: number): readonly string[] {
    return this.#categories[ref] ?? [];
  }

  /** 0 to 0.98: how often a sentence says a word that another sentence of its ref says; towards the mean for rare words. */
  rate(word: number): number {
    return this.#rates[word] ?? rateWithoutPairs;
  }

  /**
   * How often sentences about a category say a word, those of `ref` left out: it would count for itself. `weight`
   * sentences of all categories are mixed in; with weight 0 a category that no sentence is about gives 0.
   */
  share(word: number, category: string, ref: number, weight: number): number {
    const [start, end] = this.#pool.expressionsOfRef(ref);
    let own = 0;
    for (let row = start; row < end; row++) if (this.sentences[row]?.includes(word)) own++;
    const overall = ((this.#all.saying.get(word) ?? 0) - own) / Math.max(1, this.#all.sentences - (end - start));
    const tally = this.#of.get(category);
    if (tally === undefined) return weight === 0 ? 0 : overall;
    const isOwn = this.categoriesOf(ref).includes(category);
    const here = (tally.saying.get(word) ?? 0) - (isOwn ? own : 0);
    const sentences = tally.sentences - (isOwn ? end - start : 0);
    return sentences + weight === 0 ? 0 : (here + overall * weight) / (sentences + weight);
  }

  /** For each word v: what another sentence that says v tells of this word. Shared: do not modify. */
  evidence(word: number): Float32Array {
    const known = this.#evidence.get(word);
    if (known !== undefined) return known;
    const together = new Float32Array(this.words.length);
    const expected = new Float32Array(this.words.length);
    const touched = new Set<string>();
    for (const ref of this.#refsSaying[word] ?? []) {
      const [start, end] = this.#pool.expressionsOfRef(ref);
      for (const category of this.categoriesOf(ref)) touched.add(category);
      for (let row = start; row < end; row++) {
        if (!this.sentences[row]?.includes(word)) continue;
        for (let other = start; other < end; other++)
          if (other !== row) for (const v of this.sentences[other] ?? []) together[v] = together[v]! + 1;
      }
    }
    for (const category of touched) {
      const tally = this.#of.get(category);
      if (tally === undefined || tally.sentences === 0) continue;
      const share = (tally.saying.get(word) ?? 0) / tally.sentences;
      for (const [v, count] of tally.saying)
        expected[v] = expected[v]! + (share * tally.pairs * count) / tally.sentences;
    }
    const made = together.map((count, v) => (count + evidencePrior) / (expected[v]! + evidencePrior));
    for (const colour of closeColours(this.words[word] ?? "")) {
      const id = this.ids.get(colour);
      if (id !== undefined) made[id] = Math.max(leastOfClose, made[id]!);
    }
    this.#evidence.set(word, made);
    return made;
  }

  /**
   * Words that name a category though its name does not hold them ("kitty" for a cat): said of no other, and true of most
   * of its objects, as far as can be told from who says them.
   */
  learnNames(category: string): number[] {
    const tally = this.#of.get(category);
    if (tally === undefined || tally.sentences < leastSentences) return [];
    return [...tally.saying].flatMap(([word, count]) => {
      const isOwn = count >= leastSaid && count >= 0.9 * (this.#all.saying.get(word) ?? 0);
      return isOwn && count / tally.sentences / this.rate(word) >= leastNamed ? [word] : [];
    });
  }

  /**
   * True for a word that stands in place of a category's name, as "animal" and "kitty" do and "brown" does not: sentences
   * about the category that say it seldom say another of its `names`.
   */
  isNoun(word: number, category: string, names: ReadonlySet<number>): boolean {
    const known = this.#nouns.get(category) ?? new Map<number, boolean>();
    this.#nouns.set(category, known);
    let is = known.get(word);
    if (is === undefined) {
      let [saying, named] = [0, 0];
      for (const ref of this.#refsSaying[word] ?? []) {
        if (!this.categoriesOf(ref).includes(category)) continue;
        const [start, end] = this.#pool.expressionsOfRef(ref);
        for (let row = start; row < end; row++) {
          const words = this.sentences[row] ?? none;
          if (!words.includes(word)) continue;
          saying++;
          if (words.some((other) => other !== word && names.has(other))) named++;
        }
      }
      is = saying >= 2 && named <= 0.15 * saying;
      known.set(word, is);
    }
    return is;
  }

  #tallyOf(category: string): Tally {
    const known = this.#of.get(category) ?? { sentences: 0, pairs: 0, saying: new Map() };
    this.#of.set(category, known);
    return known;
  }
}

const none = new Int32Array(0);

/** Where refs have one sentence each nothing can be measured; RefCOCO's mean is about this. */
const rateWithoutPairs = 0.4;
const priorPairs = 10;
/** So many pairs say nothing yet. */
const evidencePrior = 3;
/** The least that a word of a colour close to one that was said keeps of its chance. */
const leastOfClose = 0.5;
const leastSentences = 10;
const leastSaid = 5;
const leastNamed = 0.75;

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
