/**
 * Candidates in 8-bit integers, and what makes rows so. With a mean μ of candidates (the first block's), a mean ν of rows (some
 * typical ones') and a weight a for each dimension (any would do; good ones make errors small),
 *
 *   q·c = q·μ + ν·(c-μ) + Σ (q-ν)/a · (c-μ)a
 *
 * The first term is the same for all candidates of a row (its shift), the second is kept for each candidate, and the third is computed
 * from q̂ and ĉ, rounded to 127 steps on either side. By Cauchy and Schwarz it is off by at most
 * |q̃-q̂|·|c̃| + |q̂|·|c̃-ĉ|, whose factors are measured: a bound that holds for any vectors.
 */
import type { CandidateBlocks } from "./candidate-blocks.ts";
import { mostSteps } from "./integer-product.ts";
import { RowQuantiser } from "./row-quantiser.ts";
import { type Margins, roundingOf, type ScreenBlock, type ScreenShape } from "./screen.ts";

/** Candidates in 8-bit integers, by blocks, and what makes rows so. */
export interface Quantised {
  readonly blocks: readonly ScreenBlock[];
  /** Gives each row a scale of its own. */
  readonly rows: RowQuantiser;
  /** Gives all rows `scale`, the best one for most of the typical ones. */
  readonly evenRows: RowQuantiser;
  readonly scale: number;
  /** The largest |c̃| and |c̃-ĉ| of all candidates. */
  readonly longest: number;
  readonly largestError: number;
}

/** No scale is smaller, so that what scores are made of can be told in units of two scales in 32 bits. */
const smallestScale = { candidate: 2 ** -16, row: 2 ** -12 };

/**
 * Quantises the candidates of `source`, block by block: `visit` gets the steps [dimension, columns] of each, which are not kept.
 * `typical` [rows, dimension] are some of the queries to come.
 */
export async function quantisedCandidates(
  source: CandidateBlocks,
  { columns, dimension }: ScreenShape,
  typical: Float32Array,
  visit: (index: number, block: ScreenBlock, steps: Int8Array) => Promise<void>,
): Promise<Quantised> {
  const first = (await source.load(0)).data as Float32Array;
  const candidates = momentsOf(first, Math.min(columns, source.candidateCount), dimension);
  const rows = momentsOf(typical, typical.length / dimension, dimension);
  // Both sides get entries of like size, so that no dimension wastes the steps of the others.
  const factors = Float32Array.from(candidates.deviation, (deviation, k) => {
    const factor = Math.sqrt(deviation / rows.deviation[k]!);
    return Number.isFinite(factor) && factor > 0 ? Math.min(64, Math.max(1 / 64, factor)) : 1;
  });
  const weights = Float64Array.from(factors, (factor) => 1 / factor);
  const blocks: ScreenBlock[] = [];
  let [longest, largestError] = [0, 0];
  const entries = new Float64Array(dimension);
  const transposed = new Int8Array(dimension * columns);
  for (let index = 0; index < source.count; index++) {
    const data = (await source.load(index)).data as Float32Array;
    transposed.fill(0);
    const scales = new Float32Array(columns).fill(1);
    const offsets = new Float32Array(columns);
    const valid = Math.min(columns, source.candidateCount - index * columns);
    // What is not there reaches no threshold.
    offsets.fill(Number.NEGATIVE_INFINITY, valid);
    for (let column = 0; column < valid; column++) {
      let [offset, length, largest] = [0, 0, 0];
      for (let k = 0, at = column * dimension; k < dimension; k++, at++) {
        const centred = data[at]! - candidates.mean[k]!;
        const entry = centred * weights[k]!;
        entries[k] = entry;
        offset += centred * rows.mean[k]!;
        length += entry * entry;
        largest = Math.max(largest, Math.abs(entry));
      }
      const scale = Math.max(smallestScale.candidate, Math.fround(largest / mostSteps));
      const inverse = 1 / scale;
      let error = 0;
      for (let k = 0, at = column; k < dimension; k++, at += columns) {
        const entry = entries[k]!;
        const step = stepOf(entry * inverse);
        transposed[at] = step;
        error += (entry - step * scale) ** 2;
      }
      scales[column] = scale;
      offsets[column] = offset;
      longest = Math.max(longest, length);
      largestError = Math.max(largestError, error);
    }
    blocks.push({ scales, offsets });
    await visit(index, { scales, offsets }, transposed);
  }
  const scale = scaleOf(typical, rows.mean, factors);
  const quantiser = (even?: number) => new RowQuantiser(rows.mean, factors, candidates.mean, even);
  return {
    blocks,
    rows: quantiser(),
    evenRows: quantiser(scale),
    scale,
    longest: Math.sqrt(longest),
    largestError: Math.sqrt(largestError),
  };
}

