import { positionsOf } from "../language/index.ts";

/** Where objects lie and how large they are, as shares of their image. */
export interface Boxes {
  /** Middles from the left and from the top. */
  readonly across: Float64Array;
  readonly down: Float64Array;
  /** Of the image's area; NaN where the box is not measured yet, and after `measure` where it is not known. */
  readonly share: Float64Array;
  /** Fills in the box of an object. */
  measure(object: number): void;
}

/** Objects of an image that could be what an expression names, each with its chance. One list serves image after image. */
export class PossibleObjects {
  count = 0;
  /** Per place in the list: the object, and the chance that all words but those of choice are true of it. */
  readonly objects: Int32Array;
  readonly chances: Float64Array;
  readonly #boxes: Boxes;
  /** What is left of each chance at the place that is asked for. */
  readonly #placed: Float64Array;
  /** Middles of like objects, ascending. */
  readonly #middles: Float64Array;
  /** Per count: the chance that so many are meant. */
  readonly #counts: Float64Array;

  /** `most`: objects at a time. */
  constructor(most: number, boxes: Boxes) {
    this.#boxes = boxes;
    this.objects = new Int32Array(most);
    this.chances = new Float64Array(most);
    this.#placed = new Float64Array(most);
    this.#middles = new Float64Array(most);
    this.#counts = new Float64Array(most + 1);
  }

  add(object: number, chance: number): void {
    this.objects[this.count] = object;
    this.chances[this.count++] = chance;
  }

  /**
   * The chance that some object is meant: that at least `least` of them are what the words say, objects being independent,
   * or that one of those at the place named is. At a side is what lies on that side of the middle of its like, and
   * where it is alone what is not in the opposite third; in the middle what lies in the middle third, or is the middle one.
   * A comparison holds of one of two or more; one alone may still outdo the target in a mosaic, where its size says so.
   * Leaves the objects at the place.
   */
  chanceOfAny(choice: Choice): number {
    const { least, horizontal, vertical, compares } = choice;
    if (this.count < least) return 0;
    if (least > 1) return this.#chanceOfAtLeast(least);
    if (horizontal !== undefined || vertical !== undefined) this.#keepPlaced(choice);
    if (compares !== undefined) return this.#chanceOfComparison(choice);
    let none = 1;
    for (let at = 0; at < this.count; at++) none *= 1 - this.chances[at]!;
    return 1 - none;
  }

  #chanceOfComparison({ compares, ownShare = Number.NaN }: Choice): number {
    const several = this.count > 1 ? this.#chanceOfAtLeast(2) : 0;
    let alone = 0;
    for (let at = 0; at < this.count; at++) {
      let rest = 1;
      for (let other = 0; other < this.count; other++) if (other !== at) rest *= 1 - this.chances[other]!;
      const ratio = this.share(this.objects[at]!) / ownShare;
      const isOutdone = compares === "large" ? ratio < 1 / clearRatio : ratio > clearRatio;
      alone += this.chances[at]! * rest * (isOutdone ? 0 : chanceOutdoing);
    }
    return several + alone;
  }

  /** Sums over how many of the objects so far are meant; `least` stands for that many or more. */
  #chanceOfAtLeast(least: number): number {
    const counts = this.#counts.fill(0, 0, least + 1);
    counts[0] = 1;
    for (let at = 0; at < this.count; at++) {
      const chance = this.chances[at]!;
      for (let count = least; count > 0; count--) {
        const before = counts[count - 1]!;
        const stays = count === least ? 1 : 1 - chance;
        counts[count] = counts[count]! * stays + before * chance;
      }
      counts[0] = counts[0]! * (1 - chance);
    }
    return counts[least]!;
  }

  /** Keeps the objects at the place, each with its chance to be there. */
  #keepPlaced({ horizontal, vertical, isExtreme = false }: Choice): void {
    let highest = 0;
    for (let at = 0; at < this.count; at++) highest = Math.max(highest, this.chances[at]!);
    let like = 0;
    for (let at = 0; at < this.count; at++) if (this.chances[at]! >= highest / 2) like++;
    if (isExtreme && like === 1) return;
    for (let at = 0; at < this.count; at++) this.#placed[at] = this.chances[at]!;
    if (horizontal !== undefined) this.#weighAxis(this.#boxes.across, horizontal, highest / 2);
    if (vertical !== undefined) this.#weighAxis(this.#boxes.down, vertical, highest / 2);
    let kept = 0;
    for (let at = 0; at < this.count; at++) {
      const chance = this.#placed[at]!;
      if (!(chance > 0)) continue;
      this.objects[kept] = this.objects[at]!;
      this.chances[kept++] = chance;
    }
    this.count = kept;
  }

  #weighAxis(middles: Float64Array, side: Side, likely: number): void {
    const places = this.#middles;
    let like = 0;
    for (let at = 0; at < this.count; at++) {
      const middle = this.#middle(middles, this.objects[at]!);
      if (this.chances[at]! >= likely) insert(places, like++, middle);
    }
    const [low, high] = [places[0]!, places[like - 1]!];
    const [first, last] = like > 1 ? [(low + high) / 2, (low + high) / 2] : [1 / 3, 2 / 3];
    const median = like > 2 ? places[like >> 1]! : undefined;
    for (let at = 0; at < this.count; at++) {
      const middle = this.#middle(middles, this.objects[at]!);
      let weight = 0;
      if (side === "left" || side === "top") weight = middle <= last ? 1 : 0;
      else if (side === "right" || side === "bottom") weight = middle >= first ? 1 : 0;
      else if (Math.abs(middle - 0.5) < 1 / 6 || middle === median) weight = 1;
      else weight = like === 1 ? chanceOfOnlyOne : 0;
      this.#placed[at] = this.#placed[at]! * weight;
    }
  }

  #middle(middles: Float64Array, object: number): number {
    if (Number.isNaN(this.#boxes.share[object]!)) this.#boxes.measure(object);
    return middles[object]!;
  }

  /** The share of its image that an object takes; NaN where it is not known. */
  share(object: number): number {
    if (Number.isNaN(this.#boxes.share[object]!)) this.#boxes.measure(object);
    return this.#boxes.share[object]!;
  }
}

/** Puts a value into `count` ascending ones. */
function insert(values: Float64Array, count: number, value: number): void {
  let at = count;
  while (at > 0 && values[at - 1]! > value) {
    values[at] = values[at - 1]!;
    at--;
  }
  values[at] = value;
}

type Side = "left" | "center" | "right" | "top" | "bottom";

/** So many times as large is clearly larger. */
const clearRatio = 1.25;
/** Where one object alone is not clearly outdone by the target. */
const chanceOutdoing = 0.5;
/** Some people call the only one "in the middle" wherever it lies. */
const chanceOfOnlyOne = 0.25;

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
