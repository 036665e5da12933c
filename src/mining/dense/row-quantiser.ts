import type { WasmKernel } from "../../kernels/index.ts";
import { errorAt, largestAt, lengthAt, rowAt, shiftAt } from "./assembly/row-layout.ts";
import { openQuantise, type QuantiseKernel } from "./compiled/quantise.ts";

/** What `RowQuantiser.quantise` found out about its row q, with q̃ = (q-ν)·w. */
export interface QuantisedRow {
  /** Of a step, and with that q̂: 0 where all of q̃ is as good as 0. */
  scale: number;
  /** |q̃-q̂|² and |q̂|², and q·μ. */
  error: number;
  length: number;
  shift: number;
}

/**
 * Quantises rows to 127 steps of the largest entry, or of a scale given, in float32 (see `assembly/quantise.ts`). Each of its three
 * roundings of an entry loses at most 2⁻²⁴ of it, the shift, in eight sums, (dimension/8 + 4) · 2⁻²⁴ of what its products add up
 * to without their signs, and each sum of squares, in four, (dimension/4 + 8) · 2⁻²⁴ of itself.
 */
export class RowQuantiser {
  readonly #kernel: WasmKernel<QuantiseKernel>;
  readonly #width: number;
  readonly #dimension: number;
  readonly #scale: number | undefined;

  /**
   * For rows of mean ν, of which the entries less ν are multiplied by w; μ is what their shift is taken from. With a `scale`, all
   * rows get it, and entries beyond 127 steps lose what is beyond.
   */
  constructor(rowMean: Float32Array, factors: Float32Array, mean: Float32Array, scale?: number) {
    this.#scale = scale;
    this.#dimension = mean.length;
    this.#width = Math.ceil(mean.length / 16) * 16;
    this.#kernel = openQuantise(rowAt + this.#width * 21);
    [rowMean, factors, mean].forEach((values, which) => {
      this.#kernel.floats.set(values, rowAt / 4 + this.#width * (which + 1));
    });
  }

  /** Quantises `row` to bytes `at` … of `into`, zero being 128; tells what it found in `found`. */
  quantise(row: Float32Array, into: Uint8Array, at: number, found: QuantisedRow): void {
    const [kernel, width] = [this.#kernel, this.#width];
    const { floats } = kernel;
    floats.set(row, rowAt / 4);
    kernel.measure(width * 4);
    const largest = floats[largestAt / 4]!;
    const scale = this.#scale ?? (largest > tiny ? Math.fround(largest / 127) : 0);
    kernel.round(width * 4, scale, scale > 0 ? 1 / scale : 0);
    found.scale = scale;
    found.error = floats[errorAt / 4]!;
    found.length = floats[lengthAt / 4]!;
    found.shift = floats[shiftAt / 4]!;
    const steps = rowAt + width * 20;
    into.set(kernel.bytes.subarray(steps, steps + this.#dimension), at);
  }
}

/** Entries below this are nothing beside what a score may be off by; the inverse of their scale might not be finite. */
const tiny = 1e-20;
