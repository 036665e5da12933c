import { type EditCondition, editsOf, NameFinder, type SentenceEdit } from "../language/index.ts";
import type { Pool } from "../pool/index.ts";
import { Picture } from "./picture.ts";
import { SaidColours } from "./said-colours.ts";
import { SaidOfObjects } from "./said-of-objects.ts";
import { isWithin, type WordBag, wordBag } from "./word-bags.ts";

/** A true sentence with one thing changed, and the category that it is then about. */
export interface EditedSentence extends SentenceEdit {
  readonly category: string;
}

/**
 * True sentences with one thing changed, checked by a pool's annotations and sentences so that they are true of nothing in their
 * image (docs/negatives.md). Only where annotations are complete does it say anything that nothing is annotated.
 */
export class EditedSentences {
  readonly #pool: Pool;
  readonly #finder: NameFinder;
  /** Categories that are annotated often enough for their absence to say something. */
  readonly #categories: readonly string[];
  readonly #said: SaidOfObjects;
  readonly #refsOfImage = new Map<number, number[]>();
  readonly #colours: SaidColours;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#colours = new SaidColours(pool);
    this.#said = new SaidOfObjects(pool);
    const counts = new Map<string, number>();
    for (const category of pool.annotations.category)
      if (category) counts.set(category, (counts.get(category) ?? 0) + 1);
    const all = [...counts.keys()].sort();
    this.#categories = all.filter((category) => (counts.get(category) ?? 0) >= leastAnnotated);
    this.#finder = new NameFinder(all);
    for (let ref = 0; ref < pool.refs.count; ref++) {
      const image = pool.refs.image[ref] ?? 0;
      const refs = this.#refsOfImage.get(image);
      if (refs === undefined) this.#refsOfImage.set(image, [ref]);
      else refs.push(ref);
    }
  }

  /** True where an image shows an object of a category, or one that may be taken for it. */
  shows(image: number, category: string): boolean {
    return !new Picture(this.#pool, image, [], category).lacks(category);
  }

  /** Every change of an expression's sentence that is true of nothing in its image; none for a no-target expression. */
  of(expression: number): EditedSentence[] {
    const pool = this.#pool;
    const ref = pool.expressions.ref[expression] ?? 0;
    const image = pool.refs.image[ref] ?? 0;
    const targets = Array.from(pool.targetsOfRef(ref));
    const category = pool.annotations.category[targets[0] ?? -1] ?? "";
    if (category === "" || targets.some((row) => pool.annotations.category[row] !== category)) return [];
    const sentence = pool.expressions.sent[expression] ?? "";
    const picture = new Picture(pool, image, targets, category);
    const subject = { category, targets: targets.length, categories: this.#categories };
    const hold = editsOf(sentence, subject, this.#finder).filter(({ condition }) => this.#isMet(condition, picture));
    if (hold.length === 0) return [];
    const own = this.#bagsOf(image);
    return nearestCounts(hold).flatMap((edit) => {
      const bag = wordBag(edit.text);
      if (own.some((said) => isWithin(bag, said))) return [];
      const { kind, condition } = edit;
      const names = kind === "noun" && condition.holds === "absent" ? condition.category : category;
      return [{ ...edit, category: names }];
    });
  }

  #isMet(condition: EditCondition, picture: Picture): boolean {
    switch (condition.holds) {
      case "absent":
        return picture.lacks(condition.category);
      case "fewer":
        return !picture.hasCrowd && picture.alike.length < condition.than;
      case "at":
        return picture.isOnly && picture.isPlainlyAt(condition.side);
      case "beside":
        return picture.isOnly && picture.isPlainlyBeside(condition.side, condition.category);
      case "faces":
        return !picture.hasCrowd && picture.alike.every((row) => this.#said.isFacing(row, condition.side));
      case "colour":
        return this.#isOtherColour(condition, picture);
      case "size":
        return (
          picture.isOnly && (condition.size === "big" ? picture.share >= plainlyBig : picture.share <= plainlySmall)
        );
      case "called":
        return (
          !picture.hasCrowd &&
          picture.alike.every((row) => this.#said.says(row, condition.said) && !this.#said.says(row, condition.words))
        );
    }
  }

  #isOtherColour({ colour, ofPart }: EditCondition & { holds: "colour" }, picture: Picture): boolean {
    if (ofPart && !picture.isOnly) return false;
    // A colour that nobody says of such things gives itself away.
    const { category, image } = picture;
    return this.#colours.isUsual(category, colour) && this.#colours.isOther(image, category, colour);
  }

  /** What is said of anything in an image. */
  #bagsOf(image: number): WordBag[] {
    return (this.#refsOfImage.get(image) ?? []).flatMap((ref) => {
      if (this.#pool.targetsOfRef(ref).length === 0) return [];
      const [start, end] = this.#pool.expressionsOfRef(ref);
      return this.#pool.expressions.sent.slice(start, end).map(wordBag);
    });
  }
}

const leastAnnotated = 5;
/** Shares of the image that nobody would call small, or big. */
const plainlyBig = 0.15;
const plainlySmall = 0.02;

/** Of the counts that would be false, only the least stays: it is the one that asks to count. */
function nearestCounts(edits: readonly SentenceEdit[]): SentenceEdit[] {
  const least = Math.min(...edits.flatMap(({ condition }) => (condition.holds === "fewer" ? [condition.than] : [])));
  return edits.filter(({ condition }) => condition.holds !== "fewer" || condition.than === least);
}
