import { isDirectionWord } from "./directions.ts";
import * as lexicon from "./lexicon.ts";
import { isEnd, skipAhead, type Token, textAt } from "./tokens.ts";

/** A count in an expression: its token, its number and where it starts. */
export interface Count {
  readonly index: number;
  /** 1 for the first, -1 for the last, -2 for the second to last. */
  readonly ordinal: number;
  /** What is counted from: a side or an unknown start, the depth of the scene, or a thing. */
  readonly from: "side" | "depth" | "thing";
}

const superlative =
  /^(biggest|largest|smallest|tallest|shortest|oldest|youngest|closest|nearest|farthest|furthest|longest)$/;

/** All counts of an expression, in order: "second", "3rd", "last", "two from the left". "Third base" is none. */
export function findCounts(tokens: readonly Token[]): Count[] {
  const counts: Count[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const ordinal = ordinalAt(tokens, i);
    const before = counts.at(-1);
    if (ordinal === -1 && before?.index === i - 2 && textAt(tokens, i - 1) === "to") {
      counts[counts.length - 1] = { ...before, ordinal: -before.ordinal, from: startOf(tokens, i) }; // "second to last"
    } else if (ordinal !== undefined) counts.push({ index: i, ordinal, from: startOf(tokens, i) });
  }
  return counts;
}

/** The number that a word or numeral from 1 to 999 names, or undefined. */
export function cardinalOf(text: string): number | undefined {
  const word = lexicon.cardinalWords.get(text);
  if (word !== undefined) return word;
  return beginsWithDigit(text) && /^[1-9]\d{0,2}$/.test(text) ? Number(text) : undefined;
}

function ordinalAt(tokens: readonly Token[], i: number): number | undefined {
  const text = textAt(tokens, i);
  const ordinal = lexicon.ordinalWords.get(text) ?? numeralOrdinal(text);
  if (ordinal !== undefined) return lexicon.ordinalSenses.has(textAt(tokens, i + 1)) ? undefined : ordinal;
  const cardinal = cardinalOf(text);
  if (cardinal === undefined) return undefined;
  const at = skipAhead(tokens, i + 1, lexicon.countSteps);
  if (textAt(tokens, at) !== "from") return undefined;
  const side = skipAhead(tokens, skipAhead(tokens, at + 1, lexicon.determiners), farWords);
  return isDirectionWord(textAt(tokens, side)) ? cardinal : undefined;
}

const farWords = new Set(["far", "very"]);

function numeralOrdinal(text: string): number | undefined {
  if (!beginsWithDigit(text)) return undefined;
  const match = /^([1-9]\d{0,2})(st|nd|rd|th)$/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

function beginsWithDigit(text: string): boolean {
  const code = text.charCodeAt(0);
  return code >= 48 && code <= 57;
}

/** Looks a few words ahead for what the count starts from. */
function startOf(tokens: readonly Token[], index: number): Count["from"] {
  const next = textAt(tokens, index + 1);
  if (superlative.test(next)) return "depth";
  for (let i = index + 1; i < index + 6; i++) {
    const text = textAt(tokens, i);
    if (isEnd(text)) break;
    if (text === "from") {
      const start = textAt(tokens, skipAhead(tokens, i + 1, lexicon.determiners));
      if (isDepth(start)) return "depth";
      return isEnd(start) || /^(far|very|end|edge|corner|side)$/.test(start) || isDirectionWord(start)
        ? "side"
        : "thing";
    }
    if (/^(behind|after|past|beyond)$/.test(text) && !isEnd(textAt(tokens, i + 1))) return "thing";
  }
  return "side";
}

function isDepth(text: string): boolean {
  return /^(front|back|rear|foreground|background|camera|us|me|viewer)$/.test(text);
}
