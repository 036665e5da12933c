import { type Chain, findChains } from "./chains.ts";
import { summarize } from "./conclusion.ts";
import type { PositionAxis, PositionFinding, PositionMention, PositionScope, PositionValue } from "./finding.ts";
import { horizontalRowNouns, relationWords, verticalRowNouns } from "./lexicon.ts";
import { findDeniedPlaces, type PlaceSpan } from "./negation.ts";
import { type Count, findCounts } from "./ordinals.ts";
import { languageOf } from "./other-languages.ts";
import { otherPositionAt } from "./other-positions.ts";
import { scopeOf } from "./scopes.ts";
import { readTokens, type Token, textAt } from "./tokens.ts";

/** A mention while it is being worked out. */
interface Draft {
  /** Index of its token. */
  readonly index: number;
  /** Index behind its phrase. */
  readonly end: number;
  readonly value: PositionValue;
  readonly place: number;
  scope: PositionScope;
  axis: PositionAxis;
  negated: boolean;
  ordinal?: number;
}

/**
 * Finds the position words of a referring expression and what they say about its target's place in the picture.
 * docs/placement.md describes every class. The rules are for English: see other-languages.ts. Any string is accepted; time is linear in its length.
 */
export function positionsOf(expression: string): PositionFinding {
  const { isEnglish, namesPlace } = languageOf(expression);
  if (!isEnglish) return namesPlace ? { ...free, unsafe: true, reasons: ["unknown-language"] } : free;
  const tokens = readTokens(expression);
  const chains = findChains(tokens);
  const drafts = chainDrafts(tokens, chains);
  addOthers(tokens, chains, drafts);
  drafts.sort((a, b) => a.index - b.index);
  markDenied(tokens, drafts);
  settleMiddles(tokens, drafts);
  const unknownCount = attachCounts(findCounts(tokens), drafts);
  const binding = new Set(drafts.filter(isBinding).map(({ index }) => index));
  const corner = chains.some((chain) => chain.corner && binding.has(chain.first));
  return summarize(
    drafts.map((draft) => asMention(tokens, draft)),
    corner,
    unknownCount,
  );
}

const free: PositionFinding = { mentions: [], corner: false, denied: [], unsafe: false, reasons: [] };

/** True for a mention that can limit cells: of the picture, and not denied. */
function isBinding({ scope, negated }: Draft): boolean {
  return scope === "absolute" && !negated;
}

const placeGlue = new Set(["on", "in", "at", "the", "of"]);

function chainDrafts(tokens: readonly Token[], chains: readonly Chain[]): Draft[] {
  const drafts: Draft[] = [];
  const consumed = new Set<number>();
  let place = 0;
  chains.forEach((chain, i) => {
    const decision = scopeOf(tokens, chain);
    if (decision.consumed !== undefined) consumed.add(decision.consumed);
    const scope = consumed.has(chain.first) ? "relative" : decision.scope;
    const before = chains[i - 1];
    if (before !== undefined && !isGlued(tokens, before.end, chain.first)) place++;
    for (const { index, axis, value } of chain.directions) {
      drafts.push({ index, end: chain.end, axis, value, scope, negated: false, place });
    }
  });
  return drafts;
}

/** "on the left at the top" is one place: nothing but glue in between. */
function isGlued(tokens: readonly Token[], from: number, to: number): boolean {
  if (to - from > 3) return false;
  for (let i = from; i < to; i++) if (!placeGlue.has(textAt(tokens, i))) return false;
  return true;
}

function addOthers(tokens: readonly Token[], chains: readonly Chain[], drafts: Draft[]): void {
  let place = (drafts.at(-1)?.place ?? 0) + 1;
  let next = 0;
  for (let i = 0; i < tokens.length; i++) {
    const chain = chains[next];
    if (chain !== undefined && i >= chain.first) {
      i = chain.end - 1;
      next++;
      continue;
    }
    const other = otherPositionAt(tokens, i);
    if (other === undefined) continue;
    for (const { axis, value } of other.meanings) {
      drafts.push({ index: i, end: other.end, axis, value, scope: other.scope, negated: false, place });
    }
    place++;
  }
}

