import { type SparseRows, sparseRows } from "./sparse-rows.ts";
import { contentWords } from "./words.ts";

/** What a dataset says about one image: all its expressions and the categories of all its annotations. */
export interface ImageWords {
  readonly texts: readonly string[];
  readonly categories: readonly string[];
}

/**
 * Relevance by words, without any model: **not CLIP**. It knows what people wrote and annotated, never what the picture
 * shows.
 */
export interface LexicalIndex {
  /** Words in order of code units; a word's place is its column. */
  readonly vocabulary: readonly string[];
  /** [vocabulary], rarity of each word over the images. */
  readonly idf: Float32Array;
  /** One row an image, each of length 1 (or empty where nothing was said). */
  readonly images: SparseRows;
}

/** BM25's saturation of repeated words and its correction for long documents (Robertson and Zaragoza 2009, 3.4). */
const saturation = 1.2;
const lengthCorrection = 0.75;

/**
 * Builds image vectors: for a word that stands f times in the words of an image of length L,
 * idf · f · (k₁ + 1) / (f + k₁ · (1 - b + b · L / mean L)) with k₁ = 1.2, b = 0.75 and
 * idf = ln(1 + (N - n + ½) / (n + ½)), n of N images having the word; then each row to length 1. Deterministic.
 */
export function buildLexicalIndex(images: Iterable<ImageWords>): LexicalIndex {
  const counts: Map<string, number>[] = [];
  const lengths: number[] = [];
  const imagesWith = new Map<string, number>();
  for (const { texts, categories } of images) {
    const count = countWords([...texts, ...categories].flatMap(contentWords));
    counts.push(count);
    lengths.push([...count.values()].reduce((sum, n) => sum + n, 0));
    for (const word of count.keys()) imagesWith.set(word, (imagesWith.get(word) ?? 0) + 1);
  }
  const vocabulary = [...imagesWith.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const columnOf = new Map(vocabulary.map((word, column) => [word, column]));
  const idf = Float32Array.from(vocabulary, (word) => {
    const n = imagesWith.get(word) ?? 0;
    return Math.log(1 + (counts.length - n + 0.5) / (n + 0.5));
  });
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
  const rows = counts.map((count, image) => {
    const norm = saturation * (1 - lengthCorrection + (lengthCorrection * (lengths[image] ?? 0)) / (meanLength || 1));
    const weights = new Map<number, number>();
    for (const [word, f] of count) {
      const column = columnOf.get(word) ?? 0;
      weights.set(column, ((idf[column] ?? 0) * f * (saturation + 1)) / (f + norm));
    }
    return toLengthOne(weights);
  });
  return { vocabulary, idf, images: sparseRows(rows, vocabulary.length) };
}

/**
 * Vectors of expressions over the index's words: the idf of each distinct word, each row to length 1. A text without a
 * known word gives an empty row, which scores 0 with everything.
 */
export function lexicalQueries(index: LexicalIndex, texts: Iterable<string>): SparseRows {
  const columnOf = new Map(index.vocabulary.map((word, column) => [word, column]));
  const rows: Map<number, number>[] = [];
  for (const text of texts) {
    const weights = new Map<number, number>();
    for (const word of contentWords(text)) {
      const column = columnOf.get(word);
      if (column !== undefined) weights.set(column, index.idf[column] ?? 0);
    }
    rows.push(toLengthOne(weights));
  }
  return sparseRows(rows, index.vocabulary.length);
}

function countWords(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

function toLengthOne(weights: ReadonlyMap<number, number>): Map<number, number> {
  const length = Math.hypot(...weights.values());
  return new Map([...weights].map(([column, weight]) => [column, length > 0 ? weight / length : 0]));
}
