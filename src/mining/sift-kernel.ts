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

const { call, f32, get, i32, repeat, sequence, set, v128, when } = wasm;
type Code = wasm.Code;
type WasmFunction = wasm.WasmFunction;

const searchAt = 1;
const siftCutAt = 4;
const overflown = 8;

/** For each set of lanes, bit by bit: the bytes of these lanes, in order, of a vector of four (`v128.swizzle`). */
export function laneTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (let lanes = 0; lanes < 16; lanes++) {
    let to = lanes * 16;
    for (let lane = 0; lane < 4; lane++) {
      if ((lanes & (1 << lane)) === 0) continue;
      for (let byte = 0; byte < 4; byte++) table[to++] = lane * 4 + byte;
    }
  }
  return table;
}

/** Cuts the list where another step might not fit, and marks it as overflown where that is of no use. */
function cutWhereFull(locals: AppendLocals, depth: number, margin: number): Code {
  const { list, capacity, length } = locals;
  const refresh = refreshed(locals);
  return when(
    isFull(locals),
    i32.store(get(list), get(length)),
    call(siftCutAt, get(list), get(capacity), get(depth), get(margin)),
    refresh,
    // Nothing exceeds infinity: an overflown list takes no more.
    when(
      isFull(locals),
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
      appendAbove(locals, cutWhereFull(locals, depth, margin)),
    ),
  };
})();

/**
 * siftIntegers(list, capacity, depth, margin, scores, count, firstId, scales, offsets, scale, lanes): see `ScreenKernel`. What
 * exceeds the threshold in four scores is moved to the front of a vector and stored with what is left of it behind: a few
 * candidates in a hundred do, so that jumps for each would be guessed wrong.
 */
export const siftIntegers: WasmFunction = (() => {
  const [list, capacity, depth, margin, at, count, id, scales, offsets, scale, lanes] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
  ];
  const [end, stop, length, bits, lane, to, width] = [11, 12, 13, 14, 15, 16, 17];
  const [threshold, bound, factor, ids, shuffle] = [18, 19, 20, 21, 22];
  const [values, reaching] = [[23, 24, 25, 26] as const, [27, 28, 29, 30] as const];
  const locals = { list, capacity, at, count, id, end, stop, length, bits, lane, to, threshold, bound, four: reaching };
  const later = (local: number, by: number): Code => set(local, i32.add(get(local), i32.constant(by)));
  const [a, b, c, d] = reaching;
  const widened = (which: number): Code =>
    v128.addF32(
      v128.multiplyF32(
        v128.multiplyF32(v128.floatsOf(v128.load(get(at), which * 16)), v128.load(get(scales), which * 16)),
        get(factor),
      ),
      v128.load(get(offsets), which * 16),
    );
  return {
    name: "siftIntegers",
    parameters: ["i32", "i32", "i32", "f32", "i32", "i32", "i32", "i32", "i32", "f32", "i32"],
    results: [],
    locals: [...new Array<"i32">(7).fill("i32"), "f32", ...new Array<"v128">(12).fill("v128")],
    body: sequence(
      refreshed(locals),
      set(factor, v128.splatF32(get(scale))),
      set(width, i32.shiftLeft(get(capacity), i32.constant(2))),
      set(end, i32.add(get(at), i32.shiftLeft(get(count), i32.constant(2)))),
      repeat(
        i32.less(get(at), get(end)),
        ...values.map((value, which) => set(value, widened(which))),
        ...reaching.map((each, which) => set(each, v128.greaterF32(get(values[which] as number), get(bound)))),
        when(
          v128.anyTrue(v128.or(v128.or(get(a), get(b)), v128.or(get(c), get(d)))),
          set(ids, v128.addI32(v128.splatI32(get(id)), v128.lanesI32(0, 1, 2, 3))),
          set(
            to,
            i32.add(i32.add(get(list), i32.constant(listHeaderBytes)), i32.shiftLeft(get(length), i32.constant(2))),
          ),
          ...reaching.flatMap((each, which) => [
            set(bits, v128.signsOfFour(get(each))),
            set(shuffle, v128.load(i32.add(get(lanes), i32.shiftLeft(get(bits), i32.constant(4))))),
            v128.store(get(to), v128.swizzle(get(values[which] as number), get(shuffle))),
            v128.store(i32.add(get(to), get(width)), v128.swizzle(get(ids), get(shuffle))),
            set(to, i32.add(get(to), i32.shiftLeft(i32.bitCount(get(bits)), i32.constant(2)))),
            set(ids, v128.addI32(get(ids), v128.splatI32(i32.constant(4)))),
          ]),
          set(
            length,
            i32.shiftRight(i32.subtract(get(to), i32.add(get(list), i32.constant(listHeaderBytes))), i32.constant(2)),
          ),
          cutWhereFull(locals, depth, margin),
        ),
        later(at, 64),
        later(scales, 64),
        later(offsets, 64),
        later(id, 16),
      ),
      i32.store(get(list), get(length)),
    ),
  };
})();
