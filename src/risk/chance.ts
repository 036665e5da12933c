/** The loops over an image's objects: nothing is allocated or looked up by name for a pair of an expression and an image. */
import type { RiskFacts } from "./facts.ts";
import { PossibleObjects } from "./meant-objects.ts";
import { canBeMeant, isTarget, type Query, readyPowers } from "./query.ts";
import type { SaidOfObjects } from "./said.ts";

/** What a query finds in images. */
export class ImageReader {
  readonly #facts: RiskFacts;
  readonly #said: SaidOfObjects;
  readonly #possible: PossibleObjects;

  /** `measure` fills in the box of an object where `facts` has none. */
  constructor(facts: RiskFacts, said: SaidOfObjects, measure: (object: number) => void) {
    const { objectStarts, across, down, share } = facts;
    let most = 0;
    for (let image = 0; image + 1 < objectStarts.length; image++)
      most = Math.max(most, objectStarts[image + 1]! - objectStarts[image]!);
    this.#facts = facts;
    this.#said = said;
    this.#possible = new PossibleObjects(most, { across, down, share, measure });
  }

  /** The share of its image that an object takes. */
  shareOf(object: number): number {
    return this.#possible.share(object);
  }

  /** `isTarget` where an image shows an object of a target's category, `canBeMeant` where one that can be meant; or both. */
  kindsOf({ kinds }: Query, image: number): number {
    const { kindStarts, kinds: categories } = this.#facts;
    const end = kindStarts[image + 1]!;
    let flags = 0;
    for (let at = kindStarts[image]!; at < end; at++) flags |= kinds[categories[at]!]!;
    return flags;
  }

  /** The chance that the query's expression is true of something in an image of which `kindsOf` says `canBeMeant`. */
  chanceIn(query: Query, image: number): number {
    const landmark = query.landmarks.length === 0 ? 1 : this.#chanceOfLandmarks(query, image);
    if (landmark === 0) return 0;
    const { objectStarts, category } = this.#facts;
    const { sentences } = this.#said;
    const { kinds, priorOf, unspoken, choice } = query;
    const possible = this.#possible;
    possible.count = 0;
    const end = objectStarts[image + 1]!;
    for (let object = objectStarts[image]!; object < end; object++) {
      const kind = category[object]!;
      if ((kinds[kind]! & canBeMeant) === 0) continue;
      const prior = priorOf[kind]!;
      const all = sentences[object] === 0 ? unspoken[prior]! : this.#chanceOfWords(query, prior, object);
      const chance = landmark * all;
      if (chance > 0) possible.add(object, chance);
    }
    return possible.count === 0 ? 0 : possible.chanceOfAny(choice);
  }

  /** The chance that all landmarks are there: those annotated are; others may be where there is more than the target's kind. */
  #chanceOfLandmarks({ landmarks, kinds }: Query, image: number): number {
    const { kindStarts, kinds: categories } = this.#facts;
    const [start, end] = [kindStarts[image]!, kindStarts[image + 1]!];
    let chance = 1;
    for (const isNamed of landmarks) {
      let found = 0;
      for (let at = start; at < end; at++) {
        const category = categories[at]!;
        if (isNamed[category] === 1) {
          found = 1;
          break;
        }
        if ((kinds[category]! & isTarget) === 0) found = chanceUnnoticed;
      }
      chance *= found;
    }
    return chance;
  }

  /** The chance that all words are true of an object of which something is said. */
  #chanceOfWords(query: Query, prior: number, object: number): number {
    const { words, rates, evidence, unsaid, chances, odds, nouns } = query;
    const { sentences, starts, words: said } = this.#said;
    const [start, end, count] = [starts[object]!, starts[object + 1]!, sentences[object]!];
    const first = prior * words.length;
    let all = 1;
    for (let at = 0; at < words.length; at++) {
      const chance = chances[first + at]!;
      if (chance === 0) return 0;
      if (chance === 1) continue;
      const table = evidence[at] ?? query.evidenceOf(at);
      const own = words[at]!;
      let lowest = 1;
      let highest = 1;
      let isSaid = false;
      for (let place = start; place < end; place++) {
        const word = said[place]!;
        if (word === own) {
          isSaid = true;
          break;
        }
        const ratio = table[word]!;
        if (ratio < lowest) lowest = ratio;
        else if (ratio > highest) highest = ratio;
      }
      if (isSaid) continue;
      const left = count < readyPowers ? unsaid[at * readyPowers + count]! : (1 - rates[at]!) ** count;
      const ratio =
        odds[first + at]! *
        (nouns[first + at] === 1 ? 1 : left) *
        Math.max(leastEvidence, lowest) *
        Math.min(mostEvidence, highest);
      all *= ratio / (1 + ratio);
    }
    return all;
  }
}

/** Datasets call one thing by several names ("couch", "bed") and leave small ones out. */
const chanceUnnoticed = 0.2;

/** People err, and an object may be both: no word excludes another for sure. */
const leastEvidence = 0.03;
const mostEvidence = 10;
