import { wasm } from "../kernels/index.ts";
import { fold, listHeaderBytes } from "./selection-kernel.ts";

const { branchIf, f32, get, i32, loop, repeat, sequence, set, v128, when } = wasm;
type Code = wasm.Code;
type WasmFunction = wasm.WasmFunction;

/** Candidates whose products with one vector are summed side by side. */
const together = 3;
/** Entries that are summed apart; vectors are padded to a multiple of them. */
export const partialSums = 8;
const [next, half] = [12, 16];

/** Bytes that `dots` needs for runs of at most `cells` candidates. */
export function dotsTableBytes(cells: number): number {
  return cells * cellBytes + (cells + together) * 4;
}
/** Of a candidate: whose score it has (the address of a vector), and the score. */
const cellBytes = 8;

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
  const [length, place, entry, ids, vector, todo, count, cell, at, end] = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
  const [address, from, to] = [[20, 21, 22] as const, 23, 24];
  const [low, high] = [25, 26];
  const sums = [27, 28, 29, 30, 31, 32];
  const bytesOf = (index: Code): Code => i32.shiftLeft(index, i32.constant(2));
  const later = (local: number, by: number): Code => set(local, i32.add(get(local), i32.constant(by)));
  const cellOf = (id: Code): Code =>
    i32.add(get(table), i32.shiftLeft(i32.subtract(id, get(firstId)), i32.constant(3)));
  const inRun = i32.and(
    i32.lessSigned(get(place), get(length)),
    i32.lessSigned(i32.load(i32.add(get(ids), bytesOf(get(place)))), get(endId)),
  );
  // What of the list lies in this run and is not there for the same vector: addresses of cells, the last one thrice.
  const collect = sequence(
    set(from, get(place)),
    set(to, get(todo)),
    repeat(
      inRun,
      set(cell, cellOf(i32.load(i32.add(get(ids), bytesOf(get(place)))))),
      i32.store(get(to), get(cell)),
      when(i32.subtract(i32.load(get(cell)), get(vector)), later(to, 4), i32.store(get(cell), get(vector))),
      later(place, 1),
    ),
    set(count, get(to)),
    when(
      i32.greater(get(to), get(todo)),
      set(cell, i32.load(i32.subtract(get(to), i32.constant(4)))),
      i32.store(get(to), get(cell)),
      i32.store(get(to), get(cell), 4),
    ),
  );
  const multiply = sequence(
    set(to, get(todo)),
    repeat(
      i32.less(get(to), get(count)),
      ...address.map((each, which) =>
        set(
          each,
          i32.add(
            get(candidates),
            i32.multiply(
              i32.shiftRight(i32.subtract(i32.load(get(to), which * 4), get(table)), i32.constant(3)),
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
        f32.store(i32.load(get(to), which * 4), fold(f32.add, get(low)), 4),
      ]),
      later(to, together * 4),
    ),
  );
  const spread = repeat(
    i32.less(get(from), get(place)),
    f32.store(
      i32.add(get(entry), bytesOf(get(from))),
      f32.load(cellOf(i32.load(i32.add(get(ids), bytesOf(get(from))))), 4),
    ),
    later(from, 1),
  );
  const firstOf = i32.add(get(list), i32.constant(listHeaderBytes));
  return {
    name: "dots",
    parameters: new Array<"i32">(10).fill("i32"),
    results: [],
    locals: [...new Array<"i32">(15).fill("i32"), ...new Array<"v128">(8).fill("v128")],
    body: sequence(
      set(todo, cellOf(get(endId))),
      set(cell, get(table)),
      repeat(i32.less(get(cell), get(todo)), i32.store(get(cell), i32.constant(-1)), later(cell, cellBytes)),
      repeat(
        get(lists),
        set(length, i32.load(get(list))),
        set(place, i32.constant(0)),
        when(get(firstId), set(place, i32.load(get(list), next))),
        set(ids, i32.add(firstOf, bytesOf(get(capacity)))),
        set(entry, i32.add(firstOf, i32.multiply(bytesOf(get(capacity)), get(column)))),
        set(vector, i32.load(get(vectors))),
        collect,
        multiply,
        spread,
        i32.store(get(list), get(place), next),
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
