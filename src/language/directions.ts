import type { PositionAxis, PositionValue } from "./finding.ts";
import * as lexicon from "./lexicon.ts";
import { isEnd, skipAhead, type Token, textAt } from "./tokens.ts";

/** A token that names a side or the middle. */
export interface Direction {
  readonly index: number;
  readonly axis: PositionAxis;
  readonly value: PositionValue;
  /** "above" and "below": relations unless nothing follows. */
  readonly preposition: boolean;
}

interface Meaning extends Omit<Direction, "index"> {
  /** Whether the token at `index` is meant as a position and not in another sense. */
  readonly meant: (tokens: readonly Token[], index: number) => boolean;
}

/** The direction that the token at `index` names, or undefined; a word in another sense ("pink top") names none. */
export function directionAt(tokens: readonly Token[], index: number): Direction | undefined {
  const meaning = meanings.get(textAt(tokens, index));
  if (meaning === undefined || !meaning.meant(tokens, index)) return undefined;
  return { index, axis: meaning.axis, value: meaning.value, preposition: meaning.preposition };
}

/** True for words that can name a direction, in whatever sense. */
export function isDirectionWord(text: string): boolean {
  return meanings.has(text);
}

/** True where no noun phrase can begin with this word: the phrase before it is complete. */
export function endsPhrase(text: string): boolean {
  return isEnd(text) || lexicon.nonNouns.has(text) || (text.length > 4 && text.endsWith("ing"));
}

const always = (): boolean => true;
const horizontal = (value: PositionValue, meant: Meaning["meant"]): Meaning => {
  return { axis: "horizontal", value, preposition: false, meant };
};
const vertical = (value: PositionValue, meant: Meaning["meant"], preposition = false): Meaning => {
  return { axis: "vertical", value, preposition, meant };
};
const middle = (meant: Meaning["meant"]): Meaning => ({ axis: "both", value: "center", preposition: false, meant });

const meanings: ReadonlyMap<string, Meaning> = new Map([
  ["left", horizontal("left", isLeftSide)],
  ["right", horizontal("right", isRightSide)],
  ["top", vertical("top", isTopSide)],
  ["upper", vertical("top", always)],
  ["higher", vertical("top", always)],
  ["high", vertical("top", isHeight)],
  ["above", vertical("top", isNoView, true)],
  ["bottom", vertical("bottom", isBottomSide)],
  ["lower", vertical("bottom", always)],
  ["low", vertical("bottom", isHeight)],
  ["below", vertical("bottom", isNoView, true)],
  ["under", vertical("bottom", always, true)],
  ["underneath", vertical("bottom", always, true)],
  ["beneath", vertical("bottom", always, true)],
  ["middle", middle((tokens, i) => !lexicon.middleSenses.has(textAt(tokens, i + 1)))],
  ["center", middle(isCenter)],
  ["mid", middle((tokens, i) => isMidPlace(textAt(tokens, i + 1)))],
]);

function isLeftSide(tokens: readonly Token[], i: number): boolean {
  const before = textAt(tokens, i - 1);
  const after = textAt(tokens, i + 1);
  if (lexicon.sideSenses.has(after)) return false;
  if (lexicon.leftSenses.has(after) && !lexicon.positionLeads.has(before)) return false;
  return before !== "nothing" && before !== "anything" && before !== "been" && before !== "being";
}

function isRightSide(tokens: readonly Token[], i: number): boolean {
  const before = textAt(tokens, i - 1);
  const after = textAt(tokens, i + 1);
  if (before === "all" || lexicon.sideSenses.has(after)) return false;
  if (after === "of" && textAt(tokens, i + 2) === "way") return false;
  if (after === "side" && textAt(tokens, i + 2) === "up") return false;
  const adverb =
    lexicon.rightAdverbs.has(after) ||
    (after === "in" && (isFrontOf(tokens, i + 2) || isMiddlePhrase(tokens, i + 2))) ||
    (after === "on" && textAt(tokens, i + 2) === "top") ||
    (after === "up" && textAt(tokens, i + 2) === "front");
  if (!adverb) return true;
  // "right by the door" without a head before it is shorthand for the one on the right.
  if (isEnd(before)) return !isVerticalRelation(after);
  return lexicon.positionLeads.has(before) || isDirectionWord(before);
}

function isVerticalRelation(text: string): boolean {
  return meanings.get(text)?.preposition === true;
}

function isFrontOf(tokens: readonly Token[], i: number): boolean {
  return textAt(tokens, i) === "front" && textAt(tokens, i + 1) === "of";
}

function isMiddlePhrase(tokens: readonly Token[], i: number): boolean {
  const word = textAt(tokens, skipAhead(tokens, i, lexicon.determiners));
  return word === "middle" || word === "center";
}

function isTopSide(tokens: readonly Token[], i: number): boolean {
  const after = textAt(tokens, i + 1);
  if (lexicon.topNames.has(after)) return false;
  if (lexicon.topCompounds.has(textAt(tokens, i - 1)) && !isPlaceNoun(after)) return false;
  return !isGarment(tokens, i);
}

function isBottomSide(tokens: readonly Token[], i: number): boolean {
  return textAt(tokens, i - 1) !== "bikini" && textAt(tokens, i - 1) !== "bell" && !isGarment(tokens, i);
}

/** "pink top girl", "her top", "in a striped top": worn, unless a place or a thing follows ("white top shelf"). */
function isGarment(tokens: readonly Token[], i: number): boolean {
  const before = textAt(tokens, i - 1);
  const after = textAt(tokens, i + 1);
  if (isPlaceNoun(after)) return false;
  if (lexicon.possessives.has(before) || before === "wearing" || before === "wears") return true;
  if (before === "tank" || before === "crop" || before === "halter" || before === "tube") return true;
  if (before === "a" && lexicon.wearing.has(textAt(tokens, i - 2))) return true;
  if (!lexicon.colours.has(before) && !lexicon.garmentAdjectives.has(before)) return false;
  return endsPhrase(after) || lexicon.people.has(after);
}

function isPlaceNoun(text: string): boolean {
  return (
    lexicon.sideNouns.has(text) ||
    lexicon.verticalRowNouns.has(text) ||
    (isDirectionWord(text) && !isVerticalRelation(text))
  );
}

/** "high" and "low" are places at the end of a phrase only: not in "high chair", "flying high" or "high in the sky". */
function isHeight(tokens: readonly Token[], i: number): boolean {
  const before = textAt(tokens, i - 1);
  const after = textAt(tokens, i + 1);
  if (/ing$|^(knee|thigh|waist|sky|held|holds|shoulder|ankle)$/.test(before)) return false;
  if (after === "up" || after === "down") return endsPhrase(textAt(tokens, i + 2));
  return isEnd(after) || after === "left" || after === "right" || (after === "on" && !isEnd(before));
}

/** "seen from above" is a way of looking. */
function isNoView(tokens: readonly Token[], i: number): boolean {
  return textAt(tokens, i - 1) !== "from";
}

function isCenter(tokens: readonly Token[], i: number): boolean {
  return !lexicon.middleSenses.has(textAt(tokens, i + 1)) && !lexicon.centerCompounds.has(textAt(tokens, i - 1));
}

function isMidPlace(after: string): boolean {
  return ["left", "right", "top", "bottom", "row", "section", "picture", "photo"].includes(after);
}
