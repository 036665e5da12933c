/** Bins of 0.0001 over [-1, 1]: quantiles of any number of scores in fixed memory. Numbers that are not finite are passed over. */
export class ScoreQuantiles {
  readonly #bins = new Float64Array(binCount + 1);
  #count = 0;

  add(score: number): void {
    if (!Number.isFinite(score)) return;
    const bin = Math.max(0, Math.min(binCount, Math.floor((score + 1) / binWidth)));
    this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
    this.#count++;
  }

  /** Scores below which each of the shares that a mined set records lies; empty where nothing was added. */
  values(): Record<string, number> {
    const result: Record<string, number> = {};
    if (this.#count === 0) return result;
    for (const share of shares) {
      let below = 0;
      let bin = 0;
      while (bin < binCount && below + (this.#bins[bin] ?? 0) < share * this.#count) below += this.#bins[bin++] ?? 0;
      result[String(share)] = Math.round(((bin + 0.5) * binWidth - 1) * 10_000) / 10_000;
    }
    return result;
  }
}

const binWidth = 0.0001;
const binCount = 20_000;
const shares = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999];
