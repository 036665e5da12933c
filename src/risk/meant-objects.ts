import { positionsOf } from "../language/index.ts";

/** An object of another image that could be what an expression names. */
export interface Possible {
  /** The chance that all words but those of choice are true of it. */
  readonly chance: number;
  /** The middle of its box as shares of the image's width and height. */
  readonly centre: () => readonly [x: number, y: number];
  /** Its share of the image, 0 to 1; NaN where it is not known. */
  readonly share: () => number;
}

/** What an expression says of choice and place. */
export interface Choice {
  /** How many such things it takes: 3 for "third from left". */
  readonly least: number;
  readonly horizontal?: "left" | "center" | "right";
  readonly vertical?: "top" | "center" | "bottom";
  /** "leftmost", "far left", "first from the left": true of the only one wherever it lies. */
  readonly isExtreme?: boolean;
  /** "bigger" or "smaller": of at least two, and by how much of the image the target itself takes. */
  readonly compares?: "large" | "small";
  readonly ownShare?: number;
}

/**
 * Reads the words that choose among like things. A count from a side needs so many of them; where it is, it is at the
 * side. "Bigger" and "smaller" compare with another one; "biggest" may be the only one.
 */
export function choiceOf(sentence: string): Choice {
  const { mentions, horizontal, vertical } = positionsOf(sentence);
  const counts = mentions.map(({ ordinal, negated }) => (ordinal === undefined || negated ? 1 : Math.abs(ordinal)));
  const least = Math.max(1, ...counts);
  if (least > 1) return { least };
  const compares = comparison(sentence);
  const isPlaced = horizontal !== undefined || vertical !== undefined;
  return {
    least,
    ...(horizontal === undefined || horizontal === "conflict" ? {} : { horizontal }),
    ...(vertical === undefined || vertical === "conflict" ? {} : { vertical }),
    ...(isPlaced && extreme.test(sentence) ? { isExtreme: true } : {}),
    ...(compares === undefined ? {} : { compares }),
  };
}

const extreme = /\b(far|farthest|furthest|first|1st|last|\w+most|very|all the way|extreme|end)\b/i;

function comparison(sentence: string): Choice["compares"] {
  if (/\bthan\b/i.test(sentence)) return undefined; // "bigger than the dog": of another thing
  if (/\b(bigger|larger|taller)\b/i.test(sentence)) return "large";
  return /\b(smaller|shorter)\b/i.test(sentence) ? "small" : undefined;
}

/**
 * The chance that some object is meant: that at least `least` of them are what the words say, objects being independent,
 * or that one of those at the place named is. At a side is what lies on that side of the middle of its like, and
 * where it is alone what is not in the opposite third; in the middle what lies in the middle third, or is the middle one.
 * A comparison holds of one of two or more; one alone may still outdo the target in a mosaic, where its size says so.
 */
export function chanceOfAny(objects: readonly Possible[], choice: Choice): number {
  const { least, horizontal, vertical, compares } = choice;
  if (objects.length < least) return 0;
  if (least > 1) return atLeast(objects, least);
  const isPlaced = horizontal !== undefined || vertical !== undefined;
  const placed = isPlaced ? atPlace(objects, choice) : objects;
  if (compares !== undefined) return chanceOfComparison(placed, choice);
  return 1 - placed.reduce((none, { chance }) => none * (1 - chance), 1);
}

function chanceOfComparison(objects: readonly Possible[], { compares, ownShare = Number.NaN }: Choice): number {
  const several = objects.length > 1 ? atLeast(objects, 2) : 0;
  let alone = 0;
  for (const object of objects) {
    const rest = objects.reduce((none, other) => (other === object ? none : none * (1 - other.chance)), 1);
    const ratio = object.share() / ownShare;
    const isOutdone = compares === "large" ? ratio < 1 / clearRatio : ratio > clearRatio;
    alone += object.chance * rest * (isOutdone ? 0 : chanceOutdoing);
  }
  return several + alone;
}

/** So many times as large is clearly larger. */
const clearRatio = 1.25;
/** Where one object alone is not clearly outdone by the target. */
const chanceOutdoing = 0.5;

/** Sums over how many of the objects so far are meant; `least` stands for that many or more. */
function atLeast(objects: readonly Possible[], least: number): number {
  const chances = new Float64Array(least + 1);
  chances[0] = 1;
  for (const { chance } of objects) {
    for (let count = least; count > 0; count--) {
      const before = chances[count - 1] as number;
      const stays = count === least ? 1 : 1 - chance;
      chances[count] = (chances[count] as number) * stays + before * chance;
    }
    chances[0] = (chances[0] as number) * (1 - chance);
  }
  return chances[least] as number;
}

/** Keeps the objects at the place, each with its chance to be there. */
function atPlace(objects: readonly Possible[], choice: Choice): Possible[] {
  const { horizontal, vertical, isExtreme = false } = choice;
  const highest = Math.max(...objects.map(({ chance }) => chance));
  const like = objects.filter(({ chance }) => chance >= highest / 2);
  if (isExtreme && like.length === 1) return [...objects];
  const across = chanceOnAxis(like, 0, horizontal);
  const down = chanceOnAxis(like, 1, vertical);
  return objects.flatMap((object) => {
    const chance = object.chance * across(object) * down(object);
    return chance > 0 ? [{ ...object, chance }] : [];
  });
}

type Side = Choice["horizontal"] | Choice["vertical"];

function chanceOnAxis(like: readonly Possible[], axis: 0 | 1, side: Side): (object: Possible) => number {
  if (side === undefined) return () => 1;
  const places = like.map(({ centre }) => centre()[axis]).sort((a, b) => a - b);
  const [low, high] = [places[0] ?? 0.5, places.at(-1) ?? 0.5];
  const [first, last] = places.length > 1 ? [(low + high) / 2, (low + high) / 2] : [1 / 3, 2 / 3];
  if (side === "left" || side === "top") return ({ centre }) => (centre()[axis] <= last ? 1 : 0);
  if (side === "right" || side === "bottom") return ({ centre }) => (centre()[axis] >= first ? 1 : 0);
  const median = places.length > 2 ? places[places.length >> 1] : undefined;
  return ({ centre }) => {
    if (Math.abs(centre()[axis] - 0.5) < 1 / 6 || centre()[axis] === median) return 1;
    return like.length === 1 ? chanceOfOnlyOne : 0;
  };
}

/** Some people call the only one "in the middle" wherever it lies. */
const chanceOfOnlyOne = 0.25;
