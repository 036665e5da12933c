import type { CandidateRow } from "./band.ts";

/** Means over expressions of what a negative is, drawn in one way. NaN where it is not known. */
export interface NegativeMeans {
  /** Text-to-image score. */
  readonly score: number;
  /** Estimated chance that the expression is true of it. */
  readonly risk: number;
  /** Estimated share that shows an object of the target's kind and of which the expression is not true: hard negatives. */
  readonly hard: number;
}

/** Adds up means of lists, each expression as much as any other. */
export class NegativeTally {
  #score = 0;
  #risk = 0;
  #hard = 0;
  #lists = 0;
  #rated = 0;

  /** `of` positions in the row; `outOf` images, of which those that are not listed score as the last at most. */
  add(row: CandidateRow, of: Int32Array, outOf: number = of.length): void {
    if (of.length === 0) return;
    let [score, risk, hard] = [0, 0, 0];
    for (const at of of) {
      score += row.t2i[at]!;
      const chance = row.risk?.[at] ?? Number.NaN;
      risk += chance;
      hard += row.showsKind?.[at] === 1 ? 1 - chance : 0;
    }
    const unlisted = Math.max(0, outOf - of.length);
    this.#score += (score + unlisted * row.t2i[row.t2i.length - 1]!) / (of.length + unlisted);
    this.#lists++;
    if (Number.isNaN(risk)) return;
    this.#risk += risk / of.length;
    this.#hard += hard / of.length;
    this.#rated++;
  }

  means(): NegativeMeans {
    const over = (sum: number, count: number): number => (count === 0 ? Number.NaN : sum / count);
    return {
      score: over(this.#score, this.#lists),
      risk: over(this.#risk, this.#rated),
      hard: over(this.#hard, this.#rated),
    };
  }
}
