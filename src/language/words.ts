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
const clauseBreaks = ",.;:!?()";
const apostrophes = "'’`";

/**
 * Splits a text into words: runs of letters, marks and digits, with apostrophes inside ("man's", "o'clock"). Hyphens and
 * slashes separate. Any string is accepted; time is linear in its length.
 */
export function tokenizeWords(text: string): Word[] {
  const words: Word[] = [];
  let start = -1;
  let afterBreak = false;
  for (let i = 0; i < text.length; ) {
    const length = wordPartLength(text, i);
    if (length > 0) {
      if (start < 0) start = i;
      i += length;
      continue;
    }
    const mark = text.charAt(i);
    const inWord = start >= 0 && apostrophes.includes(mark) && wordPartLength(text, i + 1) > 0;
    if (start >= 0 && !inWord) {
      words.push(wordOf(text, start, i, afterBreak));
      start = -1;
      afterBreak = false;
    }
    if (start < 0 && clauseBreaks.includes(mark)) afterBreak = true;
    i++;
  }
  if (start >= 0) words.push(wordOf(text, start, text.length, afterBreak));
  return words;
}

/** The number of words as people count them: what whitespace separates and holds a letter or digit ("t-shirt" is one). */
export function countWords(text: string): number {
  let count = 0;
  let counted = false;
  for (let i = 0; i < text.length; ) {
    const length = wordPartLength(text, i);
    if (length > 0 && !counted) {
      counted = true;
      count++;
    } else if (length === 0 && text.charAt(i).trim() === "") {
      counted = false;
    }
    i += Math.max(length, 1);
  }
  return count;
}

/** UTF-16 length of the letter, mark or digit at `index`; 0 where there is none. */
function wordPartLength(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (code < 128) {
    return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90) ? 1 : 0;
  }
  if (Number.isNaN(code)) return 0;
  const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
  return wordPart.test(character) ? character.length : 0;
}

function wordOf(text: string, start: number, end: number, afterBreak: boolean): Word {
  const lower = text.slice(start, end).toLowerCase();
  return { text: /[’`]/.test(lower) ? lower.replace(/[’`]/g, "'") : lower, start, end, afterBreak };
}
