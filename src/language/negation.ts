import * as lexicon from "./lexicon.ts";
import { isEnd, skipAhead, type Token, textAt } from "./tokens.ts";

const article = new Set(["the", "a", "an", "one", "ones", "that", "this", "my", "your", "our"]);
const filler = new Set(["just", "really", "all", "way", "far", "very", "who", "is", "are", "located", "quite"]);
const placePrepositions = new Set(["on", "in", "at", "to"]);
const denying = new Set([
  "not",
  "isn't",
  "isnt",
  "aren't",
  "arent",
  "ain't",
  "aint",
  "wasn't",
  "wasnt",
  "never",
  "neither",
]);
const reach = 8;

/** A range of tokens that names a place. `end` is exclusive. */
export interface PlaceSpan {
  readonly end: number;
  readonly place: number;
}

/**
 * The numbers of the places that an expression denies: "not on the left", "not the man in red on the left", "any but
 * the top one". A "not" about something else ("not wearing a hat on the left") denies none.
 *
 * @param starts the places by the token that they start at; only absolute ones
 */
export function findDeniedPlaces(
  tokens: readonly Token[],
  starts: ReadonlyMap<number, PlaceSpan>,
): ReadonlySet<number> {
  const denied = new Set<number>();
  for (let i = 0; i < tokens.length; i++) {
    const text = textAt(tokens, i);
    if (denying.has(text)) follow(tokens, starts, i + 1, false, denied);
    else if (lexicon.exclusions.has(text) || isAllBut(text, textAt(tokens, i - 1))) {
      follow(tokens, starts, i + 1, true, denied);
    }
  }
  return denied;
}

/** "other than", "any but", "everyone but". */
function isAllBut(text: string, before: string): boolean {
  if (text === "than") return before === "other";
  return text === "but" && /^(any|anyone|anybody|anything|all|everyone|everybody|everything)$/.test(before);
}

/** Walks from a negator to the place that it denies, if it denies one. */
function follow(
  tokens: readonly Token[],
  starts: ReadonlyMap<number, PlaceSpan>,
  from: number,
  ofThing: boolean,
  denied: Set<number>,
): void {
  let thing = ofThing; // a noun phrase is being denied: everything within it belongs to the denied thing
  let limit = from + reach;
  for (let i = from; i < limit; i++) {
    const text = textAt(tokens, i);
    const place = starts.get(i);
    if (place !== undefined) {
      denied.add(place.place);
      if (!/^(or|nor|and)$/.test(textAt(tokens, place.end))) return;
      i = place.end;
      limit = i + reach;
    } else if (isEnd(text) || text === "but" || denying.has(text)) {
      return;
    } else if (article.has(text)) {
      thing = true;
    } else if (placePrepositions.has(text)) {
      const at = skipAhead(tokens, skipAhead(tokens, i + 1, article), filler);
      if (starts.has(at)) i = at - 1;
      else if (!thing) return;
    } else if (!filler.has(text) && !thing) {
      if (!lexicon.people.has(text)) return;
      thing = true;
    }
  }
}
