import { positionsOf } from "../language/index.ts";

/** An object of another image that could be what an expression names. */
export interface Possible {
  /** The chance that all words but those of choice are true of it. */
  readonly chance: number;
  /** The middle of its box as shares of the image's width and height. */
  readonly centre: () => readonly [x: number, y: number];
}

/** What an expression says of choice and place. */
export interface Choice {
  /** How many such things it takes: 3 for "third from left". */
  readonly least: number;
  readonly horizontal?: "left" | "center" | "right";
  readonly vertical?: "top" | "center" | "bottom";
}

/** Reads the words that choose among like things. A count from a side needs so many of them; where it is, it is at the side. */
export function choiceOf(sentence: string): Choice {
  const { mentions, horizontal, vertical } = positionsOf(sentence);
  const counts = mentions.map(({ ordinal, negated }) => (ordinal === undefined || negated ? 1 : Math.abs(ordinal)));
  const least = Math.max(1, ...counts);
  if (least > 1) return { least };
  return {
    least,
    ...(horizontal === undefined || horizontal === "conflict" ? {} : { horizontal }),
    ...(vertical === undefined || vertical === "conflict" ? {} : { vertical }),
  };
}

/**
 * The chance that some object is meant: that at least `least` of them are what the words say, objects being independent,
 * or that one of those at the place named is. At a side is what lies on that side of the middle of its like, and
 * where it is alone what is not in the opposite third; in the middle what lies in the middle third, or is the middle one.
 */
export function chanceOfAny(objects: readonly Possible[], choice: Choice): number {
  const { least, horizontal, vertical } = choice;
  if (objects.length < least) return 0;
  if (least > 1) return atLeast(objects, least);
  const isPlaced = horizontal !== undefined || vertical !== undefined;
  const placed = isPlaced ? objects.filter(placeTest(objects, choice)) : objects;
  return 1 - placed.reduce((none, { chance }) => none * (1 - chance), 1);
}

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

function placeTest(objects: readonly Possible[], { horizontal, vertical }: Choice): (object: Possible) => boolean {
  const highest = Math.max(...objects.map(({ chance }) => chance));
  const like = objects.filter(({ chance }) => chance >= highest / 2);
  const onAxis = (axis: 0 | 1, place: string | undefined): ((object: Possible) => boolean) => {
    if (place === undefined) return () => true;
    const places = like.map(({ centre }) => centre()[axis]).sort((a, b) => a - b);
    const [low, high] = [places[0] ?? 0.5, places.at(-1) ?? 0.5];
    const [first, last] = places.length > 1 ? [(low + high) / 2, (low + high) / 2] : [1 / 3, 2 / 3];
    if (place === "left" || place === "top") return ({ centre }) => centre()[axis] <= last;
    if (place === "right" || place === "bottom") return ({ centre }) => centre()[axis] >= first;
    const median = places.length > 2 ? places[places.length >> 1] : undefined;
    return ({ centre }) => Math.abs(centre()[axis] - 0.5) < 1 / 6 || centre()[axis] === median;
  };
  const [across, down] = [onAxis(0, horizontal), onAxis(1, vertical)];
  return (object) => across(object) && down(object);
}
