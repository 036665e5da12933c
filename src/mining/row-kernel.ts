import { wasm } from "../kernels/index.ts";
import { partialSums } from "./dots-kernel.ts";
import { fold, pageBytes } from "./selection-kernel.ts";

const { engine, f32, get, i32, loop, branchIf, sequence, set, v128, wasmModule } = wasm;
type Code = wasm.Code;
type WasmFunction = wasm.WasmFunction;

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
 * Quantises rows to 127 steps of the largest entry, or of a scale given, in float32 and 128-bit vectors. Each of its three roundings
 * of an entry loses at most 2⁻²⁴ of it, the shift, in eight sums, (dimension/8 + 4) · 2⁻²⁴ of what its products add up to without
 * their signs, and each sum of squares, in four, (dimension/4 + 8) · 2⁻²⁴ of itself. Memory:
 *
 *   0 largest, then scale (float32) · 4 error · 8 length · 12 shift · 64 row · ν · w · μ · q̃ (float32 × padded) · steps (uint8)
 */
export class RowQuantiser {
  readonly #bytes: Uint8Array;
  readonly #floats: Float32Array;
  readonly #width: number;
  readonly #dimension: number;
  readonly #measure: Kernel["measure"];
  readonly #round: Kernel["round"];
  readonly #scale: number | undefined;