function markDenied(tokens: readonly Token[], drafts: readonly Draft[]): void {
  const starts = new Map<number, PlaceSpan>();
  for (const { index, end, place, scope, axis } of drafts) {
    if (scope === "absolute" && axis !== "depth") starts.set(index, { end, place });
  }
  const denied = findDeniedPlaces(tokens, starts);
  for (const draft of drafts) if (denied.has(draft.place) && draft.scope === "absolute") draft.negated = true;
}

/**
 * A middle is of both axes, of the row's axis ("middle shelf"), or of the axis that the directions beside it leave
 * ("top middle"). Behind a relation word ("left man near the middle tree") it is another thing's and stays of both.
 */
function settleMiddles(tokens: readonly Token[], drafts: readonly Draft[]): void {
  const middles = drafts.filter((draft) => draft.value === "center" && draft.scope === "absolute");
  if (middles.length === 0) return;
  for (const middle of middles) {
    const noun = textAt(tokens, middle.index + 1);
    if (verticalRowNouns.has(noun)) middle.axis = "vertical";
    else if (horizontalRowNouns.has(noun)) middle.axis = "horizontal";
  }
  const part = partsByRelation(tokens);
  const named = new Map<number, Set<PositionAxis>>();
  for (const draft of drafts) {
    if (draft.axis === "both" || draft.scope !== "absolute") continue;
    const key = partKey(part, draft);
    named.set(key, (named.get(key) ?? new Set()).add(draft.axis));
  }
  for (const middle of middles) {
    if (middle.axis !== "both") continue;
    const axes = named.get(partKey(part, middle));
    if (axes === undefined || axes.has("horizontal") === axes.has("vertical")) continue;
    middle.axis = axes.has("horizontal") ? "vertical" : "horizontal";
  }
}

/** The number of relation words before each token. */
function partsByRelation(tokens: readonly Token[]): readonly number[] {
  let parts = 0;
  return tokens.map(({ text }) => (relationWords.has(text) ? ++parts : parts));
}

/** Equal for mentions between the same relation words that are equally denied. */
function partKey(part: readonly number[], { index, negated }: Draft): number {
  return (part[index] ?? 0) * 2 + (negated ? 1 : 0);
}

/**
 * Gives each count to the side that it starts from: the nearest behind it, else the nearest before it. Returns true
 * where a count has no side, so that nobody can say whether it stays right.
 */
function attachCounts(counts: readonly Count[], drafts: Draft[]): boolean {
  const sides = drafts.filter(({ axis, value, scope, negated }) => {
    const side = (axis === "horizontal" || axis === "vertical") && value !== "center";
    return side && !negated && (scope === "absolute" || scope === "relative");
  });
  let unknown = false;
  let next = 0;
  for (const { index, ordinal, from } of counts) {
    while (next < sides.length && (sides[next]?.index ?? 0) < index) next++;
    const side = from === "side" ? (sides[next] ?? sides[next - 1]) : undefined;
    if (side !== undefined) {
      side.ordinal ??= ordinal;
      continue;
    }
    if (from === "side") unknown = true;
    drafts.push({
      index,
      end: index + 1,
      axis: "order",
      value: "ordinal",
      scope: from === "side" ? "absolute" : "relative",
      negated: false,
      place: (drafts.at(-1)?.place ?? 0) + 1,
      ordinal,
    });
  }
  drafts.sort((a, b) => a.index - b.index);
  return unknown;
}

function asMention(
  tokens: readonly Token[],
  { index, axis, value, scope, negated, place, ordinal }: Draft,
): PositionMention {
  const span = tokens[index]?.span ?? [0, 0];
  return { axis, value, span, scope, negated, place, ...(ordinal === undefined ? {} : { ordinal }) };
}
