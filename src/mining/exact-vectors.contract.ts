import { CounterRandom } from "../kernels/index.ts";
import type { VectorFile } from "./dense/index.ts";

/** Dimensions for which `signVectors` has exactly representable entries: ±1/√d. */
export type SignDimension = 16 | 64 | 256;

/**
 * Unit vectors of ±1/√d: every dot product is exact in float32 in whatever order it is summed, and many are equal, so
 * that results can be compared bit by bit with a plain double loop.
 */
export function signVectors(count: number, dimension: SignDimension, seed: number): Float32Array {
  const entry = 1 / Math.sqrt(dimension);
  const random = new CounterRandom(seed, dimension, count, 1);
  return Float32Array.from({ length: count * dimension }, () => (random.below(2) === 0 ? entry : -entry));
}

/** Vectors in memory as mining reads them; counts the rows read. */
export function memoryVectors(data: Float32Array, dimension: number): VectorFile & { readonly rowsRead: number } {
  let rowsRead = 0;
  const copy = (start: number, count: number, into: Float32Array): Float32Array => {
    rowsRead += count;
    into.set(data.subarray(start * dimension, (start + count) * dimension));
    return into;
  };
  return {
    path: "vectors in memory",
    count: data.length / dimension,
    dimension,
    read: async (start, count, into) => copy(start, count, into),
    readSync: copy,
    close: async () => undefined,
    get rowsRead() {
      return rowsRead;
    },
  };
}

export function dot(a: Float32Array, rowA: number, b: Float32Array, rowB: number, dimension: number): number {
  let sum = 0;
  for (let k = 0; k < dimension; k++) sum += a[rowA * dimension + k]! * b[rowB * dimension + k]!;
  return sum;
}