  /**
   * For rows of mean ν, of which the entries less ν are multiplied by w; μ is what their shift is taken from. With a `scale`, all
   * rows get it, and entries beyond 127 steps lose what is beyond.
   */
  constructor(rowMean: Float32Array, factors: Float32Array, mean: Float32Array, scale?: number) {
    this.#scale = scale;
    this.#dimension = mean.length;
    this.#width = Math.ceil(mean.length / 16) * 16;
    const memory = new engine.Memory({ initial: Math.ceil((headerBytes + this.#width * 21) / pageBytes) });
    compiled ??= new engine.Module(wasmModule([measure, round]));
    const { exports } = new engine.Instance(compiled, { env: { memory } });
    const kernel = exports as unknown as Kernel;
    [this.#measure, this.#round] = [kernel.measure, kernel.round];
    this.#bytes = new Uint8Array(memory.buffer);
    this.#floats = new Float32Array(memory.buffer);
    [rowMean, factors, mean].forEach((values, which) => {
      this.#floats.set(values, headerBytes / 4 + this.#width * (which + 1));
    });
  }

  /** Quantises `row` to bytes `at` … of `into`, zero being 128; tells what it found in `found`. */
  quantise(row: Float32Array, into: Uint8Array, at: number, found: QuantisedRow): void {
    const [floats, width] = [this.#floats, this.#width];
    floats.set(row, headerBytes / 4);
    this.#measure(width * 4);
    const largest = floats[0] as number;
    found.shift = floats[3] as number;
    const scale = this.#scale ?? (largest > tiny ? Math.fround(largest / 127) : 0);
    this.#round(width * 4, scale, scale > 0 ? 1 / scale : 0);
    found.scale = scale;
    found.error = floats[1] as number;
    found.length = floats[2] as number;
    const steps = headerBytes + width * 20;
    into.set(this.#bytes.subarray(steps, steps + this.#dimension), at);
  }
}

interface Kernel {
  measure(bytes: number): void;
  round(bytes: number, scale: number, inverse: number): void;
}

let compiled: object | undefined;
const headerBytes = 64;
/** Entries below this are nothing beside what a score may be off by; the inverse of their scale might not be finite. */
const tiny = 1e-20;

const later = (local: number, by: number): Code => set(local, i32.add(get(local), i32.constant(by)));
const magnitude = (value: Code): Code => v128.maximumF32(value, v128.subtractF32(v128.zero, value));

/** measure(bytes): q̃, its largest entry and the shift of the row, `bytes` long. */
const measure: WasmFunction = (() => {
  const [bytes, at, mean, factor, other, to, end] = [0, 1, 2, 3, 4, 5, 6];
  const [value, largest, low, high] = [7, 8, 9, 10];
  const half = (which: number): Code =>
    sequence(
      set(value, v128.load(get(at), which * 16)),
      set(
        which === 0 ? low : high,
        v128.addF32(get(which === 0 ? low : high), v128.multiplyF32(get(value), v128.load(get(other), which * 16))),
      ),
      set(
        value,
        v128.multiplyF32(
          v128.subtractF32(get(value), v128.load(get(mean), which * 16)),
          v128.load(get(factor), which * 16),
        ),
      ),
      v128.store(i32.add(get(to), i32.constant(which * 16)), get(value)),
      set(largest, v128.maximumF32(get(largest), magnitude(get(value)))),
    );
  return {
    name: "measure",
    parameters: ["i32"],
    results: [],
    locals: [...new Array<"i32">(6).fill("i32"), ...new Array<"v128">(4).fill("v128")],
    body: sequence(
      set(at, i32.constant(headerBytes)),
      set(mean, i32.add(get(at), get(bytes))),
      set(factor, i32.add(get(mean), get(bytes))),
      set(other, i32.add(get(factor), get(bytes))),
      set(to, i32.add(get(other), get(bytes))),
      set(end, get(mean)),
      loop(
        half(0),
        half(1),
        ...[at, mean, factor, other, to].map((each) => later(each, partialSums * 4)),
        branchIf(0, i32.less(get(at), get(end))),
      ),
      f32.store(i32.constant(0), fold(f32.maximum, get(largest))),
      f32.store(i32.constant(12), fold(f32.add, v128.addF32(get(low), get(high)))),
    ),
  };
})();

/** round(bytes, scale, inverse): the steps of q̃, the squares of its error and of its rounded length. */
const round: WasmFunction = (() => {
  const [bytes, scale, inverse, at, to, end] = [0, 1, 2, 3, 4, 5];
  const [step, unit, value, error, length, most, steps] = [6, 7, 8, 9, 10, 11, [12, 13, 14, 15] as const];
  return {
    name: "round",
    parameters: ["i32", "f32", "f32"],
    results: [],
    locals: [...new Array<"i32">(3).fill("i32"), ...new Array<"v128">(10).fill("v128")],
    body: sequence(
      set(most, v128.splatF32(f32.constant(127))),
      set(unit, v128.splatF32(get(scale))),
      set(step, v128.splatF32(get(inverse))),
      set(at, i32.add(i32.constant(headerBytes), i32.shiftLeft(get(bytes), i32.constant(2)))),
      set(to, i32.add(get(at), get(bytes))),
      set(end, get(to)),
      loop(
        ...steps.flatMap((each, which) => [
          set(value, v128.load(get(at), which * 16)),
          set(each, v128.nearestF32(v128.multiplyF32(get(value), get(step)))),
          set(each, v128.maximumF32(v128.minimumF32(get(each), get(most)), v128.subtractF32(v128.zero, get(most)))),
          set(value, v128.subtractF32(get(value), v128.multiplyF32(get(each), get(unit)))),
          set(error, v128.addF32(get(error), v128.multiplyF32(get(value), get(value)))),
          set(value, v128.multiplyF32(get(each), get(unit))),
          set(length, v128.addF32(get(length), v128.multiplyF32(get(value), get(value)))),
          set(each, v128.addI32(v128.integersOf(get(each)), v128.splatI32(i32.constant(128)))),
        ]),
        v128.store(
          get(to),
          v128.narrowI16Unsigned(
            v128.narrowI32(get(steps[0]), get(steps[1])),
            v128.narrowI32(get(steps[2]), get(steps[3])),
          ),
        ),
        later(at, 64),
        later(to, 16),
        branchIf(0, i32.less(get(at), get(end))),
      ),
      f32.store(i32.constant(4), fold(f32.add, get(error))),
      f32.store(i32.constant(8), fold(f32.add, get(length))),
    ),
  };
})();
