import type { Loader } from "../loader/index.ts";
import { imageNumber, ownNumber, type Pool } from "../pool/index.ts";
import { categoryNumbers } from "./category-numbers.ts";
import type { Category } from "./exporter.ts";
import { refsOfSplit } from "./sequence.ts";

/** The numbers by which an export names things. */
export interface Identity {
  readonly categories: ReadonlyMap<string, Category>;
  /** Id of an original image by its row: the number in its file's name where all of those differ, else from the row. */
  imageId(row: number): number;
  /** The dataset's own id of a ref of an evaluation split, and of its sentence; undefined where they are no distinct numbers. */
  refId(row: number): number | undefined;
  sentenceId(row: number): number | undefined;
}

/** Finds out which of the datasets' own numbers can be kept; `evaluated` are the splits that are not drawn. */
export function identify(pool: Pool, evaluated: readonly Loader[]): Identity {
  const named = pool.images.path.map(imageNumber);
  const byName = distinct(named);
  const refs = evaluated.flatMap(refsOfSplit);
  const sentences = refs.flatMap((ref) => {
    const [start, end] = pool.expressionsOfRef(ref);
    return Array.from({ length: end - start }, (_, at) => start + at);
  });
  const keepsRefs = distinct(refs.map((ref) => ownNumber(pool.refs.id[ref])));
  const keepsSentences = distinct(sentences.map((row) => ownNumber(pool.expressions.id[row])));
  return {
    categories: categoryNumbers(pool.annotations.category),
    imageId: (row) => (byName ? (named[row] ?? row) : row + 1),
    refId: (row) => (keepsRefs ? ownNumber(pool.refs.id[row]) : undefined),
    sentenceId: (row) => (keepsSentences ? ownNumber(pool.expressions.id[row]) : undefined),
  };
}

function distinct(numbers: readonly (number | undefined)[]): boolean {
  return !numbers.includes(undefined) && new Set(numbers).size === numbers.length;
}
