import { Tensor } from "onnxruntime-node";
import { fail } from "../../model/index.ts";
import { readVectors, type VectorFile } from "./vector-file.ts";

/**
 * The candidates' vectors in blocks [columns, dimension], padded with zeros. The first blocks stay in memory up to
 * `memoryBytes`; the rest go through two buffers, the next block being read while one is in use.
 */
export class CandidateBlocks {
  readonly #file: VectorFile;
  readonly #candidates: Int32Array;
  readonly #columns: number;
  readonly #kept: (Promise<Tensor> | undefined)[] = [];
  readonly #keep: number;
  readonly #spares: Spare[] = [];

  constructor(file: VectorFile, candidates: Int32Array, columns: number, memoryBytes: number) {
    this.#file = file;
    this.#candidates = candidates;
    this.#columns = columns;
    this.#keep = Math.floor(memoryBytes / (columns * file.dimension * 4));
  }

  get candidateCount(): number {
    return this.#candidates.length;
  }

  get count(): number {
    return Math.ceil(this.#candidates.length / this.#columns);
  }

  /** Whether all blocks stay in memory once they were read. */
  get stay(): boolean {
    return this.count <= this.#keep;
  }

  /** Block `index`; one beyond the memory is valid until the next call. */
  async load(index: number): Promise<Tensor> {
    if (!Number.isInteger(index) || index < 0 || index >= this.count)
      fail("internal", `no block ${index} of ${this.count}`);
    if (index < this.#keep) {
      this.#kept[index] ??= this.#fill(index, new Float32Array(this.#columns * this.#file.dimension));
      return this.#kept[index];
    }
    const spare = this.#spares.find((each) => each.index === index) ?? this.#refill(index);
    const tensor = await spare.tensor;
    // The next one, or the first that does not stay: sweeps follow each other.
    const next = index + 1 < this.count ? index + 1 : this.#keep;
    if (next !== index && !this.#spares.some((each) => each.index === next))
      this.#refill(next).tensor.catch(() => undefined);
    return tensor;
  }

  /** Ends reading ahead. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#spares.map((spare) => spare.tensor));
  }

  #refill(index: number): Spare {
    const old = this.#spares.length < 2 ? undefined : this.#spares.shift();
    const data = old?.data ?? new Float32Array(this.#columns * this.#file.dimension);
    const free = Promise.allSettled([old?.tensor]);
    const spare: Spare = { index, data, tensor: free.then(() => this.#fill(index, data)) };
    this.#spares.push(spare);
    return spare;
  }

  async #fill(index: number, data: Float32Array): Promise<Tensor> {
    const { dimension } = this.#file;
    const part = this.#candidates.subarray(index * this.#columns, (index + 1) * this.#columns);
    await readVectors(this.#file, part, data);
    data.fill(0, part.length * dimension);
    return new Tensor("float32", data, [this.#columns, dimension]);
  }
}

interface Spare {
  readonly index: number;
  readonly data: Float32Array;
  readonly tensor: Promise<Tensor>;
}
