import { epochOrder } from "../kernels/index.ts";
import { fail } from "../model/index.ts";

/** Which part of an epoch a process sees. The semantics are those of PyTorch's DistributedSampler. */
export interface SamplerOptions {
  /** Number of samples of the epoch. */
  readonly length: number;
  readonly seed: number;
  readonly epoch: number;
  readonly shuffle: boolean;
  readonly rank: number;
  readonly worldSize: number;
  /** What makes the length divisible by the world size: drop the tail, or pad with the first samples again. */
  readonly tail: "drop" | "pad";
}

/**
 * The sample indices of one rank, in order: every `worldSize`-th of the epoch's order from `rank` on. The same global
 * batch at another world size holds the same samples. Errors: "usage" for a rank outside the world.
 */
export function rankIndices(options: SamplerOptions): Uint32Array {
  const { length, seed, epoch, shuffle, rank, worldSize, tail } = options;
  if (!Number.isInteger(worldSize) || worldSize < 1 || !Number.isInteger(rank) || rank < 0 || rank >= worldSize) {
    fail("usage", `expected a rank from 0 to worldSize - 1, got rank ${rank} of ${worldSize}`);
  }
  const order = shuffle ? epochOrder(seed, epoch, length) : Uint32Array.from({ length }, (_, at) => at);
  const each = tail === "drop" ? Math.floor(length / worldSize) : Math.ceil(length / worldSize);
  return Uint32Array.from({ length: each }, (_, at) => order[(at * worldSize + rank) % length]!);
}
