import { rleBox } from "../kernels/index.ts";
import {
  areConfusable,
  type EditCondition,
  editsOf,
  NameFinder,
  plainColours,
  positionsOf,
  type SentenceEdit,
  tokenizeWords,
} from "../language/index.ts";
import type { Pool } from "../pool/index.ts";
import { closeColours } from "../risk/index.ts";
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
  /** Per annotation that a ref of one target is about: the rows of its sentences. */
  readonly #about = new Map<number, number[]>();
  readonly #refsOfImage = new Map<number, number[]>();
  /** By category: how many sentences about it say each plain colour. */
  readonly #colours = new Map<string, Map<string, number>>();

  constructor(pool: Pool) {
    this.#pool = pool;
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
      const [target, another] = pool.targetsOfRef(ref);
      if (target === undefined || another !== undefined) continue;
      const [start, end] = pool.expressionsOfRef(ref);
      const about = this.#about.get(target) ?? [];
      this.#about.set(target, about);
      for (let row = start; row < end; row++) {
        about.push(row);
        this.#countColours(pool.annotations.category[target] ?? "", pool.expressions.sent[row] ?? "");
      }
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
        return !picture.hasCrowd && picture.alike.every((row) => this.#isFacing(row, condition.side));
      case "colour":
        return this.#isOtherColour(condition, picture);
      case "size":
        return (
          picture.isOnly && (condition.size === "big" ? picture.share >= plainlyBig : picture.share <= plainlySmall)
        );
      case "called":
        return (
          !picture.hasCrowd &&
          picture.alike.every(
            (row) => this.#says(row, new Set(condition.said)) && !this.#says(row, new Set(condition.words)),
          )
        );
    }
  }

  #isOtherColour({ colour, ofPart }: EditCondition & { holds: "colour" }, picture: Picture): boolean {
    if (picture.hasCrowd || (ofPart && !picture.isOnly)) return false;
    // A colour that nobody says of such things gives itself away.
    if ((this.#colours.get(picture.category)?.get(colour) ?? 0) < leastSaid) return false;
    const close = new Set([colour, ...closeColours(colour)]);
    if (colour === "grey") close.add("gray");
    const others = new Set([...plainColours, "gray"].filter((each) => !close.has(each)));
    return picture.alike.every((row) => this.#says(row, others) && !this.#says(row, close));
  }

  /** True where a sentence about an object says one of `words`. */
  #says(annotation: number, words: ReadonlySet<string>): boolean {
    return (this.#about.get(annotation) ?? []).some((row) =>
      tokenizeWords(this.#pool.expressions.sent[row] ?? "").some(({ text }) => words.has(text)),
    );
  }

  #isFacing(annotation: number, side: "left" | "right"): boolean {
    const said = new Set<string>();
    for (const row of this.#about.get(annotation) ?? [])
      for (const { scope, value } of positionsOf(this.#pool.expressions.sent[row] ?? "").mentions)
        if (scope === "orientation") said.add(value);
    return said.has(side) && said.size === 1;
  }

  /** What is said of anything in an image. */
  #bagsOf(image: number): WordBag[] {
    return (this.#refsOfImage.get(image) ?? []).flatMap((ref) => {
      if (this.#pool.targetsOfRef(ref).length === 0) return [];
      const [start, end] = this.#pool.expressionsOfRef(ref);
      return this.#pool.expressions.sent.slice(start, end).map(wordBag);
    });
  }

  #countColours(category: string, sentence: string): void {
    const counts = this.#colours.get(category) ?? new Map<string, number>();
    this.#colours.set(category, counts);
    for (const { text } of tokenizeWords(sentence)) {
      const colour = text === "gray" ? "grey" : text;
      if (plainColours.includes(colour)) counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
  }
}

const leastAnnotated = 5;
const leastSaid = 3;
/** Shares of the image that nobody would call small, or big. */
const plainlyBig = 0.15;
const plainlySmall = 0.02;
/** Shares of the image's side: the target's middle lies before the first, its end before the second. */
const plainMiddle = 0.35;
const plainEnd = 0.6;

/** Of the counts that would be false, only the least stays: it is the one that asks to count. */
function nearestCounts(edits: readonly SentenceEdit[]): SentenceEdit[] {
  const least = Math.min(...edits.flatMap(({ condition }) => (condition.holds === "fewer" ? [condition.than] : [])));
  return edits.filter(({ condition }) => condition.holds !== "fewer" || condition.than === least);
}

type Box = readonly [x: number, y: number, width: number, height: number];

/** What is annotated in an image, looked at for targets of one category. */
class Picture {
  readonly category: string;
  /** Objects of the category, and such as may be taken for it. */
  readonly alike: readonly number[];
  readonly hasCrowd: boolean;
  readonly isOnly: boolean;
  readonly #pool: Pool;
  readonly #image: number;
  readonly #targets: readonly number[];
  readonly #present: ReadonlySet<string>;
  #box: Box | undefined;

  constructor(pool: Pool, image: number, targets: readonly number[], category: string) {
    const rows = Array.from(pool.annotationsOfImage(image));
    const categoryOf = (row: number): string => pool.annotations.category[row] ?? "";
    this.#pool = pool;
    this.#image = image;
    this.#targets = targets;
    this.category = category;
    this.alike = rows.filter((row) => areConfusable(category, categoryOf(row)));
    this.hasCrowd = this.alike.some((row) => pool.annotations.isCrowd[row] === 1);
    this.isOnly = targets.length === 1 && this.alike.length === 1;
    this.#present = new Set(rows.map(categoryOf));
  }

  /** True where nothing is annotated that is of a category, or may be. An object without a category may be anything. */
  lacks(category: string): boolean {
    for (const present of this.#present) if (present === "" || areConfusable(category, present)) return false;
    return true;
  }

  /** The share of the image that the target covers, by its box. */
  get share(): number {
    const [, , width, height] = this.#boxOfTargets();
    return width * height;
  }

  isPlainlyAt(side: "left" | "right" | "top" | "bottom"): boolean {
    const [x, y, width, height] = this.#boxOfTargets();
    const [start, length] = side === "left" || side === "right" ? [x, width] : [y, height];
    const [from, size] = side === "left" || side === "top" ? [start, length] : [1 - start - length, length];
    return from + size / 2 <= plainMiddle && from + size <= plainEnd;
  }

  /** True where the one thing of another category lies wholly on the other side of the target's middle, and the reverse. */
  isPlainlyBeside(side: "left" | "right", category: string): boolean {
    const marks = Array.from(this.#pool.annotationsOfImage(this.#image)).filter((row) => {
      const present = this.#pool.annotations.category[row] ?? "";
      return present === "" || areConfusable(category, present);
    });
    const [mark] = marks;
    if (mark === undefined || marks.length > 1 || this.#pool.annotations.isCrowd[mark] === 1) return false;
    const [own, other] = [this.#boxOfTargets(), this.#boxOf([mark])];
    const [left, right] = side === "left" ? [own, other] : [other, own];
    return left[0] + left[2] / 2 < right[0] && left[0] + left[2] < right[0] + right[2] / 2;
  }

  #boxOfTargets(): Box {
    this.#box ??= this.#boxOf(this.#targets);
    return this.#box;
  }

  /** In shares of the image. */
  #boxOf(annotations: readonly number[]): Box {
    const [x, y, width, height] = rleBox(this.#pool.mask(this.#image, annotations));
    const [across, down] = [this.#pool.images.width[this.#image] || 1, this.#pool.images.height[this.#image] || 1];
    return [x / across, y / down, width / across, height / down];
  }
}
