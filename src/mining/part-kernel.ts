import { wasm } from "../kernels/index.ts";
import { farList } from "./parted-lists.ts";
import { listHeaderBytes, searched } from "./selection-kernel.ts";

const { f32, get, i32, repeat, sequence, set, v128, when } = wasm;
type Code = wasm.Code;
type WasmFunction = wasm.WasmFunction;

/** siftCut(list, capacity, depth, margin): leaves only what is within the margin of the `depth` best. */
export const siftCut: WasmFunction = (() => {
  const [list, capacity, depth, margin] = [0, 1, 2, 3];
  const [scores, end, at, to, length, width] = [4, 5, 6, 7, 8, 9];
  const [low, score, middle, lowest, highest] = [10, 11, 12, 13, 14];
  const later = (local: number, by: Code): Code => set(local, i32.add(get(local), by));
  return {
    name: "siftCut",
    parameters: ["i32", "i32", "i32", "f32"],
    results: [],
    locals: [...new Array<"i32">(6).fill("i32"), "f32", "f32", "f32", "v128", "v128"],
    body: sequence(
      set(length, i32.load(get(list))),
      set(scores, i32.add(get(list), i32.constant(listHeaderBytes))),
      set(width, i32.shiftLeft(get(capacity), i32.constant(2))),
      when(
        i32.greater(get(length), get(depth)),
        searched({ scores, end, at, depth, found: middle, lowest, highest }, get(length)),
        set(low, f32.subtract(get(middle), get(margin))),
        set(at, get(scores)),
        set(to, get(scores)),
        set(end, i32.add(get(scores), i32.shiftLeft(get(length), i32.constant(2)))),
        repeat(
          i32.less(get(at), get(end)),
          set(score, f32.load(get(at))),
          f32.store(get(to), get(score)),
          i32.store(i32.add(get(to), get(width)), i32.load(i32.add(get(at), get(width)))),
          // It stays only where it belongs.
          later(to, i32.shiftLeft(f32.greater(get(score), get(low)), i32.constant(2))),
          later(at, i32.constant(4)),
        ),
        i32.store(get(list), i32.shiftRight(i32.subtract(get(to), get(scores)), i32.constant(2))),
        f32.store(get(list), get(low), 4),
      ),
    ),
  };
})();

/**
 * part(list, capacity, depth, margin, lanes): four entries at a time, of which the near ones move to the front of the list and the
 * far ones to the end of theirs; each vector is stored whole, and what follows writes over the rest of it.
 */
export const part: WasmFunction = (() => {
  const [list, capacity, depth, margin, lanes] = [0, 1, 2, 3, 4];
  const [scores, end, at, to, length, far, width, bits] = [5, 6, 7, 8, 9, 10, 11, 12];
  const [low, middle] = [13, 14];
  const [lowest, highest, four, ids, lows, middles, near, kept, shuffle] = [15, 16, 17, 18, 19, 20, 21, 22, 23];
  const later = (local: number, by: Code): Code => set(local, i32.add(get(local), by));
  const farStart = i32.add(
    i32.add(get(list), i32.constant(listHeaderBytes)),
    i32.shiftLeft(get(width), i32.constant(1)),
  );
  const append = (place: number, which: number): Code =>
    sequence(
      set(bits, v128.signsOfFour(get(which))),
      set(shuffle, v128.load(i32.add(get(lanes), i32.shiftLeft(get(bits), i32.constant(4))))),
      v128.store(get(place), v128.swizzle(get(four), get(shuffle))),
      v128.store(i32.add(get(place), get(width)), v128.swizzle(get(ids), get(shuffle))),
      later(place, i32.shiftLeft(i32.bitCount(get(bits)), i32.constant(2))),
    );
  return {
    name: "part",
    parameters: ["i32", "i32", "i32", "f32", "i32"],
    results: [],
    locals: [...new Array<"i32">(8).fill("i32"), "f32", "f32", ...new Array<"v128">(9).fill("v128")],
    body: sequence(
      set(length, i32.load(get(list))),
      set(scores, i32.add(get(list), i32.constant(listHeaderBytes))),
      set(width, i32.shiftLeft(get(capacity), i32.constant(2))),
      set(far, farStart),
      when(
        i32.greater(get(length), get(depth)),
        searched({ scores, end, at, depth, found: middle, lowest, highest }, get(length)),
        set(low, f32.subtract(get(middle), get(margin))),
        set(lows, v128.splatF32(get(low))),
        set(middles, v128.splatF32(get(middle))),
        set(at, get(scores)),
        set(to, get(scores)),
        // Up to `end` there is nothing but -∞ behind the last entry.
        repeat(
          i32.less(get(at), get(end)),
          set(four, v128.load(get(at))),
          set(ids, v128.load(i32.add(get(at), get(width)))),
          set(near, v128.notLessF32(get(four), get(middles))),
          set(kept, v128.greaterF32(get(four), get(lows))),
          append(to, near),
          set(kept, v128.andNot(get(kept), get(near))),
          append(far, kept),
          later(at, i32.constant(16)),
        ),
        i32.store(get(list), i32.shiftRight(i32.subtract(get(to), get(scores)), i32.constant(2))),
        f32.store(get(list), get(low), 4),
      ),
      i32.store(farList(get(list), get(capacity)), i32.shiftRight(i32.subtract(get(far), farStart), i32.constant(2))),
    ),
  };
})();

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
