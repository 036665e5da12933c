/** Scores as they were counted: [bin, count], of bins 0 to `scoreBins`. */
export type ScoreCounts = readonly (readonly [bin: number, count: number])[];

/** The last bin's number. */
export const scoreBins = 20_000;

/** Counts scores of [-1, 1] in bins of 0.0001: quantiles of any number of scores in fixed memory, in any order. */
export class ScoreHistogram {
  readonly #bins = new Float64Array(scoreBins + 1);
  #count = 0;

  add(score: number): void {
    const bin = Math.max(0, Math.min(scoreBins, Math.floor((score + 1) / width)));
    this.#bins[bin] = this.#bins[bin]! + 1;
    this.#count++;
  }

  /** The bins that hold scores, as [bin, count], for `addCounts`. */
  counts(): [bin: number, count: number][] {
    return Array.from(this.#bins.entries()).filter(([, count]) => count > 0);
  }

  /** Adds what another histogram's `counts` gave: the sum is that of all scores. */
  addCounts(counts: ScoreCounts): void {
    for (const [bin, count] of counts) {
      if (!(bin >= 0 && bin <= scoreBins)) throw new RangeError(`a bin is from 0 to ${scoreBins}, got ${bin}`);
      this.#bins[bin] = this.#bins[bin]! + count;
      this.#count += count;
    }
  }

  /** Scores below which the shares 0.01, 0.05, … lie, each to four decimals; empty where nothing was added. */
  quantiles(): Record<string, number> {
    if (this.#count === 0) return {};
    const result: Record<string, number> = {};
    let below = 0;
    let next = 0;
    for (let bin = 0; bin <= scoreBins && next < shares.length; bin++) {
      below += this.#bins[bin]!;
      while (next < shares.length && below >= shares[next]! * this.#count) {
        result[String(shares[next])] = Math.round(((bin + 0.5) * width - 1) * 10_000) / 10_000;
        next++;
      }
    }
    return result;
  }
}

const width = 0.0001;
const shares = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999];
