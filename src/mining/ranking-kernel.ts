import { wasm } from "../kernels/index.ts";
import { extremes, fold, listHeaderBytes } from "./selection-kernel.ts";

const { branchIf, f32, get, i32, loop, repeat, sequence, set, v128, when } = wasm;
type Code = wasm.Code;
type WasmFunction = wasm.WasmFunction;

/** Entries of a bucket that are moved to their places one by one: more of them in one, and the list is left to a radix sort. */
const crowded = 24;

/** Bytes that `rank` works in, for lists of at most `capacity` entries. */
export function rankBytes(capacity: number): number {
  return 4 * (3 * capacity + 8);
}

/**
 * rank(list, capacity, depth, work, ids, first, second, firstColumn, secondColumn) → whether it was done: writes the ids of the
 * `depth` best of a list (see `ScreenKernel`), best first, ties in order, to `ids`, and two of its columns to `first` and
 * `second`. The list has at least `depth` entries, all of them numbers. Nothing is written where scores crowd.
 *
 * Scores go into as many buckets as there are, evenly over their range: they spread well, so that each holds few. In `work`:
 *
 *   buckets (int32 × capacity) · counts, then ends of the buckets (int32 × (capacity + 4)) · addresses of scores in order (int32 × capacity)
 */
export const rank: WasmFunction = (() => {
  const [list, capacity, depth, work, ids, first, second, firstColumn, secondColumn] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const [start, length, end, at, counts, order, to, from, sum, count, width, address] = [
    9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
  ];
  const [score, share, top, lowest, highest, tops, shares] = [21, 22, 23, 24, 25, 26, 27];
  const bytesOf = (index: Code): Code => i32.shiftLeft(index, i32.constant(2));
  const later = (local: number, by: number): Code => set(local, i32.add(get(local), i32.constant(by)));
  const increment = (at: Code): Code => i32.store(at, i32.add(i32.load(at), i32.constant(1)));
  const columnOf = (column: number): Code => i32.multiply(get(width), get(column));
  const prepare = sequence(
    set(start, i32.add(get(list), i32.constant(listHeaderBytes))),
    set(length, i32.load(get(list))),
    set(width, bytesOf(get(capacity))),
    set(counts, i32.add(get(work), get(width))),
    set(order, i32.add(get(counts), i32.add(get(width), i32.constant(16)))),
    // The one before the first is looked at, and never followed.
    i32.store(i32.subtract(get(order), i32.constant(4)), get(start)),
    // The last step of four is filled with the first score.
    set(end, i32.add(get(start), bytesOf(i32.and(i32.add(get(length), i32.constant(3)), i32.constant(-4))))),
    set(at, i32.add(get(start), bytesOf(get(length)))),
    repeat(i32.less(get(at), get(end)), f32.store(get(at), f32.load(get(start))), later(at, 4)),
    extremes(start, end, at, lowest, highest),
    set(top, fold(f32.maximum, get(highest))),
    set(
      share,
      f32.divide(
        f32.subtract(f32.of(get(length)), f32.constant(0.5)),
        f32.subtract(get(top), fold(f32.minimum, get(lowest))),
      ),
    ),
    // Without a range all are in the first bucket; what rounding puts beyond the last belongs to it.
    set(tops, v128.splatF32(get(top))),
    set(shares, v128.splatF32(get(share))),
    set(highest, v128.splatF32(f32.subtract(f32.of(get(length)), f32.constant(1)))),
    set(at, get(start)),
    set(to, get(work)),
    repeat(
      i32.less(get(at), get(end)),
      v128.store(
        get(to),
        v128.integersOf(
          v128.minimumF32(v128.multiplyF32(v128.subtractF32(get(tops), v128.load(get(at))), get(shares)), get(highest)),
        ),
      ),
      later(at, 16),
      later(to, 16),
    ),
  );
  const countBuckets = sequence(
    set(to, get(counts)),
    set(end, i32.add(get(counts), bytesOf(get(length)))),
    repeat(i32.less(get(to), get(end)), v128.store(get(to), v128.zero), later(to, 16)),
    set(at, get(work)),
    set(end, i32.add(get(work), bytesOf(get(length)))),
    repeat(i32.less(get(at), get(end)), increment(i32.add(get(counts), bytesOf(i32.load(get(at))))), later(at, 4)),
    set(sum, get(order)),
    set(count, i32.constant(0)),
    set(to, get(counts)),
    set(end, i32.add(get(counts), bytesOf(get(length)))),
    repeat(
      i32.less(get(to), get(end)),
      set(from, i32.load(get(to))),
      set(count, i32.or(get(count), i32.greater(get(from), i32.constant(crowded)))),
      i32.store(get(to), get(sum)),
      set(sum, i32.add(get(sum), bytesOf(get(from)))),
      later(to, 4),
    ),
  );
  const scatter = sequence(
    set(at, get(work)),
    set(address, get(start)),
    set(end, i32.add(get(work), bytesOf(get(length)))),
    repeat(
      i32.less(get(at), get(end)),
      set(to, i32.add(get(counts), bytesOf(i32.load(get(at))))),
      set(from, i32.load(get(to))),
      i32.store(get(from), get(address)),
      i32.store(get(to), i32.add(get(from), i32.constant(4))),
      later(address, 4),
      later(at, 4),
    ),
  );
  // Buckets are in order, so nothing moves out of its own; equal scores stay as they came.
  const settle = sequence(
    set(at, i32.add(get(order), i32.constant(4))),
    set(end, i32.add(get(order), bytesOf(get(length)))),
    repeat(
      i32.less(get(at), get(end)),
      set(address, i32.load(get(at))),
      set(score, f32.load(get(address))),
      set(to, get(at)),
      when(
        f32.less(f32.load(i32.load(i32.subtract(get(to), i32.constant(4)))), get(score)),
        loop(
          i32.store(get(to), i32.load(i32.subtract(get(to), i32.constant(4)))),
          later(to, -4),
          branchIf(
            0,
            i32.and(
              i32.greater(get(to), get(order)),
              f32.less(f32.load(i32.load(i32.subtract(get(to), i32.constant(4)))), get(score)),
            ),
          ),
        ),
        i32.store(get(to), get(address)),
      ),
      later(at, 4),
    ),
  );
  const write = sequence(
    set(at, get(order)),
    set(end, i32.add(get(order), bytesOf(get(depth)))),
    set(counts, columnOf(firstColumn)),
    set(order, columnOf(secondColumn)),
    repeat(
      i32.less(get(at), get(end)),
      set(address, i32.load(get(at))),
      i32.store(get(ids), i32.load(i32.add(get(address), get(width)))),
      i32.store(get(first), i32.load(i32.add(get(address), get(counts)))),
      i32.store(get(second), i32.load(i32.add(get(address), get(order)))),
      later(ids, 4),
      later(first, 4),
      later(second, 4),
      later(at, 4),
    ),
  );
  return {
    name: "rank",
    parameters: new Array<"i32">(9).fill("i32"),
    results: ["i32"],
    locals: [
      ...new Array<"i32">(12).fill("i32"),
      ...new Array<"f32">(3).fill("f32"),
      ...new Array<"v128">(4).fill("v128"),
    ],
    body: sequence(prepare, countBuckets, when(i32.isZero(get(count)), scatter, settle, write), i32.isZero(get(count))),
  };
})();
