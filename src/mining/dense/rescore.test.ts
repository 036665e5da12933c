import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CounterRandom } from "../../kernels/index.ts";
import { openDense } from "./compiled/dense.ts";
import { tableBytes } from "./dense-memory.ts";
import { bytesOfList, Lists } from "./lists.ts";

const capacity = 48;
const mostLists = 5;
const mostCandidates = 40;
const mostStride = 256;
const vectors = bytesOfList(capacity) * mostLists;
const aims = vectors + mostStride * mostLists;
const candidates = aims + 64;
const table = candidates + mostCandidates * mostStride;
const kernel = openDense(table + tableBytes(mostCandidates));
const lists = new Lists(kernel.bytes.buffer, capacity);

/** Partial sums of eight, folded in the order that the kernel promises. */
function dot(a: Float32Array, b: Float32Array): number {
  const sums = new Float32Array(8);
  a.forEach((value, k) => {
    sums[k % 8] = sums[k % 8]! + Math.fround(value * b[k]!);
  });
  for (let lane = 0; lane < 4; lane++) sums[lane] = sums[lane]! + sums[lane + 4]!;
  return Math.fround(Math.fround(sums[0]! + sums[1]!) + Math.fround(sums[2]! + sums[3]!));
}

describe("rescore", () => {
  it("gives a list's entries their dot products, as one does by hand", () => {
    lists.count(0, 2);
    kernel.ints[lists.scoresAddress(0) / 4 + capacity + 1] = 2; // entries 0 and 2 of three candidates
    kernel.floats.set([1, 2, 0, 0, 0, 0, 0, 0], vectors / 4);
    kernel.floats.set([3, 4, 9, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, -1, 0.5, 7, 0, 0, 0, 0, 0], candidates / 4);
    kernel.ints[aims / 4] = vectors;
    kernel.rescore(0, 1, capacity, 0, 3, candidates, 32, aims, 0, table);
    expect([...lists.scores(0, 0)]).toEqual([11, 0]);
  });

  it("scores each entry once it is in the run, to the bit, lists of one vector sharing their products", () => {
    const ids = fc.uniqueArray(fc.nat(mostCandidates - 1), { maxLength: mostCandidates });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(ids, fc.nat(1)), { minLength: 1, maxLength: mostLists }),
        fc.integer({ min: 1, max: mostStride / 32 }),
        fc.uniqueArray(fc.integer({ min: 1, max: mostCandidates - 1 }), { maxLength: 4 }),
        fc.constantFrom(0, 2, 3),
        fc.nat(),
        (given, steps, cuts, column, seed) => {
          const [stride, width] = [steps * 32, steps * 8];
          const random = new CounterRandom(seed, 0, 0, 1);
          const vectorOf = (start: number, row: number): Float32Array =>
            kernel.floats.subarray(start / 4 + row * width, start / 4 + (row + 1) * width);
          kernel.floats.set(
            Float32Array.from({ length: mostLists * width }, () => random.float() - 0.5),
            vectors / 4,
          );
          given.forEach(([some, vector], list) => {
            lists.reset(list, 0);
            lists.count(list, some.length);
            lists.ids(list).set(some.toSorted((a, b) => a - b));
            lists.scores(list, column).fill(-7);
            kernel.ints[aims / 4 + list] = vectors + vector * stride;
          });
          const all = Float32Array.from({ length: mostCandidates * width }, () => random.float() - 0.5);
          let from = 0;
          for (const to of [...cuts.sort((a, b) => a - b), mostCandidates]) {
            kernel.floats.set(all.subarray(from * width, to * width), candidates / 4);
            kernel.rescore(0, given.length, capacity, from, to, candidates, stride, aims, column, table);
            from = to;
          }
          given.forEach(([, vector], list) => {
            const expected = Array.from(lists.ids(list), (id) =>
              dot(vectorOf(vectors, vector), all.subarray(id * width, (id + 1) * width)),
            );
            expect([...lists.scores(list, column)]).toEqual(expected);
          });
        },
      ),
      { numRuns: 200 },
    );
  });
});
