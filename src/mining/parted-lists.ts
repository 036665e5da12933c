import { wasm } from "../kernels/index.ts";
import { listHeaderBytes, searched } from "./selection-kernel.ts";

const { f32, get, i32, otherwise, repeat, sequence, set, when } = wasm;
type Code = wasm.Code;
type WasmFunction = wasm.WasmFunction;

/**
 * Lists in two parts (see `ScreenKernel` for the layout): the near entries, among which the `depth` best probably are, are scored
 * exactly first. They tell a score T that `depth` candidates reach. A far one whose approximate score is more than one
 * bound below T cannot be among the best, and only the others are scored:
 *
 *   part (screen-kernel.ts) → near list, far list → exact scores of near → narrow → exact scores of far → join → one list
 *
 * Without that, all within two bounds of the `depth`-th approximate score would be: one bound for each of the two scores compared.
 * The far list lies in the two columns that the near list has no use for, and is a list itself: its header takes the last four of
 * the near list's ids. A full list has room for 16 entries more, so nobody misses them.
 */
export function farList(list: Code, capacity: Code): Code {
  return i32.add(list, i32.shiftLeft(capacity, i32.constant(3)));
}

/** As `farList`, of numbers. */
export function farListAt(list: number, capacity: number): number {
  return list + capacity * 8;
}

const later = (local: number, by: Code): Code => set(local, i32.add(get(local), by));
const four = i32.constant(4);
const bytesOf = (count: Code): Code => i32.shiftLeft(count, i32.constant(2));
const startOf = (list: Code): Code => i32.add(list, i32.constant(listHeaderBytes));

/** Keeps the entries of the list `far`, scores from `start` on, that do not satisfy `drops`; sets `end` to their end. */
function keepFar(
  { far, start, at, to, end, score, width }: Record<"far" | "start" | "at" | "to" | "end" | "score" | "width", number>,
  drops: Code,
): Code {
  return sequence(
    set(start, startOf(get(far))),
    set(at, get(start)),
    set(to, get(start)),
    set(end, i32.add(get(start), bytesOf(i32.load(get(far))))),
    repeat(
      i32.less(get(at), get(end)),
      set(score, f32.load(get(at))),
      f32.store(get(to), get(score)),
      i32.store(i32.add(get(to), get(width)), i32.load(i32.add(get(at), get(width)))),
      later(to, bytesOf(i32.isZero(drops))),
      later(at, four),
    ),
    set(end, get(to)),
    i32.store(get(far), i32.shiftRight(i32.subtract(get(end), get(start)), i32.constant(2))),
  );
}

/**
 * narrow(list, capacity, depth, room, unit): takes T, a score that at least `depth` of the near entries reach, keeps it as the
 * list's threshold, and drops the far ones that score less than (T - room) · unit approximately, but none of 255 or more. A list
 * without far ones stays as it is.
 */
export const narrow: WasmFunction = (() => {
  const [list, capacity, depth, room, unit] = [0, 1, 2, 3, 4];
  const [far, start, at, to, end, width] = [5, 6, 7, 8, 9, 10];
  const [score, low, lowest, highest] = [11, 12, 13, 14];
  return {
    name: "narrow",
    parameters: ["i32", "i32", "i32", "f32", "f32"],
    results: [],
    locals: [...new Array<"i32">(6).fill("i32"), "f32", "f32", "v128", "v128"],
    body: sequence(
      set(far, farList(get(list), get(capacity))),
      set(width, bytesOf(get(capacity))),
      when(
        i32.load(get(far)),
        set(start, startOf(get(list))),
        searched({ scores: start, end, at, depth, found: low, lowest, highest }, i32.load(get(list))),
        f32.store(get(list), get(low), 4),
        set(low, f32.minimum(f32.multiply(f32.subtract(get(low), get(room)), get(unit)), f32.constant(255))),
        keepFar({ far, start, at, to, end, score, width }, f32.less(get(score), get(low))),
      ),
    ),
  };
})();

/** join(list, capacity): moves the far entries that reach the list's threshold T exactly into the list, where their ids belong. */
export const join: WasmFunction = (() => {
  const [list, capacity] = [0, 1];
  const [far, start, at, to, end, width, near] = [2, 3, 4, 5, 6, 7, 8];
  const [score, low] = [9, 10];
  const idOf = (address: number): Code => i32.load(i32.add(get(address), get(width)));
  const move = (from: number): Code =>
    sequence(
      f32.store(get(to), f32.load(get(from))),
      i32.store(i32.add(get(to), get(width)), idOf(from)),
      later(from, i32.constant(-4)),
    );
  return {
    name: "join",
    parameters: ["i32", "i32"],
    results: [],
    locals: [...new Array<"i32">(7).fill("i32"), "f32", "f32"],
    body: sequence(
      set(far, farList(get(list), get(capacity))),
      set(width, bytesOf(get(capacity))),
      when(
        i32.load(get(far)),
        set(low, f32.load(get(list), 4)),
        keepFar({ far, start, at, to, end, score, width }, f32.less(get(score), get(low))),
        // From the last entry to the first, so that none is written over before it is read.
        set(near, i32.add(get(list), i32.add(i32.constant(listHeaderBytes - 4), bytesOf(i32.load(get(list)))))),
        set(at, i32.subtract(get(end), four)),
        set(to, i32.add(get(near), i32.subtract(get(end), get(start)))),
        i32.store(get(list), i32.add(i32.load(get(list)), i32.load(get(far)))),
        repeat(
          i32.isZero(i32.less(get(at), get(start))),
          when(
            i32.and(
              i32.greater(get(near), i32.add(get(list), i32.constant(listHeaderBytes - 4))),
              i32.greaterSigned(idOf(near), idOf(at)),
            ),
            move(near),
            otherwise,
            move(at),
          ),
          later(to, i32.constant(-4)),
        ),
      ),
    ),
  };
})();
