import type { PositionAxis } from "./finding.ts";
import * as lexicon from "./lexicon.ts";
import { findCounts } from "./ordinals.ts";
import { positionsOf } from "./positions.ts";
import { readTokens, type Token, textAt } from "./tokens.ts";
import { countWords } from "./words.ts";

/** What an expression is made of, for breakdowns and warnings. All by words: nothing is parsed. */
export interface ExpressionFeatures {
  /** Words as whitespace separates them. */
  readonly words: number;
  /** A word names a place in the picture or relative to a thing, its depth, or a count without a side. */
  readonly hasPositionWord: boolean;
  /** The axes of those words, each once, in the order of the text. */
  readonly positionKinds: readonly PositionAxis[];
  /** Every count, in the order of the text: 1 for the first, -1 for the last, -2 for the second to last. */
  readonly ordinals: readonly number[];
  /** "not", "without", "except", … */
  readonly hasNegation: boolean;
  /** A spatial relation to another thing: "next to", "behind", "left of the man". */
  readonly hasRelation: boolean;
  readonly hasColour: boolean;
  /** "biggest", "most": a comparison that other images of a mosaic can make false. */
  readonly hasSuperlative: boolean;
  /** "only", "alone": a claim that other images of a mosaic can make false. */
  readonly hasUniqueness: boolean;
  /** A word in plural form, or "both", "two", … stands in it; not necessarily the target. */
  readonly hasPlural: boolean;
}

/** The features of an expression. Any string is accepted; time is linear in its length. */
export function expressionFeatures(expression: string): ExpressionFeatures {
  const tokens = readTokens(expression);
  const placed = positionsOf(expression).mentions.filter(({ scope }) => scope === "absolute" || scope === "relative");
  const has = (test: (text: string, index: number) => boolean): boolean => tokens.some(({ text }, i) => test(text, i));
  return {
    words: countWords(expression),
    hasPositionWord: placed.length > 0,
    positionKinds: [...new Set(placed.map(({ axis }) => axis))],
    ordinals: findCounts(tokens).map(({ ordinal }) => ordinal),
    hasNegation: has(isNegation),
    hasRelation:
      placed.some(({ scope, axis }) => scope === "relative" && axis !== "order") ||
      has((text, i) => isRelation(tokens, text, i)),
    hasColour: has((text) => lexicon.colours.has(text)),
    hasSuperlative: has((text, i) => isSuperlative(tokens, text, i)),
    hasUniqueness: has((text) => lexicon.uniqueness.has(text)),
    hasPlural: has(isPlural),
  };
}

function isNegation(text: string): boolean {
  return lexicon.negators.has(text) || lexicon.exclusions.has(text) || lexicon.privatives.has(text);
}

function isRelation(tokens: readonly Token[], text: string, i: number): boolean {
  if (text === "next" || text === "closest" || text === "close") return textAt(tokens, i + 1) === "to";
  return lexicon.relations.has(text) && textAt(tokens, i + 1) !== "";
}

/** "leftmost" counts: it compares places. "most" after a direction is read as that. */
function isSuperlative(tokens: readonly Token[], text: string, i: number): boolean {
  if (lexicon.superlatives.has(text)) return text !== "main" || textAt(tokens, i + 1) !== "";
  return text.length > 5 && text.endsWith("est") && !lexicon.notSuperlatives.has(text);
}

function isPlural(text: string): boolean {
  if (lexicon.plurals.has(text)) return true;
  return text.length > 3 && text.endsWith("s") && !/(ss|us|is|'s)$/.test(text) && !lexicon.notPlurals.has(text);
}
