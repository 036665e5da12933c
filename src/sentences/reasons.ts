/**
 * Why a sentence of the pool is false of an image that shows its kind. An estimate from words is not enough: what is seldom said, or
 * said of one thing by comparison with others, it takes for improbable. So something known has to speak against it:
 *
 *   landmark   a thing that the sentence names beside its target is not annotated there
 *   colour     everything of the kind is said to be of other colours
 *   count      there are fewer of the kind than it counts; "bigger" asks for two
 *   place      the only one of the kind lies plainly on the other side
 *   facing     everything of the kind is said to face the other way
 *   words      it says nothing of places, sizes and colours, and only what is often said: then the estimate holds
 *
 * A sentence that denies something has none, nor has one whose noun is said of something else that the image shows ("ball", made for a
 * soccer ball, beside a basketball).
 */
import {
  comparesWithOthers,
  expressionFeatures,
  NameFinder,
  type PositionMention,
  positionsOf,
  tokenizeWords,
} from "../language/index.ts";
import type { Pool } from "../pool/index.ts";
import { CalledBy } from "./called-by.ts";
import { sentenceKey } from "./candidates.ts";
import { Picture } from "./picture.ts";
import { coloursIn, SaidColours } from "./said-colours.ts";
import { SaidOfObjects } from "./said-of-objects.ts";
import { wordBag } from "./word-bags.ts";

/** What a sentence says that can be false. */
interface Claims {
  readonly denies: boolean;
  /** Other categories that it may be about, by its nouns. */
  readonly others: ReadonlySet<string>;
  readonly categories: readonly string[];
  readonly landmarks: readonly string[];
  readonly colours: readonly string[];
  readonly mentions: readonly PositionMention[];
  /** It tells one of two apart by size: "the bigger dog". */
  readonly asksForTwo: boolean;
  /** Every word is said often, and none places or compares. */
  readonly isPlain: boolean;
}

export class FalsityReasons {
  readonly #pool: Pool;
  readonly #finder: NameFinder;
  readonly #colours: SaidColours;
  readonly #said: SaidOfObjects;
  readonly #calledBy: CalledBy;
  /** How many refs say each word. */
  readonly #refsSaying = new Map<string, number>();
  #last: { readonly row: number; readonly claims: Claims } | undefined;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#finder = new NameFinder(new Set(pool.annotations.category.filter((name) => name !== "")));
    this.#colours = new SaidColours(pool);
    this.#said = new SaidOfObjects(pool);
    this.#calledBy = new CalledBy(pool, this.#finder);
    for (let ref = 0; ref < pool.refs.count; ref++) {
      const [start, end] = pool.expressionsOfRef(ref);
      const words = new Set(pool.expressions.sent.slice(start, end).flatMap((sentence) => [...wordBag(sentence)]));
      for (const word of words) this.#refsSaying.set(word, (this.#refsSaying.get(word) ?? 0) + 1);
    }
  }

  /** True where an expression's sentence is known to be false of an image, or the image shows nothing that it may be about. */
  has(expression: number, image: number): boolean {
    const claims = this.#claimsOf(expression);
    const { others } = claims;
    if (others.size > 0 && this.#categoriesOf(image).some((category) => others.has(category))) return false;
    const pictures = claims.categories.map((category) => new Picture(this.#pool, image, [], category));
    if (pictures.some((each) => each.category !== "" && each.lacks(each.category))) return true;
    if (claims.denies) return false;
    const [picture, another] = pictures;
    if (picture === undefined) return false;
    if (claims.isPlain) return true;
    if (claims.landmarks.some((category) => picture.lacks(category))) return true;
    if (another !== undefined) return false;
    const { category, alike } = picture;
    if (claims.asksForTwo && alike.length === 1 && !picture.hasCrowd) return true;
    if (claims.colours.some((colour) => this.#colours.isOther(image, category, colour))) return true;
    return claims.mentions.some((mention) => this.#isElsewhere(mention, picture, alike));
  }

  #categoriesOf(image: number): string[] {
    return Array.from(this.#pool.annotationsOfImage(image), (row) => this.#pool.annotations.category[row] ?? "");
  }

  #isElsewhere(mention: PositionMention, picture: Picture, alike: readonly number[]): boolean {
    const { scope, value, ordinal, negated } = mention;
    if (negated || picture.hasCrowd) return false;
    if (ordinal !== undefined) return scope === "absolute" && alike.length < Math.abs(ordinal);
    if (value !== "left" && value !== "right") return false;
    const other = value === "left" ? "right" : "left";
    if (scope === "orientation") return alike.every((row) => this.#said.isFacing(row, other));
    return scope === "absolute" && alike.length === 1 && picture.of(alike).isPlainlyAt(other);
  }

  /** Reasons are asked sentence by sentence: the last one is remembered. */
  #claimsOf(row: number): Claims {
    if (this.#last?.row === row) return this.#last.claims;
    const pool = this.#pool;
    const sentence = pool.expressions.sent[row] ?? "";
    const targets = Array.from(pool.targetsOfRef(pool.expressions.ref[row] ?? 0));
    const categories = [...new Set(targets.map((target) => pool.annotations.category[target] ?? ""))];
    const named = this.#finder.find(sentence);
    const { mentions } = positionsOf(sentence);
    const features = expressionFeatures(sentence);
    const colours = coloursIn(sentence);
    const compares =
      comparesWithOthers(sentence) ||
      features.hasSuperlative ||
      tokenizeWords(sentence).some(({ text }) => vague.has(text));
    const ownWords = new Set(named.flatMap(({ words }) => words.split(" ")));
    const isSaidOften = [...wordBag(sentenceKey(sentence))].every(
      (word) => ownWords.has(word) || (this.#refsSaying.get(word) ?? 0) >= leastRefs,
    );
    const says = [...wordBag(sentence)].some((word) => !ownWords.has(word));
    const claims: Claims = {
      denies: features.hasNegation,
      others: this.#calledBy.others(sentence, categories),
      categories,
      landmarks: named.flatMap(({ category }) => (categories.includes(category) ? [] : [category])),
      colours,
      mentions,
      asksForTwo: /\b(bigger|larger|smaller|taller|shorter)\b(?!.*\bthan\b)/i.test(sentence),
      isPlain:
        says && isSaidOften && !compares && colours.length === 0 && mentions.length === 0 && !features.hasRelation,
    };
    this.#last = { row, claims };
    return claims;
  }
}

const leastRefs = 10;
/** Words that people differ about, and contractions that say nothing. */
const vague = new Set(
  (
    "big large huge giant small little tiny tall short long high low wide old young new light dark bright near far close only alone single " +
    "that's it's who's there's main middle center centre"
  ).split(" "),
);
