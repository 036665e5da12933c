/**
 * What the pool's sentences say about words: counted once, asked per expression. A ref is one object here; refs of
 * several objects count as being about each of their categories.
 *
 *   rate(w)         how often a sentence says w where another sentence of the same ref says it
 *   share(w, c)     how often sentences about category c say w, drawn towards how often all sentences do
 *   evidence(w)[v]  how many times as often w is said where another sentence of the ref says v than chance would have
 *                   it: near 0 for words that exclude each other ("black" and "white"), above 1 for words that go together
 *
 * Words and categories are ids (facts.ts).
 */
import { closeColours } from "./colours.ts";
import type { RiskFacts } from "./facts.ts";

/** Words said of one category: how many sentences there are, and how many say each word. */
interface Tally {
  sentences: number;
  /** Ordered pairs of sentences of the same ref. */
  pairs: number;
  readonly saying: Map<number, number>;
  /** `saying` once more, to go through. */
  words: Int32Array;
  counts: Int32Array;
}

export class WordStatistics {
  readonly #facts: RiskFacts;
  /** Ids of words. */
  readonly ids: ReadonlyMap<string, number>;
  readonly #categoriesOfRef: readonly Int32Array[];
  readonly #sentences: number;
  /** Per word: how many sentences say it. */
  readonly #saying: Float64Array;
  readonly #of = new Map<number, Tally>();
  readonly #refsSaying: readonly number[][];
  readonly #categoriesSaying: readonly number[][];
  readonly #rates: Float64Array;
  readonly #nouns = new Map<number, ReadonlySet<number>>();
  readonly #evidence: EvidenceCache;

