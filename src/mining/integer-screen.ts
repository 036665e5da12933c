import { InferenceSession, Tensor } from "onnxruntime-node";
import { fail } from "../model/index.ts";
import type { CandidateBlocks } from "./candidate-blocks.ts";
import { integerGraph } from "./gemm-graph.ts";
import { RowQuantiser } from "./row-kernel.ts";
import { roundingOf, type Screen, type ScreenBlock, type ScreenRows, type ScreenShape } from "./screen.ts";

const zero = 128;
const most = 127;

/**
 * Screening by products of 8-bit integers, three to four times as fast as float32 where the processor multiplies them four at a
 * time. With a mean μ of candidates (the first block's), a mean ν of rows (the sample's) and a weight a for each dimension (any
 * would do; good ones make errors small),
 *
 *   q·c = q·μ + ν·(c-μ) + Σ (q-ν)/a · (c-μ)a
 *
 * The first term is the same for all candidates of a row (its shift), the second is kept for each candidate, and the third is computed
 * from q̂ and ĉ, rounded to 127 steps of the largest entry. By Cauchy and Schwarz it is off by at most
 * |q̃-q̂|·|c̃| + |q̂|·|c̃-ĉ|, whose factors are measured: a bound that holds for any vectors.
 *
 * `sample` [rows, dimension] are some of the rows to come. Keeps `dimension` bytes a candidate. Returns nothing where this machine's
 * integer product overflows (older vector units add pairs in 16 bits).
 */
export async function openIntegerScreen(
  blocks: CandidateBlocks,
  shape: ScreenShape,
  sample: Float32Array,
): Promise<Screen | undefined> {
  const { rows, columns, dimension, scouts } = shape;
  const whole = await openProduct(rows, columns, dimension);
  if (!(await isExact(shape, whole.score))) {
    await whole.close();
    return undefined;
  }
  const quantised = await orClose(quantisedCandidates(blocks, shape, sample), whole);
  let current: Tensor | undefined;
  const screen: Screen = {
    raw: "int32",
    prepare: (vectors, count) => quantisedRows(vectors, count, shape, quantised),
    async load(index) {
      const block = quantised.blocks[index] ?? fail("internal", `no block ${index} of ${quantised.blocks.length}`);
      current = block.tensor;
      return block;
    },
    score: ({ tensor }, scores) => whole.score(tensor, current as Tensor, scores),
    close: () => whole.close(),
  };
  if (scouts === 0) return screen;
  const sampled = scoutsOf(quantised, blocks.candidateCount, shape);
  const few = await orClose(openProduct(rows, scouts, dimension), whole);
  return {
    ...screen,
    loadScouts: () => sampled,
    scout: ({ tensor }, scores) => few.score(tensor, sampled.tensor, scores),
    async close() {
      await Promise.all([whole.close(), few.close()]);
    },
  };
}

/** What is awaited; the product is closed where it fails. */
async function orClose<T>(work: Promise<T>, product: Product): Promise<T> {
  try {
    return await work;
  } catch (error) {
    await product.close();
    throw error;
  }
}

interface Product {
  score(queries: Tensor, candidates: Tensor, scores: Tensor): Promise<void>;
  close(): Promise<void>;
}

