import { wasm } from "../kernels/index.ts";
import {
  type AppendLocals,
  appendAbove,
  extremes,
  fold,
  isFull,
  listHeaderBytes,
  mostOf,
  refreshed,
} from "./selection-kernel.ts";

const { branchIf, call, f32, get, i32, i64, loop, repeat, sequence, set, v128, when } = wasm;
type Code = wasm.Code;
type WasmFunction = wasm.WasmFunction;

const searchAt = 1;
const siftCutAt = 4;
const overflown = 8;

/** Cuts the list where another step might not fit, and marks it as overflown where that is of no use. */
function cutWhereFull(
  locals: Pick<AppendLocals, "list" | "capacity" | "length">,
  depth: number,
  margin: number,
  refresh: Code,
  step = 16,
): Code {
  const { list, capacity, length } = locals;
  return when(
    isFull(locals, step),
    i32.store(get(list), get(length)),
    call(siftCutAt, get(list), get(capacity), get(depth), get(margin)),
    refresh,
    // Nothing exceeds infinity: an overflown list takes no more.
    when(
      isFull(locals, step),
      i32.store(get(list), i32.constant(1), overflown),
      f32.store(get(list), f32.constant(Number.POSITIVE_INFINITY), 4),
      i32.store(get(list), i32.constant(0)),
      refresh,
    ),
  );
}

/** sift(list, capacity, depth, margin, scores, count, firstId): see `ScreenKernel`. */
export const sift: WasmFunction = (() => {
  const [list, capacity, depth, margin, at, count, id] = [0, 1, 2, 3, 4, 5, 6];
  const [end, stop, length, bits, lane, to] = [7, 8, 9, 10, 11, 12];
  const [threshold, bound, four] = [13, 14, [15, 16, 17, 18] as const];
  const [lowest, highest] = four;
  const locals = { list, capacity, at, count, id, end, stop, length, bits, lane, to, threshold, bound, four };
  const refresh = refreshed(locals);
  const firstThreshold = sequence(
    set(stop, i32.add(get(at), i32.shiftLeft(i32.and(get(count), i32.constant(-4)), i32.constant(2)))),
    extremes(at, stop, to, lowest, highest),
    f32.store(
      get(list),
      f32.subtract(
        call(
          searchAt,
          get(at),
          get(stop),
          get(depth),
          mostOf(depth),
          fold(f32.minimum, get(lowest)),
          fold(f32.maximum, get(highest)),
        ),
        get(margin),
      ),
      4,
    ),
    refresh,
  );
  return {
    name: "sift",
    parameters: ["i32", "i32", "i32", "f32", "i32", "i32", "i32"],
    results: [],
    locals: [...new Array<"i32">(6).fill("i32"), "f32", ...new Array<"v128">(5).fill("v128")],
    body: sequence(
      refresh,
      when(
        i32.and(
          f32.equal(get(threshold), f32.constant(Number.NEGATIVE_INFINITY)),
          i32.and(i32.isZero(get(length)), i32.greater(get(count), i32.shiftLeft(get(depth), i32.constant(1)))),
        ),
        firstThreshold,
      ),
      appendAbove(locals, cutWhereFull(locals, depth, margin, refresh)),
    ),
  };
})();

/**
 * siftBytes(list, capacity, depth, margin, bytes, count, firstId): see `ScreenKernel`. Of 64 bytes one or two exceed the threshold:
 * one jump that is guessed wrong for all of them.
 */
export const siftBytes: WasmFunction = (() => {
  const [list, capacity, depth, margin, at, count, id] = [0, 1, 2, 3, 4, 5, 6];
  const [end, length, byte, to, width, above, level] = [7, 8, 9, 10, 11, 12, 13];
  const later = (local: number, by: number): Code => set(local, i32.add(get(local), i32.constant(by)));
  const threshold = f32.minimum(f32.maximum(f32.load(get(list), 4), f32.constant(0)), f32.constant(255));
  // A byte exceeds the threshold where it exceeds the whole number below.
  const refresh = sequence(set(length, i32.load(get(list))), set(level, v128.splatByte(i32.truncated(threshold))));
  const firstOf = i32.add(get(list), i32.constant(listHeaderBytes));
  const signs = (which: number): Code =>
    v128.signsOfBytes(v128.greaterByte(v128.load(get(at), which * 16), get(level)));
  const signsOfTwo = (which: number): Code => i32.or(signs(which), i32.shiftLeft(signs(which + 1), i32.constant(16)));
  return {
    name: "siftBytes",
    parameters: ["i32", "i32", "i32", "f32", "i32", "i32", "i32"],
    results: [],
    locals: ["i32", "i32", "i32", "i32", "i32", "i64", "v128"],
    body: sequence(
      refresh,
      set(width, i32.shiftLeft(get(capacity), i32.constant(2))),
      set(end, i32.add(get(at), get(count))),
      repeat(
        i32.less(get(at), get(end)),
        set(above, i64.of(signsOfTwo(0), signsOfTwo(2))),
        when(
          i32.isZero(i64.isZero(get(above))),
          set(to, i32.add(firstOf, i32.shiftLeft(get(length), i32.constant(2)))),
          loop(
            set(byte, i32.lowOf(i64.trailingZeros(get(above)))),
            f32.store(get(to), f32.of(i32.loadByte(i32.add(get(at), get(byte))))),
            i32.store(i32.add(get(to), get(width)), i32.add(get(id), get(byte))),
            later(to, 4),
            set(above, i64.and(get(above), i64.subtract(get(above), i64.one))),
            branchIf(0, i32.isZero(i64.isZero(get(above)))),
          ),
          set(length, i32.shiftRight(i32.subtract(get(to), firstOf), i32.constant(2))),
          cutWhereFull({ list, capacity, length }, depth, margin, refresh, 64),
        ),
        later(at, 64),
        later(id, 64),
      ),
      i32.store(get(list), get(length)),
    ),
  };
})();
