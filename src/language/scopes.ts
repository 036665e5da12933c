import type { Chain } from "./chains.ts";
import { directionAt, endsPhrase, isDirectionWord } from "./directions.ts";
import type { PositionScope } from "./finding.ts";
import * as lexicon from "./lexicon.ts";
import { isEnd, skipAhead, type Token, textAt } from "./tokens.ts";

/** What a chain refers to. `consumed` is the token of a "center" that only anchors it ("right of center"). */
export interface ScopeDecision {
  readonly scope: PositionScope;
  readonly consumed?: number;
}

/** Decides whether a chain is a place in the picture or belongs to a thing, a body or a movement. */
export function scopeOf(tokens: readonly Token[], chain: Chain): ScopeDecision {
  if (chain.directions[0]?.preposition === true) {
    return { scope: isBarePreposition(tokens, chain) ? "absolute" : "relative" };
  }
  if (isReadingOrder(tokens, chain) || isOrientation(tokens, chain)) return { scope: "orientation" };
  if (isBodyPart(tokens, chain)) return { scope: "part" };
  const owned = ownedScope(tokens, chain);
  return owned === undefined ? anchoredScope(tokens, chain) : { scope: owned };
}

/** True for a possessive: "his", "man's"; not for "that's". */
export function isPossessive(text: string): boolean {
  return lexicon.possessives.has(text) || (text.endsWith("'s") && !lexicon.contractions.has(text));
}

/** "suitcase below" against "bowl below the spoon". */
function isBarePreposition(tokens: readonly Token[], { last }: Chain): boolean {
  const after = textAt(tokens, last + 1);
  return isDirectionWord(after) ? endsPhrase(textAt(tokens, last + 2)) : endsPhrase(after);
}

/** The second half of "left to right", which names the order of counting. */
function isReadingOrder(tokens: readonly Token[], { first, directions }: Chain): boolean {
  if (textAt(tokens, first - 1) !== "to") return false;
  const start = directionAt(tokens, first - 2);
  return start !== undefined && start.axis === directions[0]?.axis && start.value !== directions[0]?.value;
}

function isOrientation(tokens: readonly Token[], chain: Chain): boolean {
  if (chain.corner || chain.directions.some(({ value }) => value === "center")) return false;
  return isFacedBefore(tokens, chain) || isFacingAfter(tokens, chain);
}

/** "facing left", "turned to the right", "walking to the left", "head to the left". */
function isFacedBefore(tokens: readonly Token[], { first, last, directions }: Chain): boolean {
  let towards = false;
  let i = first - 1;
  for (; i >= first - 5; i--) {
    const text = textAt(tokens, i);
    if (/^(to|toward|towards)$/.test(text)) towards = true;
    else if (!(lexicon.directionLeads.has(text) || (towards && /^(up|down|away|back|out)$/.test(text)))) break;
  }
  const verb = textAt(tokens, i);
  if (/^(face|faces|point|points|heads)$/.test(verb) && directions[0]?.axis !== "horizontal") return false; // a noun
  if (lexicon.facing.has(verb)) return !lexicon.people.has(textAt(tokens, last + 1));
  return towards && (lexicon.moving.has(verb) || lexicon.facingNouns.has(verb));
}

/** "left facing cow" against "left facing camera" and "on left facing a man" (the left one, who faces it). */
function isFacingAfter(tokens: readonly Token[], { first, last, end }: Chain): boolean {
  const verb = textAt(tokens, end);
  const faced = textAt(tokens, end + 1);
  const turned = verb === "facing" || (verb === "looking" && lexicon.people.has(faced));
  if (end !== last + 1 || !turned) return false;
  const led = textAt(tokens, first - 1) === "the" ? textAt(tokens, first - 2) : textAt(tokens, first - 1);
  if (/^(on|to|at|in|far)$/.test(led) || lexicon.facedThings.has(faced)) return false;
  return isEnd(led) || isEnd(faced);
}

function isBodyPart(tokens: readonly Token[], chain: Chain): boolean {
  const { first, last } = chain;
  const side = textAt(tokens, last);
  if (isHalfBody(tokens, last)) return true;
  if (side !== "left" && side !== "right") return false;
  const at = /^(front|back|hind|rear)$/.test(textAt(tokens, last + 1)) ? last + 2 : last + 1;
  const noun = textAt(tokens, at);
  if (!lexicon.bodyNouns.has(noun)) return false;
  if (/ed$/.test(noun)) return true;
  if (/^(far|way|most)$/.test(textAt(tokens, first - 1))) return false;
  const after = textAt(tokens, at + 1);
  if (noun === "hand" && !endsPhrase(after) && !lexicon.postures.has(after)) return false;
  if (noun === "hand" && lexicon.handSideNouns.has(after)) return false;
  return isOwned(tokens, first, noun) || after === "of" || isPosed(tokens, at + 1);
}

