import { InferenceSession, Tensor } from "onnxruntime-node";
import { byteGraph, integerGraph } from "./gemm-graph.ts";

/** Rows are bytes around it. */
export const zeroByte = 128;
/** Steps on either side of it. */
export const mostSteps = 127;
/** So small that with it the sums of products stay in 32 bits, up to 66,000 dimensions. */
export const mostBias = 2 ** 30;

/** Products of rows [rows, dimension] (uint8, `zeroByte` being 0) with the candidates that it was opened for. */
export interface IntegerProduct {
  /** Writes them to `scores` [rows, columns], int32. */
  score(rows: Tensor, scores: Tensor): Promise<void>;
  close(): Promise<void>;
}

/** The product in bytes: (Σ + bias of the candidate) · scale · scale of the candidate / step, rounded, from 0 to 255. */
export interface ByteProduct {
  /** `biases` [1, columns] are int32; `bytes` [rows, columns]. */
  score(rows: Tensor, scale: number, biases: Tensor, step: number, bytes: Tensor): Promise<void>;
  close(): Promise<void>;
}

// Each block of candidates has a session of its own, which keeps them packed: small ones, without memory set aside.
const options = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: "sequential",
  enableCpuMemArena: false,
  enableMemPattern: false,
} as const;

/** The product with `candidates` [dimension, columns], which onnxruntime copies. `buffer` is for the model until then. */
export async function openIntegerProduct(
  rows: number,
  dimension: number,
  candidates: Int8Array,
  buffer?: Uint8Array,
): Promise<IntegerProduct> {
  const session = await InferenceSession.create(integerGraph(rows, dimension, candidates, zeroByte, buffer), options);
  return {
    async score(queries, scores) {
      await session.run({ queries }, { scores });
    },
    close: () => session.release(),
  };
}

/** The product in bytes with `candidates` [dimension, columns], a step of which is worth `scales` [columns]. */
export async function openByteProduct(
  rows: number,
  dimension: number,
  candidates: Int8Array,
  scales: Float32Array,
  buffer?: Uint8Array,
): Promise<ByteProduct> {
  const graph = byteGraph(rows, dimension, candidates, scales, zeroByte, buffer);
  const session = await InferenceSession.create(graph, options);
  const number = (value: number): Tensor => new Tensor("float32", Float32Array.of(value), []);
  return {
    async score(queries, scale, biases, step, bytes) {
      await session.run({ queries, scale: number(scale), biases, step: number(step) }, { scores: bytes });
    },
    close: () => session.release(),
  };
}

/**
 * Whether the largest products and sums come out right on this machine: 255 · 127 and 255 · -127, neighbours of one sign. Where
 * these do not overflow (older vector units add pairs in 16 bits), no others do.
 */
export async function integersAreExact(columns: number, dimension: number): Promise<boolean> {
  const rows = 2;
  const queries = new Uint8Array(rows * dimension).fill(zeroByte + mostSteps);
  queries.fill(zeroByte - mostSteps, dimension);
  const candidates = new Int8Array(dimension * columns);
  for (let at = 0; at < candidates.length; at++) candidates[at] = at % 2 === 0 ? mostSteps : -mostSteps;
  const [tensor, largest] = [new Tensor("uint8", queries, [rows, dimension]), mostSteps * mostSteps * dimension];
  const scores = new Int32Array(rows * columns);
  const product = await openIntegerProduct(rows, dimension, candidates);
  await product.score(tensor, new Tensor("int32", scores, [rows, columns])).finally(() => product.close());
  const bytes = new Uint8Array(rows * columns);
  const inBytes = await openByteProduct(rows, dimension, candidates, new Float32Array(columns).fill(1));
  const biases = new Tensor("int32", new Int32Array(columns).fill(largest), [1, columns]);
  const shape = new Tensor("uint8", bytes, [rows, columns]);
  // 0 and twice the largest: 0 and 200.
  await inBytes.score(tensor, 1, biases, largest / 100, shape).finally(() => inBytes.close());
  for (let column = 0; column < columns; column++) {
    const sign = column % 2 === 0 ? 1 : -1;
    if (scores[column] !== sign * largest || scores[columns + column] !== -sign * largest) return false;
    if (bytes[column] !== (1 + sign) * 100 || bytes[columns + column] !== (1 - sign) * 100) return false;
  }
  return true;
}

/** Space for the model of a product with `columns` candidates: thousands of them, each in memory of its own, outrun the collector. */
export function modelBuffer(dimension: number, columns: number): Uint8Array {
  return new Uint8Array(dimension * columns + columns * 5 + 4096);
}