/**
 * Quantises `count` rows of `vectors` to bytes in `into`, both [rows, dimension]; their margins and shifts, and in `scales`, where
 * it is given, what their steps are worth.
 */
export function quantiseRows(
  quantiser: RowQuantiser,
  { longest, largestError }: Quantised,
  vectors: Float32Array,
  dimension: number,
  into: Uint8Array,
  scales?: Float32Array,
): Margins {
  const count = vectors.length / dimension;
  const margins = new Float32Array(count);
  const shifts = new Float64Array(count);
  const found = { scale: 0, error: 0, length: 0, shift: 0 };
  for (let row = 0; row < count; row++) {
    const start = row * dimension;
    quantiser.quantise(vectors.subarray(start, start + dimension), into, start, found);
    if (scales !== undefined) scales[row] = found.scale;
    shifts[row] = found.shift;
    const length = Math.sqrt(found.length);
    const error = Math.sqrt(found.error);
    const bound = error * longest + length * largestError;
    // Of a score: the product as a float, times two scales, plus the offset; three roundings of q̃ and one of each step; 2⁻²⁴
    // each, and three times as much again. A shift is summed as exact scores are.
    const rounding = 2 * roundingOf(dimension) + (length + error) * (longest + largestError) * 2 ** -19;
    // The squares were summed in float32, each sum being off by at most (dimension/4 + 8) · 2⁻²⁴ of itself, its root by half of that.
    margins[row] = 2 * (bound + rounding) * (1 + (dimension / 8 + 16) * 2 ** -23);
  }
  return { margins, shifts };
}

/**
 * Of the typical rows' largest entry and some shares of it, the scale that loses least: a mean over its rows in which bad ones weigh
 * heavily, as entries beyond the steps make them, since a wide margin costs more than a narrow one saves.
 */
function scaleOf(typical: Float32Array, mean: Float32Array, factors: Float32Array): number {
  const dimension = mean.length;
  const count = typical.length / dimension;
  const every = Math.max(1, Math.floor(count / 256));
  const few = new Float64Array(Math.ceil(count / every) * dimension);
  let largest = 0;
  for (let row = 0, at = 0; row < count; row += every) {
    for (let k = 0; k < dimension; k++, at++) {
      few[at] = (typical[row * dimension + k]! - mean[k]!) * factors[k]!;
      largest = Math.max(largest, Math.abs(few[at]!));
    }
  }
  let best = { scale: smallestScale.row, lost: Number.POSITIVE_INFINITY };
  for (const share of [1, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]) {
    const scale = Math.max(smallestScale.row, Math.fround((largest * share) / mostSteps));
    let lost = 0;
    for (let start = 0; start < few.length; start += dimension) {
      let error = 0;
      for (let at = start; at < start + dimension; at++) {
        error += (few[at]! - stepOf(few[at]! / scale) * scale) ** 2;
      }
      lost += error ** 4;
    }
    if (lost < best.lost) best = { scale, lost };
  }
  return best.scale;
}

function stepOf(value: number): number {
  return Math.max(-mostSteps, Math.min(mostSteps, Math.round(value)));
}

function momentsOf(
  vectors: Float32Array,
  count: number,
  dimension: number,
): { readonly mean: Float32Array; readonly deviation: Float64Array } {
  const mean = new Float64Array(dimension);
  const deviation = new Float64Array(dimension);
  for (let row = 0, at = 0; row < count; row++) {
    for (let k = 0; k < dimension; k++, at++) mean[k] = mean[k]! + vectors[at]! / count;
  }
  for (let row = 0, at = 0; row < count; row++) {
    for (let k = 0; k < dimension; k++, at++) {
      deviation[k] = deviation[k]! + (vectors[at]! - mean[k]!) ** 2 / count;
    }
  }
  return { mean: Float32Array.from(mean), deviation: deviation.map(Math.sqrt) };
}
