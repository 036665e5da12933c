import { Tensor } from "onnxruntime-node";
import type { StageTimer } from "../../io/index.ts";
import type { DenseMemory } from "./dense-memory.ts";
import type { ScreenBlock, ScreenShape } from "./screen.ts";

/** What making shortlists works with. Queries are what lists are made for: expressions, or images. */
export interface Shortlisting {
  readonly memory: DenseMemory;
  readonly shape: ScreenShape;
  readonly candidateCount: number;
  readonly blockCount: number;
  readonly depth: number;
  /** Whether lists are left in two: see `assembly/split.ts`. */
  readonly splits: boolean;
  /** Vectors [count, dimension] of queries. */
  readonly vectorsOf: (first: number, count: number) => Float32Array;
  readonly timing: StageTimer;
  /** By how much, at most, the exact score of an entry of each list exceeds its approximate one: written here, read by `prune`. */
  readonly slack: Float64Array;
  /** What to multiply an exact score with for the units of each list's approximate ones: written here, read by `prune`. */
  readonly scale: Float32Array;
}

/** More than float32 loses in the sum of a list's slack and in its difference from a score: numbers of at most 4. */
export const roundings = 2 ** -20;

/** Leaves only what is within the margin of the `depth` best. */
export function endShortlist({ memory, depth, splits }: Shortlisting, list: number, margin: number): void {
  const { kernel, lists, places } = memory;
  if (splits) kernel.split(lists.address(list), lists.capacity, depth, margin, places.lanes);
  else kernel.cutToMargin(lists.address(list), lists.capacity, depth, margin);
}

/** The memory's scores as a tensor [rows, columns]. */
export function scoresTensor(
  { places, kernel: { floats, ints } }: DenseMemory,
  type: "int32" | "float32",
  rows: number,
  columns: number,
): Tensor {
  const [from, to] = [places.scores / 4, places.scores / 4 + rows * columns];
  return type === "int32"
    ? new Tensor(type, ints.subarray(from, to), [rows, columns])
    : new Tensor(type, floats.subarray(from, to), [rows, columns]);
}

/** Puts what turns raw scores into approximate ones where the kernel finds it. */
export function placeFactors({ kernel: { floats }, places }: DenseMemory, { scales, offsets }: ScreenBlock): void {
  floats.set(scales, places.scales / 4);
  floats.set(offsets, places.offsets / 4);
}