  /** `evidenceBytes`: tables of evidence kept; others are made again when asked for. */
  constructor(facts: RiskFacts, evidenceBytes = 2 ** 26) {
    this.#facts = facts;
    const { words, category, targets, targetStarts, expressionStarts } = facts;
    this.ids = new Map(words.map((word, id) => [word, id]));
    this.#evidence = new EvidenceCache(words.length, evidenceBytes);
    const refsSaying: number[][] = words.map(() => []);
    const categoriesOfRef: Int32Array[] = [];
    const saying = new Float64Array(words.length);
    const asked = new Float64Array(words.length);
    const said = new Float64Array(words.length);
    let sentences = 0;
    for (let ref = 0; ref + 1 < expressionStarts.length; ref++) {
      const [start, end] = [expressionStarts[ref]!, expressionStarts[ref + 1]!];
      const size = end - start;
      const own = new Set<number>();
      for (let at = targetStarts[ref]!; at < targetStarts[ref + 1]!; at++) own.add(category[targets[at]!]!);
      categoriesOfRef.push(Int32Array.from(own));
      const tallies = Array.from(own, (id) => this.#tallyOf(id));
      for (const tally of tallies) {
        tally.sentences += size;
        tally.pairs += size * (size - 1);
      }
      sentences += size;
      for (const [word, count] of this.countWords(ref)) {
        refsSaying[word]!.push(ref);
        saying[word] = saying[word]! + count;
        asked[word] = asked[word]! + count * (size - 1);
        said[word] = said[word]! + count * (count - 1);
        for (const tally of tallies) tally.saying.set(word, (tally.saying.get(word) ?? 0) + count);
      }
    }
    const categoriesSaying: number[][] = words.map(() => []);
    for (const [id, tally] of this.#of) {
      tally.words = Int32Array.from(tally.saying.keys());
      tally.counts = Int32Array.from(tally.saying.values());
      for (const word of tally.words) categoriesSaying[word]!.push(id);
    }
    this.#categoriesOfRef = categoriesOfRef;
    this.#sentences = sentences;
    this.#saying = saying;
    this.#refsSaying = refsSaying;
    this.#categoriesSaying = categoriesSaying;
    const [askedOfAll, saidOfAll] = [sum(asked), sum(said)];
    const mean = askedOfAll < 50 ? rateWithoutPairs : Math.max(0.05, saidOfAll / askedOfAll);
    this.#rates = asked.map((count, word) => Math.min(0.98, (said[word]! + mean * priorPairs) / (count + priorPairs)));
  }

  /** How many of a ref's sentences say each word. */
  countWords(ref: number): Map<number, number> {
    const { expressionStarts, wordStarts, wordIds } = this.#facts;
    const counts = new Map<number, number>();
    const [start, end] = [wordStarts[expressionStarts[ref]!]!, wordStarts[expressionStarts[ref + 1]!]!];
    for (let at = start; at < end; at++) counts.set(wordIds[at]!, (counts.get(wordIds[at]!) ?? 0) + 1);
    return counts;
  }

  /** Content words of an expression. A view: do not modify. */
  wordsOf(expression: number): Int32Array {
    const { wordStarts, wordIds } = this.#facts;
    return wordIds.subarray(wordStarts[expression], wordStarts[expression + 1]);
  }

  /** Categories of a ref's targets, each once. */
  categoriesOf(ref: number): Int32Array {
    return this.#categoriesOfRef[ref] ?? none;
  }

  /** Categories of which some sentence says a word, each once. */
  categoriesSaying(word: number): readonly number[] {
    return this.#categoriesSaying[word] ?? [];
  }

  /** 0 to 0.98: how often a sentence says a word that another sentence of its ref says; towards the mean for rare words. */
  rate(word: number): number {
    return this.#rates[word] ?? rateWithoutPairs;
  }

  /** How often sentences about a category say a word; 0 for a category that no sentence is about. */
  plainShare(word: number, category: number): number {
    const tally = this.#of.get(category);
    const here = tally?.saying.get(word);
    return tally === undefined || here === undefined ? 0 : here / tally.sentences;
  }

  /**
   * How often sentences about a category of a ref's targets say a word, those of the ref left out: it would count for
   * itself. `weight` sentences of all categories are mixed in.
   */
  shareBesides(ref: number, word: number, category: number, weight: number): number {
    const { expressionStarts } = this.#facts;
    const [start, end] = [expressionStarts[ref]!, expressionStarts[ref + 1]!];
    let own = 0;
    for (let row = start; row < end; row++) if (this.#says(row, word)) own++;
    const overall = (this.#saying[word]! - own) / Math.max(1, this.#sentences - (end - start));
    const tally = this.#tallyOf(category);
    const here = (tally.saying.get(word) ?? 0) - own;
    return (here + overall * weight) / (tally.sentences - (end - start) + weight);
  }

  /** For each word v: what another sentence that says v tells of this word. Shared: do not modify. */
  evidence(word: number): Float32Array {
    return this.#evidence.of(word, () => this.#gatherEvidence(word));
  }

  #gatherEvidence(word: number): Float32Array {
    const { words, expressionStarts } = this.#facts;
    const together = new Float32Array(words.length);
    const expected = new Float32Array(words.length);
    const touched = new Set<number>();
    for (const ref of this.#refsSaying[word] ?? []) {
      const [start, end] = [expressionStarts[ref]!, expressionStarts[ref + 1]!];
      for (const category of this.categoriesOf(ref)) touched.add(category);
      for (let row = start; row < end; row++) {
        if (!this.#says(row, word)) continue;
        for (let other = start; other < end; other++)
          if (other !== row) for (const v of this.wordsOf(other)) together[v] = together[v]! + 1;
      }
    }
    for (const category of touched) {
      const tally = this.#of.get(category);
      if (tally === undefined || tally.sentences === 0) continue;
      const { pairs, sentences, words: said, counts } = tally;
      const share = (tally.saying.get(word) ?? 0) / sentences;
      for (let at = 0; at < said.length; at++) {
        const v = said[at]!;
        expected[v] = expected[v]! + (share * pairs * counts[at]!) / sentences;
      }
    }
    for (let v = 0; v < together.length; v++)
      together[v] = (together[v]! + evidencePrior) / (expected[v]! + evidencePrior);
    for (const colour of closeColours(words[word] ?? "")) {
      const id = this.ids.get(colour);
      if (id !== undefined) together[id] = Math.max(leastOfClose, together[id]!);
    }
    return together;
  }

  /**
   * Words that name a category though its name does not hold them ("kitty" for a cat): said of no other, and true of most
   * of its objects, as far as can be told from who says them.
   */
  learnNames(category: number): number[] {
    const tally = this.#of.get(category);
    if (tally === undefined || tally.sentences < leastSentences) return [];
    return [...tally.saying].flatMap(([word, count]) => {
      const isOwn = count >= leastSaid && count >= 0.9 * this.#saying[word]!;
      return isOwn && count / tally.sentences / this.rate(word) >= leastNamed ? [word] : [];
    });
  }

  /**
   * Categories in whose name's place a word stands, as "animal" and "kitty" do and "brown" does not: sentences about the
   * category that say it seldom say another of its `names`. Asked with the same names each time.
   */
  nounOf(word: number, names: ReadonlyMap<number, ReadonlySet<number>>): ReadonlySet<number> {
    let nouns = this.#nouns.get(word);
    if (nouns === undefined) {
      nouns = this.#findNouns(word, names);
      this.#nouns.set(word, nouns);
    }
    return nouns;
  }

  #findNouns(word: number, names: ReadonlyMap<number, ReadonlySet<number>>): Set<number> {
    const { expressionStarts } = this.#facts;
    const counts = new Map<number, { saying: number; named: number }>();
    for (const ref of this.#refsSaying[word] ?? [])
      for (const category of this.categoriesOf(ref)) {
        const own = names.get(category);
        const count = counts.get(category) ?? { saying: 0, named: 0 };
        counts.set(category, count);
        for (let row = expressionStarts[ref]!; row < expressionStarts[ref + 1]!; row++) {
          if (!this.#says(row, word)) continue;
          count.saying++;
          if (this.wordsOf(row).some((other) => other !== word && own?.has(other))) count.named++;
        }
      }
    const nouns = new Set<number>();
    for (const [category, { saying, named }] of counts) if (saying >= 2 && named <= 0.15 * saying) nouns.add(category);
    return nouns;
  }

  #says(expression: number, word: number): boolean {
    const { wordStarts, wordIds } = this.#facts;
    const end = wordStarts[expression + 1]!;
    for (let at = wordStarts[expression]!; at < end; at++) if (wordIds[at] === word) return true;
    return false;
  }

  #tallyOf(category: number): Tally {
    const known = this.#of.get(category) ?? {
      sentences: 0,
      pairs: 0,
      saying: new Map<number, number>(),
      words: none,
      counts: none,
    };
    this.#of.set(category, known);
    return known;
  }
}

/**
 * Evidence of the words asked for last: one table has a number for each word, so that all of them would take the square
 * of the vocabulary (400 MB for RefCOCO's).
 */
class EvidenceCache {
  readonly #tables = new Map<number, Float32Array>();
  readonly #most: number;

  constructor(words: number, bytes: number) {
    this.#most = Math.max(16, Math.floor(bytes / (4 * Math.max(1, words))));
  }

  of(word: number, make: () => Float32Array): Float32Array {
    let table = this.#tables.get(word);
    if (table === undefined) {
      table = make();
      if (this.#tables.size >= this.#most)
        for (const [oldest] of this.#tables) {
          this.#tables.delete(oldest);
          break;
        }
    } else this.#tables.delete(word);
    this.#tables.set(word, table); // behind all others
    return table;
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
