import { pluralOf, wordsFor } from "./named-things.ts";
import { tokenizeWords, type Word } from "./words.ts";

/** Where a sentence names a category. */
export interface NamedSpan {
  readonly category: string;
  /** As the sentence has it, in lower case. */
  readonly words: string;
  readonly isPlural: boolean;
  /** UTF-16 offsets, end exclusive, and the same in words. */
  readonly span: readonly [start: number, end: number];
  readonly from: number;
  readonly to: number;
}

/** Words for categories that only sentences use; styles do not look at them. */
const alsoCalled: ReadonlyMap<string, readonly string[]> = new Map([
  ["dog", ["doggy", "doggie", "pup"]],
  ["cat", ["kitty"]],
  ["chair", ["seat"]],
  ["person", ["human"]],
  ["rabbit", ["bunny"]],
  ["cup", ["mug"]],
  ["car", ["automobile"]],
]);

/** Finds the categories that a sentence names, the longest name first, so that "hot dog" names no dog. No two overlap. */
export class NameFinder {
  /** By its first word: a name as words, longest first. */
  readonly #names = new Map<string, { words: string[]; category: string; isPlural: boolean }[]>();

  constructor(categories: Iterable<string>) {
    for (const category of categories) {
      const singulars = new Set([...wordsFor(category), ...(alsoCalled.get(category.toLowerCase()) ?? [])]);
      for (const singular of singulars) {
        const many = pluralOf(singular);
        this.#add(singular, category, false);
        // "men" is on the list beside "man".
        if (!singulars.has(many)) this.#add(many, category, true);
      }
    }
    for (const names of this.#names.values()) names.sort((a, b) => b.words.length - a.words.length);
  }

  find(sentence: string): NamedSpan[] {
    const words = tokenizeWords(sentence);
    const found: NamedSpan[] = [];
    for (let at = 0; at < words.length; ) {
      const name = (this.#names.get(words[at]?.text ?? "") ?? []).find((each) => isAt(words, at, each.words));
      if (name === undefined) {
        at++;
        continue;
      }
      const to = at + name.words.length;
      found.push({
        category: name.category,
        words: name.words.join(" "),
        isPlural: name.isPlural || pluralPeople.has(name.words[0] ?? ""),
        span: [words[at]?.start ?? 0, words[to - 1]?.end ?? 0],
        from: at,
        to,
      });
      at = to;
    }
    return found;
  }

  #add(name: string, category: string, isPlural: boolean): void {
    const words = tokenizeWords(name).map(({ text }) => text);
    const [first] = words;
    if (first === undefined) return;
    const known = this.#names.get(first) ?? [];
    this.#names.set(first, known);
    if (!known.some((each) => each.words.join(" ") === words.join(" "))) known.push({ words, category, isPlural });
  }
}

const pluralPeople = new Set("men women girls boys guys ladies kids children people".split(" "));

function isAt(words: readonly Word[], at: number, name: readonly string[]): boolean {
  return name.every((word, offset) => {
    const here = words[at + offset];
    return here?.text === word && (offset === 0 || !here.afterBreak);
  });
}
