import { wasm } from "../kernels/index.ts";
import { dots } from "./dots-kernel.ts";
import { part, siftCut } from "./part-kernel.ts";
import { join, narrow } from "./parted-lists.ts";
import { rank } from "./ranking-kernel.ts";
import { countReaching, cut, extremes, fold, listHeaderBytes, offer, pageBytes, search } from "./selection-kernel.ts";
import { sift, siftBytes } from "./sift-kernel.ts";

const { call, engine, f32, get, i32, repeat, sequence, set, v128, wasmModule } = wasm;
type Code = wasm.Code;
type WasmFunction = wasm.WasmFunction;

/**
 * The inner loops of screening and exact scoring in WebAssembly. A list in memory is
 *
 *   0 length (int32) · 4 threshold (float32) · 8 overflown (int32) · 12 next (int32) · 16 scores · ids (int32) · two columns of scores
 *
 * of `capacity` entries each. While screening, its scores are approximate, off by at most half the margin: it holds every
 * candidate whose approximate score is within the margin of the `depth` best, in the order offered. Exact scores then take
 * their place. A fresh list's threshold is -∞, or a guess: it holds if in the end `depth` entries are the margin above it.
 */
export interface ScreenKernel {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Turns `count` (a multiple of 4) int32 at byte `scores` into floats, in place: value · scales[i] · scale + offsets[i]. */
  widen(scores: number, count: number, scales: number, offsets: number, scale: number): void;
  /** Offers `count` approximate scores, with ids from `firstId` on; marks the list as overflown where too many are near. */
  sift(
    list: number,
    capacity: number,
    depth: number,
    margin: number,
    scores: number,
    count: number,
    firstId: number,
  ): void;
  /**
   * As `sift`, of scores that are bytes, 64 at a time, for a list that began with a guess: bytes that exceed the threshold, and
   * never those of 0.
   */
  siftBytes(
    list: number,
    capacity: number,
    depth: number,
    margin: number,
    bytes: number,
    count: number,
    firstId: number,
  ): void;
  /** Leaves only what is within the margin of the `depth` best. */
  siftCut(list: number, capacity: number, depth: number, margin: number): void;
  /**
   * As `siftCut`, but leaves only the near ones in the list, those that reach a score which at least `depth` reach and few more
   * do. The far ones become the list at `farList(list, capacity)`. `lanes` is where `laneTable` lies.
   */
  part(list: number, capacity: number, depth: number, margin: number, lanes: number): void;
  /** `narrow` and `join`: see `parted-lists.ts`. */
  narrow(list: number, capacity: number, depth: number, room: number, unit: number): void;
  join(list: number, capacity: number): void;
  /** As `cut` and `offer` of the selection kernel, for lists of this layout: they move scores and ids, not the columns. */
  cut(list: number, capacity: number, depth: number): void;
  offer(list: number, capacity: number, depth: number, scores: number, count: number, firstId: number): void;
  /**
   * A score that at least `wanted` of `count` (a multiple of 4) approximate scores reach, and few more do unless they are equal;
   * the lowest where there are fewer than that.
   */
  reachedBy(scores: number, count: number, wanted: number): number;
  /** The best of a list in order: see `ranking-kernel.ts`. */
  rank(
    list: number,
    capacity: number,
    depth: number,
    work: number,
    ids: number,
    first: number,
    second: number,
    firstColumn: number,
    secondColumn: number,
  ): number;
  /** Exact scores of lists' entries: see `dots-kernel.ts`. */
  dots(
    list: number,
    lists: number,
    capacity: number,
    firstId: number,
    endId: number,
    candidates: number,
    stride: number,
    vectors: number,
    column: number,
    table: number,
  ): void;
}

/** Instantiates the kernel over a fresh memory of at least `bytes`. Throws a RangeError where there is no such memory. */
export function createScreenKernel(bytes: number): ScreenKernel {
  const memory = new engine.Memory({ initial: Math.ceil(bytes / pageBytes) });
  const functions = [
    countReaching,
    search,
    cut,
    offer,
    siftCut,
    sift,
    widen,
    reachedBy,
    dots,
    part,
    narrow,
    join,
    siftBytes,
    rank,
  ];
  compiled ??= new engine.Module(wasmModule(functions));
  const { exports } = new engine.Instance(compiled, { env: { memory } });
  return { ...(exports as unknown as ScreenKernel), memory };
}

/** Bytes of a list: header and four columns. */
export function screenListBytes(capacity: number): number {
  return listHeaderBytes + capacity * 16;
}

let compiled: object | undefined;
const searchAt = 1;

const widen: WasmFunction = (() => {
  const [at, count, scales, offsets, scale, end, factor] = [0, 1, 2, 3, 4, 5, 6];
  const forward = (local: number): Code => set(local, i32.add(get(local), i32.constant(16)));
  return {
    name: "widen",
    parameters: ["i32", "i32", "i32", "i32", "f32"],
    results: [],
    locals: ["i32", "v128"],
    body: sequence(
      set(end, i32.add(get(at), i32.shiftLeft(get(count), i32.constant(2)))),
      set(factor, v128.splatF32(get(scale))),
      repeat(
        i32.less(get(at), get(end)),
        v128.store(
          get(at),
          v128.addF32(
            v128.multiplyF32(v128.multiplyF32(v128.floatsOf(v128.load(get(at))), v128.load(get(scales))), get(factor)),
            v128.load(get(offsets)),
          ),
        ),
        forward(at),
        forward(scales),
        forward(offsets),
      ),
    ),
  };
})();

const reachedBy: WasmFunction = (() => {
  const [scores, count, wanted, end, at, lowest, highest] = [0, 1, 2, 3, 4, 5, 6];
  return {
    name: "reachedBy",
    parameters: ["i32", "i32", "i32"],
    results: ["f32"],
    locals: ["i32", "i32", "v128", "v128"],
    body: sequence(
      set(end, i32.add(get(scores), i32.shiftLeft(get(count), i32.constant(2)))),
      extremes(scores, end, at, lowest, highest),
      call(
        searchAt,
        get(scores),
        get(end),
        get(wanted),
        i32.add(get(wanted), i32.constant(2)),
        fold(f32.minimum, get(lowest)),
        fold(f32.maximum, get(highest)),
      ),
    ),
  };
})();
