import { repairs } from "./lexicon.ts";
import { tokenizeWords } from "./words.ts";

/** A word as the rules see it: slips repaired, joined forms taken apart ("topleft" is two tokens with one span). */
export interface Token {
  readonly text: string;
  readonly span: readonly [start: number, end: number];
}

/** The token that stands for the end of a clause. */
export const clauseEnd = ",";

/** The tokens of an expression, with `clauseEnd` wherever punctuation ends a clause. */
export function readTokens(expression: string): Token[] {
  const tokens: Token[] = [];
  for (const { text, start, end, afterBreak } of tokenizeWords(expression)) {
    if (afterBreak && tokens.length > 0) tokens.push({ text: clauseEnd, span: [start, start] });
    for (const part of repairs.get(text) ?? [text]) tokens.push({ text: part, span: [start, end] });
  }
  return tokens;
}

/** The text at `index`, or "" outside. */
export function textAt(tokens: readonly Token[], index: number): string {
  return tokens[index]?.text ?? "";
}

/** True at the end of the text or of a clause. */
export function isEnd(text: string): boolean {
  return text === "" || text === clauseEnd;
}

/** The first index from `index` on whose text is not in `words`. Looks at 6 tokens at most, so that rules stay linear. */
export function skipAhead(tokens: readonly Token[], index: number, words: ReadonlySet<string>): number {
  let i = index;
  while (i < index + 6 && words.has(textAt(tokens, i))) i++;
  return i;
}
