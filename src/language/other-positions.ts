import { endsPhrase, isDirectionWord } from "./directions.ts";
import type { PositionAxis, PositionScope, PositionValue } from "./finding.ts";
import * as lexicon from "./lexicon.ts";
import { cardinalOf } from "./ordinals.ts";
import { isPossessive } from "./scopes.ts";
import { skipAhead, type Token, textAt } from "./tokens.ts";

/** A position that is no left, right, top, bottom or middle: depth, a bare corner or edge, an hour. */
export interface OtherPosition {
  readonly index: number;
  /** Token index behind it. */
  readonly end: number;
  readonly scope: PositionScope;
  readonly meanings: readonly { readonly axis: PositionAxis; readonly value: PositionValue }[];
}

/** The other position that begins at token `index`, or undefined. Tokens of chains are not to be asked for. */
export function otherPositionAt(tokens: readonly Token[], index: number): OtherPosition | undefined {
  return cornerAt(tokens, index) ?? edgeAt(tokens, index) ?? hourAt(tokens, index) ?? depthAt(tokens, index);
}

function cornerAt(tokens: readonly Token[], index: number): OtherPosition | undefined {
  const text = textAt(tokens, index);
  if ((text !== "corner" && text !== "corners") || lexicon.cornerSenses.has(textAt(tokens, index + 1)))
    return undefined;
  const scope = ofThing(tokens, index + 1) ? "relative" : "absolute";
  return { index, end: index + 1, scope, meanings: [{ axis: "both", value: "corner" }] };
}

const edgeNouns = new Set(["edge", "edges", "side", "border"]);

/** "edge of the photo": no edge in particular. The edge of a thing is no position word at all. */
function edgeAt(tokens: readonly Token[], index: number): OtherPosition | undefined {
  if (textAt(tokens, index + 1) !== "of" || !edgeNouns.has(textAt(tokens, index))) return undefined;
  if (ofThing(tokens, index + 1)) return undefined;
  return { index, end: index + 1, scope: "absolute", meanings: [{ axis: "both", value: "edge" }] };
}

/** "3 o'clock"; the time that a clock shows is none. */
function hourAt(tokens: readonly Token[], index: number): OtherPosition | undefined {
  const next = textAt(tokens, index + 1);
  if (next !== "oclock" && next !== "o") return undefined;
  const hour = cardinalOf(textAt(tokens, index));
  if (hour === undefined || hour > 12) return undefined;
  const end = next === "oclock" ? index + 2 : next === "o" && textAt(tokens, index + 2) === "clock" ? index + 3 : 0;
  if (end === 0 || /^(reads|reading|says|saying|shows|showing)$/.test(textAt(tokens, index - 1))) return undefined;
  const meanings: { axis: PositionAxis; value: PositionValue }[] = [];
  if (hour !== 12 && hour !== 6) meanings.push({ axis: "horizontal", value: hour < 6 ? "right" : "left" });
  if (hour !== 3 && hour !== 9) meanings.push({ axis: "vertical", value: hour > 3 && hour < 9 ? "bottom" : "top" });
  return { index, end, scope: ofThing(tokens, end) ? "relative" : "absolute", meanings };
}

function depthAt(tokens: readonly Token[], index: number): OtherPosition | undefined {
  const text = textAt(tokens, index);
  const value = lexicon.frontWords.has(text) ? "front" : lexicon.backWords.has(text) ? "back" : undefined;
  if (value === undefined || (/^(far|farthest|furthest)/.test(text) && isDirectionWord(textAt(tokens, index + 1)))) {
    return undefined;
  }
  return { index, end: index + 1, scope: depthScope(tokens, index), meanings: [{ axis: "depth", value }] };
}

function depthScope(tokens: readonly Token[], index: number): PositionScope {
  const before = textAt(tokens, index - 1);
  const after = textAt(tokens, index + 1);
  if (lexicon.facing.has(before)) return "orientation";
  if (isPossessive(before)) return "part";
  if (textAt(tokens, index) === "behind") return endsPhrase(after) ? "absolute" : "relative";
  if (textAt(tokens, index) === "back" && (lexicon.bodyNouns.has(after) || after === "to")) return "part";
  return (after === "of" || after === "to") && ofThing(tokens, index + 1, after) ? "relative" : "absolute";
}

/** True where "of" and something other than the picture or its viewer follow. */
function ofThing(tokens: readonly Token[], at: number, link = "of"): boolean {
  if (textAt(tokens, at) !== link) return false;
  const whole = textAt(tokens, skipAhead(tokens, at + 1, lexicon.determiners));
  return !lexicon.pictureNouns.has(whole) && whole !== "us" && whole !== "me" && whole !== "";
}
