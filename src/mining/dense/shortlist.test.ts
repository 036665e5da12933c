import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openOneList } from "./one-list.contract.ts";

const list = openOneList(192, 16_384);
const { kernel, lists, capacity, free } = list;
const { bytes, floats } = kernel;

const float = fc.oneof(
  fc.float({ min: -1, max: 1, noNaN: true }),
  fc.integer({ min: -3, max: 3 }).map((n) => n / 4),
);

describe("offer", () => {
  it("takes a threshold from the scores and keeps the two best of nine, as one does by hand", () => {
    lists.reset(0, Number.NEGATIVE_INFINITY);
    floats.set([1, 9, 2, 8, 3, 7, 3, 8, 4], free / 4);
    kernel.offer(0, capacity, 2, free, 9, 100);
    // Of the first eight a score that two reach and no more do is between 8 and 9, or 8 where they tie: three reach it.
    expect(list.entries()).toEqual([
      [101, 9],
      [103, 8],
      [107, 8],
    ]);
    kernel.cut(0, capacity, 2);
    expect(list.entries()).toEqual([
      [101, 9],
      [103, 8],
    ]);
  });

  it("keeps the best of all blocks, never what is not a number", () => {
    const score = fc.oneof({ weight: 30, arbitrary: float }, fc.constantFrom(Number.NaN, 3e38, -3e38));
    fc.assert(
      fc.property(
        fc.array(fc.array(score, { minLength: 1, maxLength: 600, size: "max" }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 60 }),
        (blocks, depth) => {
          lists.reset(0, Number.NEGATIVE_INFINITY);
          let id = 0;
          for (const block of blocks) {
            floats.set(block, free / 4);
            kernel.offer(0, capacity, depth, free, block.length, id);
            id += block.length;
          }
          const all = blocks
            .flat()
            .flatMap((value, at) => (Number.isNaN(value) ? [] : [[at, Math.fround(value)] as const]));
          const best = all.toSorted((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, depth);
          expect(list.entries()).toEqual(expect.arrayContaining(best));
          expect(all).toEqual(expect.arrayContaining(list.entries()));
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("shortlist", () => {
  it("keeps what is within the margin of the two best, as one does by hand", () => {
    lists.reset(0, Number.NEGATIVE_INFINITY);
    floats.set([1, 9, 2, 8, 3, 7, 3, 6.5], free / 4);
    kernel.shortlist(0, capacity, 2, 2, free, 8, 100);
    // Between 1 and 9 half is 5, which 4 reach; 7, which 3 reach; 8, which 2 reach: all above 8 - 2 stay.
    expect(lists.threshold(0)).toBe(6);
    expect(list.entries()).toEqual(
      expect.arrayContaining([
        [101, 9],
        [103, 8],
        [105, 7],
        [107, 6.5],
      ]),
    );
    expect(list.entries()).toHaveLength(4);
  });

  it("keeps all within the margin, in order, or says that the list overflowed", () => {
    let [overflowed, whole] = [0, 0];
    fc.assert(
      fc.property(
        fc.array(fc.array(float, { minLength: 1, maxLength: 300, size: "max" }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom(0.01, 0.2, 1),
        (blocks, depth, margin) => {
          lists.reset(0, Number.NEGATIVE_INFINITY);
          let id = 0;
          for (const block of blocks) {
            floats.set(block, free / 4);
            kernel.shortlist(0, capacity, depth, margin, free, block.length, id);
            id += block.length;
          }
          if (lists.overflowed(0)) return void overflowed++;
          whole++;
          const all = blocks.flat().map((value, at) => [at, Math.fround(value)] as const);
          const last = all.map(([, value]) => value).toSorted((a, b) => b - a)[depth - 1] ?? -9;
          const held = list.entries();
          expect(held).toEqual(expect.arrayContaining(all.filter(([, value]) => value > last - margin)));
          expect(all).toEqual(expect.arrayContaining(held));
          expect(held.map(([at]) => at)).toEqual(held.map(([at]) => at).sort((a, b) => a - b));
        },
      ),
      { numRuns: 200 },
    );
    expect(overflowed).toBeGreaterThan(0);
    expect(whole).toBeGreaterThan(0);
  });
});

describe("shortlistBytes", () => {
  it("takes the bytes above the threshold, as one does by hand", () => {
    lists.reset(0, 99.5);
    bytes.fill(0, free, free + 64).set([99, 100, 255, 7], free);
    kernel.shortlistBytes(0, capacity, 2, 10, free, 64, 1000);
    expect(list.entries()).toEqual([
      [1001, 100],
      [1002, 255],
    ]);
  });

  it("takes every byte above the threshold, in order, and keeps what is near the best, or says that it could not", () => {
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 254, 255), fc.integer({ min: 90, max: 110 }));
    const block = fc.array(byte, { minLength: 64, maxLength: 64 });
    let [overflowed, cut] = [0, 0];
    fc.assert(
      fc.property(
        fc.array(block, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(0, 0.5, 99, 99.5, 200, 254.9, 255),
        fc.constantFrom(0.5, 3, 20, 300),
        fc.integer({ min: 1, max: 40 }),
        (blocks, start, margin, depth) => {
          const threshold = Math.fround(start);
          lists.reset(0, threshold);
          blocks.forEach((block, at) => {
            bytes.set(block, free);
            kernel.shortlistBytes(0, capacity, depth, margin, free, 64, at * 64);
          });
          const above = blocks.flat().flatMap((value, id) => (value > threshold ? [[id, value] as const] : []));
          if (lists.overflowed(0)) {
            overflowed++;
            expect(above.length).toBeGreaterThan(capacity - 64);
            return;
          }
          const held = list.entries();
          expect(held.map(([id]) => id)).toEqual(held.map(([id]) => id).sort((a, b) => a - b));
          const best = above.map(([, value]) => value).sort((a, b) => b - a)[depth - 1] ?? 0;
          const near = above.filter(([, value]) => value > best - margin);
          expect(held).toEqual(expect.arrayContaining(near));
          if (lists.threshold(0) === threshold) expect(held).toEqual(above);
          else cut++;
          expect(above).toEqual(expect.arrayContaining(held));
        },
      ),
      { numRuns: 300 },
    );
    expect(overflowed).toBeGreaterThan(0);
    expect(cut).toBeGreaterThan(0);
  });
});
