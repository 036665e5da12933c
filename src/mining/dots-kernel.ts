import { wasm } from "../kernels/index.ts";
import { fold, listHeaderBytes } from "./selection-kernel.ts";

const { branchIf, f32, get, i32, loop, otherwise, repeat, sequence, set, v128, when } = wasm;
type Code = wasm.Code;
type WasmFunction = wasm.WasmFunction;

/** Candidates whose products with one vector are summed side by side. */
const together = 3;
/** Entries that are summed apart; vectors are padded to a multiple of them. */
export const partialSums = 8;
const [next, half] = [12, 16];

/** Bytes that `dots` needs for runs of at most `cells` candidates. */
export function dotsTableBytes(cells: number): number {
  return cells * cellBytes + (cells + together) * todoBytes;
}
/** Of a candidate: whose score it has (the address of a vector), and the score. */
const cellBytes = 8;
/** Of a product to be computed: its cell, and where the score belongs. */
const todoBytes = 8;

/**
 * dots(list, lists, capacity, firstId, endId, candidates, stride, vectors, column, table): scores entries of `lists` lists (see
 * `ScreenKernel`), one after the other from byte `list` on, those with ids from `firstId` up to `endId`: the dot products of
 * their candidates' vectors, of `stride` bytes (a multiple of 32) from `candidates` on, with the vector of each list, whose
 * address is in the int32s at `vectors`; into `column` (0 the scores, 2 and 3 the others). Ranges of ids must follow each
 * other, the first one beginning at 0. Neighbouring lists of the same vector share its products. `table` is room for them.
 *
 * Products are rounded to float32 and summed in float32: entry k to partial sum k mod 8, in order; then sum l + sum (l+4) for l
 * from 0 to 3, and of these (0 + 1) + (2 + 3). So every machine gives the same bits. Three candidates at a time load the
 * list's vector once for all; more partial sums, or more candidates, and the engine runs out of registers.
 */
export const dots: WasmFunction = (() => {
  const [list, lists, capacity, firstId, endId, candidates, stride, vectors, column, table] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
  ];
  const [entry, ids, stop, vector, todo, count, cell, at, end] = [10, 11, 12, 13, 14, 15, 16, 17, 18];
  const [address, from, to] = [[19, 20, 21] as const, 22, 23];
  const [low, high] = [24, 25];
  const sums = [26, 27, 28, 29, 30, 31];
  const bytesOf = (index: Code): Code => i32.shiftLeft(index, i32.constant(2));
  const later = (local: number, by: number): Code => set(local, i32.add(get(local), i32.constant(by)));
  const inRun = i32.and(i32.less(get(ids), get(stop)), i32.lessSigned(i32.load(get(ids)), get(endId)));
  // Of the list's entries in this run, those whose products are there get them, and the others are listed, the last one thrice.
  const collect = sequence(
    set(to, get(todo)),
    repeat(
      inRun,
      set(cell, i32.add(get(table), i32.shiftLeft(i32.subtract(i32.load(get(ids)), get(firstId)), i32.constant(3)))),
      when(
        i32.equal(i32.load(get(cell)), get(vector)),
        f32.store(get(entry), f32.load(get(cell), 4)),
        otherwise,
        i32.store(get(cell), get(vector)),
        i32.store(get(to), get(cell)),
        i32.store(get(to), get(entry), 4),
        later(to, todoBytes),
      ),
      later(ids, 4),
      later(entry, 4),
    ),
    set(count, get(to)),
    when(
      i32.greater(get(to), get(todo)),
      ...[0, 1].flatMap((which) =>
        [0, 4].map((part) =>
          i32.store(get(to), i32.load(i32.subtract(get(to), i32.constant(todoBytes)), part), which * todoBytes + part),
        ),
      ),
    ),
  );
  const multiply = sequence(
    set(from, get(todo)),
    repeat(
      i32.less(get(from), get(count)),
      ...address.map((each, which) =>
        set(
          each,
          i32.add(
            get(candidates),
            i32.multiply(
              i32.shiftRight(i32.subtract(i32.load(get(from), which * todoBytes), get(table)), i32.constant(3)),
              get(stride),
            ),
          ),
        ),
      ),
      set(at, get(vector)),
      set(end, i32.add(get(at), get(stride))),
      ...sums.map((sum) => set(sum, v128.zero)),
      loop(
        set(low, v128.load(get(at))),
        set(high, v128.load(get(at), half)),
        ...sums.map((sum, which) => {
          const product = v128.multiplyF32(
            v128.load(get(address[which >> 1] as number), (which & 1) * half),
            get(which & 1 ? high : low),
          );
          return set(sum, v128.addF32(get(sum), product));
        }),
        later(at, 32),
        ...address.map((each) => later(each, 32)),
        branchIf(0, i32.less(get(at), get(end))),
      ),
      ...address.flatMap((_, which) => [
        set(low, v128.addF32(get(sums[which * 2] as number), get(sums[which * 2 + 1] as number))),
        f32.store(i32.load(get(from), which * todoBytes), fold(f32.add, get(low)), 4),
        f32.store(i32.load(get(from), which * todoBytes + 4), f32.load(i32.load(get(from), which * todoBytes), 4)),
      ]),
      later(from, together * todoBytes),
    ),
  );
  const firstOf = i32.add(get(list), i32.constant(listHeaderBytes));
  return {
    name: "dots",
    parameters: new Array<"i32">(10).fill("i32"),
    results: [],
    locals: [...new Array<"i32">(14).fill("i32"), ...new Array<"v128">(8).fill("v128")],
    body: sequence(
      set(todo, i32.add(get(table), i32.shiftLeft(i32.subtract(get(endId), get(firstId)), i32.constant(3)))),
      set(cell, get(table)),
      repeat(i32.less(get(cell), get(todo)), i32.store(get(cell), i32.constant(-1)), later(cell, cellBytes)),
      repeat(
        get(lists),
        set(at, i32.constant(0)),
        when(get(firstId), set(at, bytesOf(i32.load(get(list), next)))),
        set(ids, i32.add(firstOf, bytesOf(get(capacity)))),
        set(stop, i32.add(get(ids), bytesOf(i32.load(get(list))))),
        set(entry, i32.add(get(at), i32.add(firstOf, i32.multiply(bytesOf(get(capacity)), get(column))))),
        set(ids, i32.add(get(ids), get(at))),
        set(vector, i32.load(get(vectors))),
        collect,
        multiply,
        i32.store(
          get(list),
          i32.shiftRight(i32.subtract(get(ids), i32.add(firstOf, bytesOf(get(capacity)))), i32.constant(2)),
          next,
        ),
        set(
          list,
          i32.add(get(list), i32.add(i32.shiftLeft(get(capacity), i32.constant(4)), i32.constant(listHeaderBytes))),
        ),
        later(vectors, 4),
        set(lists, i32.subtract(get(lists), i32.constant(1))),
      ),
    ),
  };
})();
