import { rleBox } from "../kernels/index.ts";
import { areConfusable } from "../language/index.ts";
import type { Pool } from "../pool/index.ts";

type Box = readonly [x: number, y: number, width: number, height: number];

/** What is annotated in an image, looked at for targets of one category. */
export class Picture {
  readonly category: string;
  /** Objects of the category, and such as may be taken for it. */
  readonly alike: readonly number[];
  readonly hasCrowd: boolean;
  readonly isOnly: boolean;
  readonly #pool: Pool;
  readonly image: number;
  readonly #targets: readonly number[];
  readonly #present: ReadonlySet<string>;
  #box: Box | undefined;

  constructor(pool: Pool, image: number, targets: readonly number[], category: string) {
    const rows = Array.from(pool.annotationsOfImage(image));
    const categoryOf = (row: number): string => pool.annotations.category[row] ?? "";
    this.#pool = pool;
    this.image = image;
    this.#targets = targets;
    this.category = category;
    this.alike = rows.filter((row) => areConfusable(category, categoryOf(row)));
    this.hasCrowd = this.alike.some((row) => pool.annotations.isCrowd[row] === 1);
    this.isOnly = targets.length === 1 && this.alike.length === 1;
    this.#present = new Set(rows.map(categoryOf));
  }

  /** The same picture, looked at for other targets. */
  of(targets: readonly number[]): Picture {
    return new Picture(this.#pool, this.image, targets, this.category);
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
    const marks = Array.from(this.#pool.annotationsOfImage(this.image)).filter((row) => {
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
    const [x, y, width, height] = rleBox(this.#pool.mask(this.image, annotations));
    const [across, down] = [this.#pool.images.width[this.image] || 1, this.#pool.images.height[this.image] || 1];
    return [x / across, y / down, width / across, height / down];
  }
}

/** Shares of the image's side: the target's middle lies before the first, its end before the second. */
const plainMiddle = 0.35;
const plainEnd = 0.6;
