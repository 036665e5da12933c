import { isPersonWord, synonymsOf } from "./names.ts";
import { contentWords } from "./sentences.ts";
import type { WordStatistics } from "./word-statistics.ts";

/** By word (id) the categories (ids) that it names. */
export interface CategoryNames {
  /** Words that are true of every object of the category. */
  readonly exact: ReadonlyMap<number, ReadonlySet<number>>;
  /** Also words that name some of its objects: what a landmark by that word may be. */
  readonly landmark: ReadonlyMap<number, ReadonlySet<number>>;
  /** All of these, by category. */
  readonly words: ReadonlyMap<number, ReadonlySet<number>>;
}

/** The words of a category's name with their synonyms (names.ts), and those that a pool's sentences use as its name. */
export function namesOfCategories(categories: readonly string[], statistics: WordStatistics): CategoryNames {
  const exact = new Map<number, Set<number>>();
  const landmark = new Map<number, Set<number>>();
  const all = new Map<number, Set<number>>();
  const add = (to: Map<number, Set<number>>, word: number, category: number): void => {
    to.set(word, (to.get(word) ?? new Set()).add(category));
  };
  const people = [...statistics.ids].flatMap(([word, id]) => (isPersonWord(word) ? [id] : []));
  for (const [category, name] of categories.entries()) {
    const words = new Set<number>();
    const own = contentWords(name);
    for (const form of own.flatMap(synonymsOf)) {
      const id = statistics.ids.get(form);
      if (id !== undefined) words.add(id);
    }
    for (const word of statistics.learnNames(category)) words.add(word);
    for (const word of words) {
      add(exact, word, category);
      add(landmark, word, category);
    }
    if (own.includes("person"))
      for (const word of people) {
        add(landmark, word, category);
        words.add(word);
      }
    all.set(category, words);
  }
  return { exact, landmark, words: all };
}
