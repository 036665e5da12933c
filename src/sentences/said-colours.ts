import { areConfusable, plainColours, tokenizeWords } from "../language/index.ts";
import type { Pool } from "../pool/index.ts";
import { closeColours } from "../risk/index.ts";

/**
 * The colours that sentences say of each annotated object, as sets of bits: a colour is known not to be an object's only where
 * another is said of it. Most things have several, and nobody says all of them.
 */
export class SaidColours {
  readonly #pool: Pool;
  /** Per annotation: plain colours that are said of it, and these with all that are close to what is said. */
  readonly #said: Uint16Array;
  readonly #may: Uint16Array;
  /** By category: how many sentences about it say each plain colour. */
  readonly #counts = new Map<string, Map<string, number>>();

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#said = new Uint16Array(pool.annotations.count);
    this.#may = new Uint16Array(pool.annotations.count);
    for (let ref = 0; ref < pool.refs.count; ref++) {
      const [target, another] = pool.targetsOfRef(ref);
      if (target === undefined || another !== undefined) continue;
      const counts = this.#countsOf(pool.annotations.category[target] ?? "");
      const [start, end] = pool.expressionsOfRef(ref);
      for (let row = start; row < end; row++)
        for (const colour of coloursIn(pool.expressions.sent[row] ?? "")) {
          const bit = bitOf(colour);
          this.#said[target] = (this.#said[target] ?? 0) | bit;
          this.#may[target] = (this.#may[target] ?? 0) | bit | closeBits(colour);
          counts.set(colour, (counts.get(colour) ?? 0) + 1);
        }
    }
  }

  /** True where a colour is said of things of a category often enough to be one that they have. */
  isUsual(category: string, colour: string): boolean {
    return (this.#counts.get(category)?.get(colour) ?? 0) >= leastSaid;
  }

  /** True where every object of an image that is of a category, or may be taken for one, is said to be of other colours alone. */
  isOther(image: number, category: string, colour: string): boolean {
    const bit = bitOf(colour);
    for (const row of this.#pool.annotationsOfImage(image)) {
      const present = this.#pool.annotations.category[row] ?? "";
      if (present !== "" && !areConfusable(category, present)) continue;
      if (bit === 0 || this.#pool.annotations.isCrowd[row] === 1) return false;
      if (this.#said[row] === 0 || ((this.#may[row] ?? 0) & bit) !== 0) return false;
    }
    return true;
  }

  #countsOf(category: string): Map<string, number> {
    const known = this.#counts.get(category) ?? new Map<string, number>();
    this.#counts.set(category, known);
    return known;
  }
}

/** The colour words of a sentence, "gray" as "grey"; those that are not plain are told by what they are close to. */
export function coloursIn(sentence: string): string[] {
  const found: string[] = [];
  for (const { text } of tokenizeWords(sentence)) {
    const colour = text === "gray" ? "grey" : text;
    if (bitOf(colour) !== 0 || closeColours(colour).size > 0) found.push(colour);
  }
  return found;
}

const leastSaid = 3;
const bits = new Map(plainColours.map((colour, at) => [colour, 1 << at]));

function bitOf(colour: string): number {
  return bits.get(colour) ?? 0;
}

function closeBits(colour: string): number {
  let sum = 0;
  for (const close of closeColours(colour)) sum |= bitOf(close);
  return sum;
}
