import { expressionFeatures } from "./features.ts";
import type { PositionMention } from "./finding.ts";
import * as lexicon from "./lexicon.ts";
import { positionsOf } from "./positions.ts";
import { tokenizeWords } from "./words.ts";

/** A side of the target: a further thing lies beyond it. */
export type Side = "left" | "right" | "above" | "below";

/**
 * Where one more thing of the target's kind, of which the words about looks are not true, may be put into the picture so that
 * the expression stays true of the target and of it alone: on each of these sides of it at once. `[]` means anywhere,
 * undefined means that no place is known.
 *
 * "Left dog" wants it to the right of the dog; so does "second dog from left", whose number it does not change there. A
 * comparison ("biggest", "only", "in front"), the middle, a corner, a denied place, a count without a side and a relation to
 * another thing leave no place.
 */
export function findFurtherPlaces(expression: string): readonly Side[] | undefined {
  const features = expressionFeatures(expression);
  if (features.hasRelation || comparesWithOthers(expression)) return undefined;
  const { mentions, reasons, corner, denied } = positionsOf(expression);
  if (reasons.length > 0 || corner || denied.length > 0) return undefined;
  // A count that no mention tells the side of.
  if (features.ordinals.some((count) => count < 1 || (count > 1 && !mentions.some(({ ordinal }) => ordinal === count))))
    return undefined;
  const sides = new Set<Side>();
  for (const mention of mentions) {
    if (mention.scope === "part" || mention.scope === "orientation") continue;
    const side = mention.scope === "absolute" ? sideAway(mention) : undefined;
    if (side === undefined) return undefined;
    sides.add(side);
  }
  return [...sides];
}

/**
 * True where the expression holds by comparison with other things of the kind, wherever they are: "biggest", "smaller", "only",
 * "in front". "Leftmost" compares places, and is none.
 */
export function comparesWithOthers(expression: string): boolean {
  const { hasSuperlative, hasUniqueness } = expressionFeatures(expression.replace(outermost, "$1"));
  if (hasSuperlative || hasUniqueness) return true;
  if (tokenizeWords(expression).some(({ text }) => lexicon.comparatives.has(text))) return true;
  return positionsOf(expression).mentions.some(({ axis, scope }) => axis === "depth" && scope === "absolute");
}

const outermost = /\b(left|right|top|bottom|upper|lower)[\s-]*most\b/gi;

function sideAway({ value, ordinal, negated }: PositionMention): Side | undefined {
  if (negated || (ordinal !== undefined && ordinal < 1)) return undefined;
  if (value === "left") return "right";
  if (value === "right") return "left";
  if (value === "top") return "below";
  return value === "bottom" ? "above" : undefined;
}
