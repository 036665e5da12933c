import { type Direction, directionAt } from "./directions.ts";
import { chainLinks, sideNouns } from "./lexicon.ts";
import { type Token, textAt } from "./tokens.ts";

/** Directions that stand together and share one meaning: "top left", "right hand bottom corner". */
export interface Chain {
  readonly directions: readonly Direction[];
  /** Token index of the first direction. */
  readonly first: number;
  /** Token index of the last direction. */
  readonly last: number;
  /** Token index behind the side nouns that follow ("side", "hand corner"). */
  readonly end: number;
  /** A "corner" stands in or behind the chain. */
  readonly corner: boolean;
  /** A "most", "one" or "ones" follows: the chain picks out of a set. */
  readonly picks: boolean;
}

const linksAtMost = 3;

/** All chains of an expression, in order. */
export function findChains(tokens: readonly Token[]): Chain[] {
  const chains: Chain[] = [];
  for (let i = 0; i < tokens.length; ) {
    const direction = directionAt(tokens, i);
    if (direction === undefined) {
      i++;
      continue;
    }
    const chain = grow(tokens, direction);
    chains.push(chain);
    i = chain.last + 1;
  }
  return chains;
}

function grow(tokens: readonly Token[], head: Direction): Chain {
  const directions = [head];
  let last = head.index;
  if (!head.preposition) {
    for (let next = nextInChain(tokens, last); next !== undefined; next = nextInChain(tokens, last)) {
      directions.push(next);
      last = next.index;
    }
  }
  let end = last + 1;
  while (end <= last + linksAtMost && sideNouns.has(textAt(tokens, end))) end++;
  const between = (words: readonly string[]): boolean => {
    for (let i = head.index; i < end; i++) if (words.includes(textAt(tokens, i))) return true;
    return false;
  };
  return {
    directions,
    first: head.index,
    last,
    end,
    corner: between(["corner"]),
    picks: between(["most", "one", "ones"]),
  };
}

function nextInChain(tokens: readonly Token[], last: number): Direction | undefined {
  let i = last + 1;
  while (i <= last + linksAtMost && chainLinks.has(textAt(tokens, i))) i++;
  const next = directionAt(tokens, i);
  return next === undefined || next.preposition ? undefined : next;
}
