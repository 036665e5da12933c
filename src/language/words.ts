/** One word of a text. `start` and `end` are UTF-16 offsets into the text, end exclusive. */
export interface Word {
  /** Lower case, typographic apostrophes made plain. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** True where punctuation that ends a clause stands between the word before and this one. */
  readonly afterBreak: boolean;
}

const wordPart = /[\p{L}\p{M}\p{N}]/u;
const clauseBreak = new Set([",", ".", ";", ":", "!", "?", "(", ")"]);
const apostrophes = new Set(["'", "’", "`"]);

/**
 * Splits a text into words: runs of letters, marks and digits, with apostrophes inside ("man's", "o'clock"). Hyphens and
 * slashes separate. Any string is accepted; time is linear in its length.
 */
export function tokenizeWords(text: string): Word[] {
  const words: Word[] = [];
  let start = -1;
  let afterBreak = false;
  for (let i = 0; i < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(i) ?? 0);
    const next = i + character.length;
    if (isWordPart(character)) {
      if (start < 0) start = i;
    } else if (start >= 0 && !(apostrophes.has(character) && isWordPart(text.charAt(next)))) {
      words.push(word(text, start, i, afterBreak));
      start = -1;
      afterBreak = clauseBreak.has(character);
    } else if (start < 0 && clauseBreak.has(character)) {
      afterBreak = true;
    }
    i = next;
  }
  if (start >= 0) words.push(word(text, start, text.length, afterBreak));
  return words;
}

/** The number of words as people count them: what whitespace separates and holds a letter or digit ("t-shirt" is one). */
export function countWords(text: string): number {
  let count = 0;
  let counted = false;
  for (let i = 0; i < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(i) ?? 0);
    if (character.trim() === "") counted = false;
    else if (!counted && isWordPart(character)) {
      counted = true;
      count++;
    }
    i += character.length;
  }
  return count;
}

function isWordPart(character: string): boolean {
  const code = character.charCodeAt(0);
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90);
  return wordPart.test(character);
}

function word(text: string, start: number, end: number, afterBreak: boolean): Word {
  return { text: text.slice(start, end).toLowerCase().replace(/[’`]/g, "'"), start, end, afterBreak };
}