/** "upper body", "bottom half torso". */
function isHalfBody(tokens: readonly Token[], last: number): boolean {
  const half = textAt(tokens, last + 1) === "half";
  if (!(half ? /^(upper|lower|top|bottom)$/ : /^(upper|lower)$/).test(textAt(tokens, last))) return false;
  return lexicon.upperBody.has(textAt(tokens, half ? last + 2 : last + 1));
}

/** Somebody's: "his left hand", "with the right arm", "the players left leg". */
function isOwned(tokens: readonly Token[], first: number, noun: string): boolean {
  let i = first - 1;
  while (i >= first - 2 && /^(the|a|an)$/.test(textAt(tokens, i))) i--;
  const before = textAt(tokens, i);
  if (isPossessive(before) || lexicon.lostPossessives.has(before)) return true;
  if (before === "on") return noun !== "hand";
  if (/^(with|w|in|has|have|having|whose|by|under|of|my|your|holds|wears)$/.test(before)) return true;
  return before.endsWith("ing") && !/^(standing|sitting|lying|laying)$/.test(before);
}

/** "raised", "up", "on hip"; "in the corner" or "on left" is no pose but a place. */
function isPosed(tokens: readonly Token[], i: number): boolean {
  const pose = textAt(tokens, i);
  if (!lexicon.postures.has(pose)) return false;
  if (pose !== "in" && pose !== "on") return true;
  const where = textAt(tokens, skipAhead(tokens, i + 1, lexicon.determiners));
  return (
    !isDirectionWord(where) && where !== "corner" && !/^(far|very)$/.test(where) && !lexicon.pictureNouns.has(where)
  );
}

/** "to his left" is relative, "her right shoe" a part; "our left" is the picture's. */
function ownedScope(tokens: readonly Token[], { first, last }: Chain): PositionScope | undefined {
  const before = textAt(tokens, first - 1);
  const after = textAt(tokens, last + 1);
  const complete = endsPhrase(after) || lexicon.sideNouns.has(after);
  if (isPossessive(before)) return complete ? "relative" : "part";
  if (!lexicon.lostPossessives.has(before) || !complete) return undefined;
  const lead = textAt(tokens, first - 2) === "the" ? textAt(tokens, first - 3) : textAt(tokens, first - 2);
  return /^(to|on|at|in|by)$/.test(lead) ? "relative" : undefined;
}

/** Decides by what follows: "of the man", "to the man", "from the man", "than the other". */
function anchoredScope(tokens: readonly Token[], chain: Chain): ScopeDecision {
  const link = textAt(tokens, chain.end);
  if (link === "than") return { scope: "relative" };
  if (link === "of") return scopeOfWhole(tokens, chain, chain.end + 1);
  if (link === "to" || link === "from") return scopeFromAnchor(tokens, chain.end + 1);
  if (link === "the" && textAt(tokens, chain.first - 1) === "on" && textAt(tokens, chain.last) === "top") {
    return { scope: "relative" }; // "on top the car"
  }
  return { scope: "absolute" };
}

function scopeOfWhole(tokens: readonly Token[], chain: Chain, start: number): ScopeDecision {
  if (isEnd(textAt(tokens, start)) || chain.picks || lexicon.partitives.has(textAt(tokens, start))) {
    return { scope: "absolute" };
  }
  const at = skipAhead(tokens, start, lexicon.determiners);
  const whole = textAt(tokens, at);
  if (lexicon.pictureNouns.has(whole) || lexicon.partitives.has(whole)) return { scope: "absolute" };
  const sideways = chain.directions.every(({ axis }) => axis === "horizontal");
  if (sideways && lexicon.rows.has(whole)) return { scope: "absolute" };
  if (isCenterAnchor(tokens, chain, at)) return { scope: "absolute", consumed: at };
  return { scope: "relative" };
}

/** "right of center", "left of the middle of the photo"; not "left of the middle man". */
function isCenterAnchor(tokens: readonly Token[], { directions }: Chain, at: number): boolean {
  if (!directions.some(({ axis }) => axis === "horizontal") || directionAt(tokens, at)?.value !== "center")
    return false;
  if (textAt(tokens, at + 1) !== "of") return endsPhrase(textAt(tokens, at + 1));
  return lexicon.pictureNouns.has(textAt(tokens, skipAhead(tokens, at + 2, lexicon.determiners)));
}

function scopeFromAnchor(tokens: readonly Token[], start: number): ScopeDecision {
  const anchor = textAt(tokens, skipAhead(tokens, start, lexicon.determiners));
  const unanchored =
    isEnd(textAt(tokens, start)) ||
    isDirectionWord(anchor) ||
    lexicon.pictureNouns.has(anchor) ||
    lexicon.frontWords.has(anchor) ||
    lexicon.backWords.has(anchor) ||
    /^(perspective|viewer|viewpoint|viewers|corner|far)$/.test(anchor);
  return { scope: unanchored ? "absolute" : "relative" };
}
