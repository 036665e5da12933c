import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Selection } from "./selection.ts";

/** The plain way: sort everything. */
function sorted(scores: readonly number[], depth: number): [id: number, score: number][] {
  return scores
    .map((score, id): [number, number] => [id, score])
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, depth);
}

function select(scores: readonly number[], depth: number, columns: number, inPlace: boolean): [number, number][] {
  const selection = new Selection(3, depth, 1, 2 * columns);
  for (let start = 0; start < scores.length; start += columns) {
    const valid = Math.min(columns, scores.length - start);
    const block = inPlace ? selection.blocks[0]! : new Float32Array(2 * columns);
    block.fill(9); // row 0 and padding must never be looked at
    block.set(scores.slice(start, start + valid), columns);
    selection.offer(1, { scores: block, columns }, 1, valid, start);
  }
  const ids = new Int32Array(depth);
  const found = new Float32Array(depth);
  expect(selection.finish(0, ids, found, 0)).toBe(0);
  expect(selection.finish(2, ids, found, 0)).toBe(0);
  const length = selection.finish(1, ids, found, 0);
  return Array.from({ length }, (_, at) => [ids[at]!, found[at]!]);
}

const someScores = fc.oneof(
  fc.array(
    fc.integer({ min: -40, max: 40 }).map((n) => n / 32),
    { minLength: 1, maxLength: 700 },
  ), // many ties
  fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 3000, size: "max" }),
);

describe("Selection", () => {
  it("equals a full sort with ties by the smaller id, for any blocks and groups", () => {
    fc.assert(
      fc.property(
        someScores,
        fc.integer({ min: 1, max: 90 }),
        fc.constantFrom(7, 16, 50, 256, 1024, 5000),
        fc.boolean(),
        (scores, depth, columns, inPlace) => {
          expect(select(scores, depth, columns, inPlace).map(plusZero)).toEqual(sorted(scores, depth).map(plusZero));
        },
      ),
    );
  });

  it("keeps every candidate where there are fewer than the depth", () => {
    for (const inPlace of [true, false]) {
      expect(select([0.5, -1, 0.5], 10, 16, inPlace)).toEqual([
        [0, 0.5],
        [2, 0.5],
        [1, -1],
      ]);
    }
  });

  it.each([
    ["ascending", (at: number) => at / 5000],
    ["descending", (at: number) => -at / 5000],
    ["all equal", () => 0.25],
    ["two values", (at: number) => (at % 3 === 0 ? 1 : -1)],
    ["neighbouring floats", (at: number) => 1 + (at % 4) * 2 ** -23],
    ["zeros of both signs", (at: number) => (at % 2 === 0 ? 0 : -0)],
    ["huge, tiny and infinite", (at: number) => [3e38, 1e-45, -3e38, Number.POSITIVE_INFINITY, 0][at % 5]!],
  ])("equals a full sort for scores that are %s", (_name, score) => {
    const scores = Array.from({ length: 5000 }, (_, at) => Math.fround(score(at)));
    for (const depth of [1, 3, 300]) {
      expect(select(scores, depth, 1024, true).map(plusZero)).toEqual(sorted(scores, depth).map(plusZero));
    }
  });

  it("never keeps a score that is not a number", () => {
    const scores = Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? Number.NaN : at));
    expect(select(scores, 60, 64, true).map(([id]) => id)).toEqual(Array.from({ length: 50 }, (_, at) => 99 - 2 * at));
  });

  it("averages blocks in place and forgets at reset", () => {
    const selection = new Selection(1, 2, 2, 16);
    const [a, b] = selection.blocks.map((scores) => ({ scores, columns: 8 }));
    a!.scores.set([1, 2, 3, 4, 5, 6, 7, 8], 8);
    b!.scores.set([3, 2, 1, 0, 3, 0, 0, 0], 0);
    selection.average(a!, 1, b!, 0);
    expect([...a!.scores.subarray(8)]).toEqual([2, 2, 2, 2, 4, 3, 3.5, 4]);
    selection.offer(0, a!, 1, 8, 10);
    selection.reset();
    selection.offer(0, a!, 1, 5, 20);
    const ids = new Int32Array(2);
    const scores = new Float32Array(2);
    expect(selection.finish(0, ids, scores, 0)).toBe(2);
    expect([[...ids], [...scores]]).toEqual([
      [24, 20],
      [4, 2],
    ]);
  });
});

/** toEqual tells -0 from 0; the order must not. */
function plusZero([id, score]: [number, number]): [number, number] {
  return [id, score + 0];
}