async function openProduct(rows: number, columns: number, dimension: number): Promise<Product> {
  const session = await InferenceSession.create(integerGraph(rows, columns, dimension), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
  const zeroTensor = new Tensor("uint8", Uint8Array.of(zero), []);
  return {
    async score(queries, candidates, scores) {
      await session.run({ queries, candidates, zero: zeroTensor }, { scores });
    },
    close: () => session.release(),
  };
}

/** Candidates at even distances, quantised as they are in their blocks. */
function scoutsOf({ blocks }: Quantised, candidateCount: number, { scouts, columns, dimension }: ScreenShape) {
  const data = new Int8Array(dimension * scouts);
  const [scales, offsets] = [new Float32Array(scouts), new Float32Array(scouts)];
  for (let at = 0; at < scouts; at++) {
    const id = Math.floor((at * candidateCount) / scouts);
    const block = blocks[Math.floor(id / columns)] ?? fail("internal", `no block for candidate ${id}`);
    const column = id % columns;
    scales[at] = block.scales[column] as number;
    offsets[at] = block.offsets[column] as number;
    const source = block.tensor.data as Int8Array;
    for (let k = 0; k < dimension; k++) data[k * scouts + at] = source[k * columns + column] as number;
  }
  return { tensor: new Tensor("int8", data, [dimension, scouts]), scales, offsets };
}

/**
 * Whether the largest products and sums come out right: 255 · 127 and 255 · -127, neighbours of one sign. Where these do not
 * overflow, no others do. In 32 bits there is room for 66,000 dimensions.
 */
async function isExact({ rows, columns, dimension }: ScreenShape, score: Product["score"]): Promise<boolean> {
  const queries = new Uint8Array(rows * dimension).fill(zero + most);
  queries.fill(zero - most, dimension, 2 * dimension);
  const candidates = new Int8Array(dimension * columns);
  for (let at = 0; at < candidates.length; at++) candidates[at] = at % 2 === 0 ? most : -most;
  const scores = new Int32Array(rows * columns);
  await score(
    new Tensor("uint8", queries, [rows, dimension]),
    new Tensor("int8", candidates, [dimension, columns]),
    new Tensor("int32", scores, [rows, columns]),
  );
  const largest = most * most * dimension;
  for (let column = 0; column < columns; column++) {
    const expected = column % 2 === 0 ? largest : -largest;
    if (scores[column] !== expected || scores[columns + column] !== -expected) return false;
  }
  return true;
}

interface Quantised {
  readonly blocks: readonly (ScreenBlock & { readonly tensor: Tensor })[];
  readonly rows: RowQuantiser;
  /** The largest |c̃| and |c̃-ĉ| of all candidates. */
  readonly longest: number;
  readonly largestError: number;
}

async function quantisedCandidates(
  source: CandidateBlocks,
  { columns, dimension }: ScreenShape,
  sample: Float32Array,
): Promise<Quantised> {
  const first = (await source.load(0)).data as Float32Array;
  const candidates = momentsOf(first, Math.min(columns, source.candidateCount), dimension);
  const rows = momentsOf(sample, sample.length / dimension, dimension);
  // Both sides get entries of like size, so that no dimension wastes the steps of the others.
  const factors = Float32Array.from(candidates.deviation, (deviation, k) => {
    const factor = Math.sqrt(deviation / (rows.deviation[k] as number));
    return Number.isFinite(factor) && factor > 0 ? Math.min(64, Math.max(1 / 64, factor)) : 1;
  });
  const weights = Float64Array.from(factors, (factor) => 1 / factor);
  const blocks: (ScreenBlock & { tensor: Tensor })[] = [];
  let [longest, largestError] = [0, 0];
  const entries = new Float64Array(dimension);
  for (let index = 0; index < source.count; index++) {
    const data = (await source.load(index)).data as Float32Array;
    const transposed = new Int8Array(dimension * columns);
    const scales = new Float32Array(columns);
    const offsets = new Float32Array(columns);
    const valid = Math.min(columns, source.candidateCount - index * columns);
    // What is not there reaches no threshold.
    offsets.fill(Number.NEGATIVE_INFINITY, valid);
    for (let column = 0; column < valid; column++) {
      let [offset, length, largest] = [0, 0, 0];
      for (let k = 0, at = column * dimension; k < dimension; k++, at++) {
        const centred = (data[at] as number) - (candidates.mean[k] as number);
        const entry = centred * (weights[k] as number);
        entries[k] = entry;
        offset += centred * (rows.mean[k] as number);
        length += entry * entry;
        largest = Math.max(largest, Math.abs(entry));
      }
      const scale = Math.fround(largest / most);
      const inverse = scale > 0 ? 1 / scale : 0;
      let error = 0;
      for (let k = 0, at = column; k < dimension; k++, at += columns) {
        const entry = entries[k] as number;
        const step = stepOf(entry * inverse);
        transposed[at] = step;
        error += (entry - step * scale) ** 2;
      }
      scales[column] = scale;
      offsets[column] = offset;
      longest = Math.max(longest, length);
      largestError = Math.max(largestError, error);
    }
    blocks.push({ tensor: new Tensor("int8", transposed, [dimension, columns]), scales, offsets });
  }
  const quantiser = new RowQuantiser(rows.mean, factors, candidates.mean);
  return { blocks, rows: quantiser, longest: Math.sqrt(longest), largestError: Math.sqrt(largestError) };
}

function quantisedRows(
  vectors: Float32Array,
  count: number,
  { rows, dimension }: ScreenShape,
  { rows: quantiser, longest, largestError }: Quantised,
): ScreenRows {
  const data = new Uint8Array(rows * dimension).fill(zero);
  const scales = new Float32Array(count);
  const margins = new Float32Array(count);
  const shifts = new Float64Array(count);
  const found = { scale: 0, error: 0, length: 0, shift: 0 };
  for (let row = 0; row < count; row++) {
    const start = row * dimension;
    quantiser.quantise(vectors.subarray(start, start + dimension), data, start, found);
    scales[row] = found.scale;
    shifts[row] = found.shift;
    const length = Math.sqrt(found.length);
    const error = Math.sqrt(found.error);
    const bound = error * longest + length * largestError;
    // Of a score: the product as a float, times two scales, plus the offset; three roundings of q̃ and one of each step; 2⁻²⁴
    // each, and three times as much again. A shift is summed as exact scores are.
    const rounding = 2 * roundingOf(dimension) + (length + error) * (longest + largestError) * 2 ** -19;
    // The squares were summed in float32, each sum being off by at most (dimension/8 + 8) · 2⁻²⁴ of itself.
    margins[row] = 2 * (bound + rounding) * (1 + (dimension / 8 + 16) * 2 ** -23);
  }
  return { tensor: new Tensor("uint8", data, [rows, dimension]), scales, margins, shifts };
}

function stepOf(value: number): number {
  return Math.max(-most, Math.min(most, Math.round(value)));
}

function momentsOf(
  vectors: Float32Array,
  count: number,
  dimension: number,
): { readonly mean: Float32Array; readonly deviation: Float64Array } {
  const mean = new Float64Array(dimension);
  const deviation = new Float64Array(dimension);
  for (let row = 0, at = 0; row < count; row++) {
    for (let k = 0; k < dimension; k++, at++) mean[k] = (mean[k] as number) + (vectors[at] as number) / count;
  }
  for (let row = 0, at = 0; row < count; row++) {
    for (let k = 0; k < dimension; k++, at++) {
      deviation[k] = (deviation[k] as number) + ((vectors[at] as number) - (mean[k] as number)) ** 2 / count;
    }
  }
  return { mean: Float32Array.from(mean), deviation: deviation.map(Math.sqrt) };
}
