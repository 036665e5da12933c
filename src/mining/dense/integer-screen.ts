import { Tensor } from "onnxruntime-node";
import { fail } from "../../model/index.ts";
import type { CandidateBlocks } from "./candidate-blocks.ts";
import {
  type ByteProduct,
  type IntegerProduct,
  integersAreExact,
  modelBuffer,
  mostBias,
  openByteProduct,
  openIntegerProduct,
  zeroByte,
} from "./integer-product.ts";
import { type Quantised, quantisedCandidates, quantiseRows } from "./quantised-candidates.ts";
import type { ByteScreen, Frame, ScoreScreen, Screen, ScreenBlock, ScreenShape } from "./screen.ts";

/**
 * Screening by products of 8-bit integers (see `Quantised`), three to four times as fast as float32 where the processor multiplies
 * them four at a time: in bytes where there is a sample of candidates. `typical` [rows, dimension] are some of the queries to come.
 * Keeps `dimension` bytes a candidate, which onnxruntime's packing leaves in up to twice the memory. Returns nothing where this machine's integer product overflows.
 */
export async function openIntegerScreen(
  blocks: CandidateBlocks,
  shape: ScreenShape,
  typical: Float32Array,
): Promise<Screen | undefined> {
  if (!(await integersAreExact(shape.columns, shape.dimension))) return undefined;
  const products: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(products.map((product) => product.close()));
  };
  try {
    const open = shape.sampleSize > 0 ? openBytes : openScores;
    return { ...(await open(blocks, shape, typical, products)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Opened<T> = Omit<T, "close">;

async function openScores(
  blocks: CandidateBlocks,
  shape: ScreenShape,
  typical: Float32Array,
  opened: { close(): Promise<void> }[],
): Promise<Opened<ScoreScreen>> {
  const { columns, dimension } = shape;
  const rows = tileRows(shape, 4);
  const buffer = modelBuffer(dimension, columns);
  const products: IntegerProduct[] = [];
  const quantised = await quantisedCandidates(blocks, shape, typical, async (_, __, steps) => {
    const product = await openIntegerProduct(rows, dimension, steps, buffer);
    products.push(product);
    opened.push(product);
  });
  let current: IntegerProduct | undefined;
  return {
    manner: "scores",
    raw: "int32",
    rows,
    prepare(vectors, count) {
      const data = new Uint8Array(rows * dimension).fill(zeroByte);
      const scales = new Float32Array(count);
      const margins = quantiseRows(quantised.rows, quantised, vectors, dimension, data, scales);
      return { tensor: new Tensor("uint8", data, [rows, dimension]), scales, ...margins };
    },
    async load(index) {
      current = products[index] ?? fail("internal", `no block ${index} of ${products.length}, of ${columns} each`);
      return quantised.blocks[index];
    },
    score: ({ tensor }, scores) => (current as IntegerProduct).score(tensor, scores),
  };
}

async function openBytes(
  blocks: CandidateBlocks,
  shape: ScreenShape,
  typical: Float32Array,
  opened: { close(): Promise<void> }[],
): Promise<Opened<ByteScreen>> {
  const { dimension } = shape;
  const rows = tileRows(shape, 1);
  const sample = new Sample(blocks.candidateCount, shape);
  const buffer = modelBuffer(dimension, shape.columns);
  const products: ByteProduct[] = [];
  const quantised = await quantisedCandidates(blocks, shape, typical, async (index, block, steps) => {
    sample.take(index, block, steps);
    const product = await openByteProduct(rows, dimension, steps, block.scales, buffer);
    products.push(product);
    opened.push(product);
  });
  const few = await openIntegerProduct(rows, dimension, sample.steps);
  opened.push(few);
  const { scale } = quantised;
  return {
    manner: "bytes",
    rows,
    scale,
    sample,
    prepare(vectors, count) {
      const data = new Uint8Array(count * dimension);
      return { data, ...quantiseRows(quantised.evenRows, quantised, vectors, dimension, data) };
    },
    scoreSample: (tensor, scores) => few.score(tensor, scores),
    frame: (low, high) => frameOf(quantised, low, high),
    score(tensor, { biases, step }, index, bytes) {
      const product = products[index] ?? fail("internal", `no block ${index} of ${products.length}`);
      return product.score(tensor, scale, biases[index]!, step, bytes);
    },
  };
}

/**
 * Rows at a time: so few that their scores, of `bytes` each, stay in a second-level cache until they are looked at; a multiple of 64
 * where that is possible, since steps are of 2,048 expressions.
 */
function tileRows({ rows, columns }: ScreenShape, bytes: number): number {
  const fitting = tileBytes / (columns * bytes);
  const multiple = fitting < 64 ? 16 : 64;
  return Math.min(rows, Math.max(16, Math.floor(fitting / multiple) * multiple));
}
const tileBytes = 640 * 1024;

/** The offsets less `low` in whole steps of the products, so that bytes begin at 0 where scores are `low`. */
function frameOf({ blocks, scale }: Quantised, low: number, high: number): Frame {
  const step = Math.fround(Math.max((high - low) / 254, 2 ** -20));
  let largest = 0;
  let fits = true;
  const biases = blocks.map(({ scales, offsets }) => {
    const data = new Int32Array(scales.length);
    for (let column = 0; column < data.length; column++) {
      const perStep = scale * scales[column]!;
      const bias = Math.round((offsets[column]! - low) / perStep);
      if (bias > mostBias || bias < -mostBias) {
        // What pads the last block gives 0.
        data[column] = -mostBias;
        fits &&= bias === Number.NEGATIVE_INFINITY;
        continue;
      }
      data[column] = bias;
      if (perStep > largest) largest = perStep;
    }
    return new Tensor("int32", data, [1, data.length]);
  });
  // Half a step by rounding to bytes, half of a product's by rounding the bias, and what float32 loses of up to 255 steps and of a bias.
  const error = fits ? step * 0.502 + largest * 0.501 + 2 ** -20 : Number.POSITIVE_INFINITY;
  return { low, step, error, biases };
}

/** Candidates at even distances, quantised as they are in their blocks. */
class Sample implements ScreenBlock {
  readonly scales: Float32Array;
  readonly offsets: Float32Array;
  readonly steps: Int8Array;
  readonly #candidateCount: number;
  readonly #shape: ScreenShape;

  constructor(candidateCount: number, shape: ScreenShape) {
    this.#candidateCount = candidateCount;
    this.#shape = shape;
    this.scales = new Float32Array(shape.sampleSize);
    this.offsets = new Float32Array(shape.sampleSize);
    this.steps = new Int8Array(shape.dimension * shape.sampleSize);
  }

  /** Copies what belongs to the sample from block `index`, whose steps are [dimension, columns]. */
  take(index: number, { scales, offsets }: ScreenBlock, steps: Int8Array): void {
    const { sampleSize, columns, dimension } = this.#shape;
    for (let at = 0; at < sampleSize; at++) {
      const column = Math.floor((at * this.#candidateCount) / sampleSize) - index * columns;
      if (column < 0 || column >= columns) continue;
      this.scales[at] = scales[column]!;
      this.offsets[at] = offsets[column]!;
      for (let k = 0; k < dimension; k++) this.steps[k * sampleSize + at] = steps[k * columns + column]!;
    }
  }
}
