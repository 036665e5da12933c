import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CounterRandom } from "./random.ts";
import { TopKBuffer } from "./top-k.ts";

/** Few distinct values, so that ties are common, and the extremes. */
const score = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.float({ noNaN: true }),
  fc.constantFrom(0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);
const scoreLists = fc.array(score, { maxLength: 300 }).map((values) => Float32Array.from(values));

/** Ids from 0 on and scores, best first, ties by the smaller id. */
function byFullSort(scores: Float32Array, k: number): { ids: Int32Array; scores: Float32Array } {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => {
    return scores[a] === scores[b] ? a - b : scores[a]! > scores[b]! ? -1 : 1;
  });
  const best = order.slice(0, k);
  return { ids: Int32Array.from(best), scores: Float32Array.from(best, (i) => scores[i]!) };
}

describe("TopKBuffer", () => {
  it("keeps the two best of two blocks, as one does by hand", () => {
    const buffer = new TopKBuffer(2);
    buffer.offer(Float32Array.of(1, 3, 2), 0, 3, 10);
    buffer.offer(Float32Array.of(9, 3, 0), 1, 3, 20);
    const [ids, scores] = [new Int32Array(2), new Float32Array(2)];
    expect(buffer.finish(ids, scores)).toBe(2);
    expect([[...ids], [...scores]]).toEqual([
      [11, 20],
      [3, 3],
    ]);
  });

  it("gives the same for any order and size of blocks, and after a reset", () => {
    fc.assert(
      fc.property(
        scoreLists,
        fc.nat(40),
        fc.array(fc.nat(300), { maxLength: 6 }),
        fc.nat(),
        (scores, k, cuts, seed) => {
          const edges = [0, ...cuts.map((cut) => Math.min(cut, scores.length)), scores.length].sort((a, b) => a - b);
          const blocks = new CounterRandom(seed, 0, 0, 0).shuffle(
            edges.slice(1).map((end, i) => [edges[i]!, end] as const),
          );
          const buffer = new TopKBuffer(k);
          buffer.offer(Float32Array.of(9e9, 9e9, -1), 0, 3, 5000);
          buffer.reset();
          for (const [start, end] of blocks) buffer.offer(scores, start, end, 1000 + start);
          const expected = byFullSort(scores, k);
          const ids = new Int32Array(k + 1).fill(-7);
          const best = new Float32Array(k + 1);
          expect(buffer.finish(ids, best)).toBe(expected.ids.length);
          expect(ids.subarray(0, expected.ids.length)).toEqual(expected.ids.map((id) => id + 1000));
          expect(best.subarray(0, expected.ids.length)).toEqual(expected.scores);
          expect(ids[expected.ids.length]).toBe(-7);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("is fast and right for sorted, reversed and constant scores", () => {
    const n = 200_000;
    const shapes = [(i: number) => i, (i: number) => -i, () => 1, (i: number) => i % 2];
    for (const shape of shapes) {
      const scores = Float32Array.from({ length: n }, (_, i) => shape(i));
      const buffer = new TopKBuffer(1000);
      buffer.offer(scores, 0, n, 0);
      const found = { ids: new Int32Array(1000), scores: new Float32Array(1000) };
      buffer.finish(found.ids, found.scores);
      expect(found).toEqual(byFullSort(scores, 1000));
    }
  });

  it.each([0, 5, 9])("refuses NaN at place %i", (place) => {
    const scores = new Float32Array(10).fill(1);
    scores[place] = Number.NaN;
    expect(() => new TopKBuffer(3).offer(scores, 0, 10, 0)).toThrow(/NaN/);
    expect(() => new TopKBuffer(3).offer(scores, 0, 10, 0)).toThrow(RangeError);
  });

  it("refuses a capacity that is no integer of 0 or more, and keeps nothing in none", () => {
    expect(() => new TopKBuffer(-1)).toThrow(RangeError);
    expect(() => new TopKBuffer(1.5)).toThrow(RangeError);
    const none = new TopKBuffer(0);
    none.offer(new Float32Array(3), 0, 3, 0);
    expect(none.size).toBe(0);
  });

  it("goes on after finish", () => {
    const buffer = new TopKBuffer(2);
    const ids = new Int32Array(2);
    const scores = new Float32Array(2);
    buffer.offer(Float32Array.of(1, 3), 0, 2, 0);
    buffer.finish(ids, scores);
    buffer.offer(Float32Array.of(2), 0, 1, 2);
    buffer.finish(ids, scores);
    expect([...ids]).toEqual([1, 2]);
    expect([...scores]).toEqual([3, 2]);
  });

  it("refuses a block outside its scores and a target too small", () => {
    const buffer = new TopKBuffer(4);
    expect(() => buffer.offer(new Float32Array(3), 0, 4, 0)).toThrow(RangeError);
    buffer.offer(new Float32Array(3), 0, 3, 0);
    expect(() => buffer.finish(new Int32Array(2), new Float32Array(4))).toThrow(RangeError);
  });
});
