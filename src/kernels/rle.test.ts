import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../test/peers.ts";
import { CounterRandom } from "./random.ts";
import { rleFromCounts, rleFromMask, rleFromString, rleToMask, rleToString } from "./rle.ts";
import { rleArea, rleBox, rleIntersectionArea, rleOverlapArea, rleUnion } from "./rle-combine.ts";

interface Raster {
  readonly height: number;
  readonly width: number;
  readonly masks: Uint8Array[];
}

/** Up to four rasters of one size; blocks as well as noise, so that runs touch, nest and span columns. */
const rasters: fc.Arbitrary<Raster> = fc
  .record({ height: fc.integer({ min: 1, max: 12 }), width: fc.integer({ min: 1, max: 12 }) })
  .chain(({ height, width }) => {
    const noise = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: height * width, maxLength: height * width });
    const block = fc
      .tuple(fc.nat(height * width), fc.nat(height * width))
      .map(([a, b]) => Array.from({ length: height * width }, (_, i) => Number(i >= a && i < a + b)));
    const mask = fc.oneof(noise, block).map((values) => Uint8Array.from(values));
    return fc.array(mask, { minLength: 1, maxLength: 4 }).map((masks) => ({ height, width, masks }));
  });

const cover = (masks: readonly Uint8Array[], i: number): number => masks.reduce((sum, mask) => sum + mask[i]!, 0);

describe("run lengths", () => {
  it("survive the ways from mask to runs to text and back", () => {
    fc.assert(
      fc.property(rasters, ({ height, width, masks }) => {
        const rle = rleFromMask(masks[0]!, height, width);
        expect(rleToMask(rle)).toEqual(masks[0]);
        expect(rleFromString(rleToString(rle), height, width)).toEqual(rle);
        expect(rleFromCounts([...rle.counts], height, width)).toEqual(rle);
        expect(rleArea(rle)).toBe(masks[0]!.filter((v) => v).length);
      }),
    );
  });

  it("survive text for any counts, with zeros and jumps of 31 bits", () => {
    const count = fc.oneof(fc.nat(40), fc.nat(5000), fc.nat(400_000_000));
    fc.assert(
      fc.property(fc.array(count, { minLength: 1, maxLength: 5 }), (counts) => {
        const total = counts.reduce((sum, n) => sum + n, 0);
        const rle = rleFromCounts(counts, total, 1);
        expect([...rleFromString(rleToString(rle), total, 1).counts]).toEqual(counts);
      }),
    );
  });

  it("read any nonzero byte as set and write the value asked for", () => {
    const rle = rleFromMask(Uint8Array.of(0, 255, 7, 0, 0, 1), 2, 3);
    expect([...rle.counts]).toEqual([2, 1, 1, 2]);
    expect([...rleToMask(rle, 255)]).toEqual([0, 255, 255, 0, 0, 255]);
  });

  it("are those of a walk down the columns, of any width and at any least value, of bytes and of 16 bits", () => {
    const walk = (mask: Uint8Array | Uint16Array, height: number, width: number, least: number): number[] => {
      const counts = [0];
      for (let at = 0, isSet = false; at < mask.length; at++) {
        const now = mask[(at % height) * width + Math.floor(at / height)]! >= least;
        if (now !== isSet) counts.push(0);
        isSet = now;
        counts[counts.length - 1]!++;
      }
      return counts;
    };
    const cases = fc.record({
      height: fc.integer({ min: 1, max: 9 }),
      width: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 60, max: 140 })),
      least: fc.constantFrom(1, 2, 128, 255, 256),
      density: fc.constantFrom(0, 0.03, 0.5, 1),
      seed: fc.nat(1000),
      deep: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ height, width, least, density, seed, deep }) => {
        const random = new CounterRandom(3, seed, 0, 0);
        const value = (): number => (random.float() < density ? random.below(deep ? 600 : 256) : 0);
        const values = Array.from({ length: height * width }, value);
        const mask = deep ? Uint16Array.from(values) : Uint8Array.from(values);
        const { counts } = rleFromMask(mask, height, width, least);
        expect([...counts]).toEqual(walk(mask, height, width, least));
      }),
    );
  });

  it("of a mask without pixels are one count of 0", () => {
    expect([...rleFromMask(new Uint8Array(0), 0, 9).counts]).toEqual([0]);
    expect(rleToMask(rleFromString("", 0, 9))).toEqual(new Uint8Array(0));
  });

  it.each([
    ["a character below the alphabet", "4/", 2, 2, /character 1/],
    ["a character above the alphabet", "4p", 2, 2, /character 1/],
    ["a letter beyond ASCII", "4é", 2, 2, /character 1/],
    ["a count that is cut off", "4P", 2, 2, /end inside/],
    ["a count of more than 32 bits", "PPPPPPPPPPPP0", 2, 2, /32 bits/],
    ["a negative count", "O", 2, 2, /negative/],
    ["too many pixels", "5", 2, 2, /add up to 4/],
    ["too few pixels", "3", 2, 2, /add up to 4/],
    ["nothing for a mask with pixels", "", 2, 2, /add up to 4/],
    ["a size that is no integer", "4", 1.5, 2, /integers/],
    ["a size below 0", "4", -1, -4, /integers/],
    ["a size beyond 31 bits", "4", 2 ** 20, 2 ** 20, /2\^31/],
  ])("as text are refused for %s", (_, text, height, width, message) => {
    expect(() => rleFromString(text, height, width)).toThrow(RangeError);
    expect(() => rleFromString(text, height, width)).toThrow(message);
  });

  it.each([
    ["a negative count", [-1, 5]],
    ["a fraction", [1.5, 2.5]],
    ["NaN", [Number.NaN, 4]],
    ["infinity", [Number.POSITIVE_INFINITY]],
    ["a wrong sum", [1, 2]],
    ["a sum of 2^53", [2 ** 53, 1]],
    ["text", ["4"] as unknown as number[]],
  ])("as numbers are refused for %s", (_, counts) => {
    expect(() => rleFromCounts(counts, 2, 2)).toThrow(RangeError);
  });

  it("are refused where the mask's length is not height × width", () => {
    expect(() => rleFromMask(new Uint8Array(5), 2, 3)).toThrow(/6 bytes, got 5/);
  });
});

describe("masks combined", () => {
  it("equal the same operation on their rasters", () => {
    fc.assert(
      fc.property(rasters, ({ height, width, masks }) => {
        const rles = masks.map((mask) => rleFromMask(mask, height, width));
        const atLeast = (depth: number) => masks[0]!.map((_, i) => Number(cover(masks, i) >= depth));
        const union = rleUnion(rles, height, width);
        expect(union).toEqual(rleFromMask(atLeast(1), height, width));
        expect(rleOverlapArea(rles)).toBe(atLeast(2).filter((v) => v).length);
        const [a, b = rles[0]!] = rles as [(typeof rles)[0], ...typeof rles];
        const shared = rleArea(a) + rleArea(b) - rleArea(rleUnion([a, b], height, width));
        expect(rleIntersectionArea(a, b)).toBe(shared);
      }),
    );
  });

  it("are right where runs of length 0 occur", () => {
    const counts = fc.array(fc.oneof(fc.constant(0), fc.nat(6)), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(counts, counts, (first, second) => {
        const sum = (values: number[]) => values.reduce((total, n) => total + n, 0);
        const pixels = Math.max(sum(first), sum(second)) + 1;
        const [a, b] = [first, second].map((values) => {
          const padded =
            values.length % 2 === 1 ? [...values, 0, pixels - sum(values)] : [...values, pixels - sum(values)];
          return rleFromCounts(padded, pixels, 1);
        }) as [ReturnType<typeof rleFromCounts>, ReturnType<typeof rleFromCounts>];
        const [x, y] = [rleToMask(a), rleToMask(b)];
        const both = x.map((v, i) => v & y[i]!);
        expect(rleToMask(rleUnion([a, b], pixels, 1))).toEqual(x.map((v, i) => v | y[i]!));
        expect(rleIntersectionArea(a, b)).toBe(both.filter((v) => v).length);
        expect(rleBox(a)).toEqual(rleBox(rleFromMask(x, pixels, 1)));
      }),
    );
  });

  it("are empty where there is none, and refused where sizes differ", () => {
    expect([...rleUnion([], 2, 3).counts]).toEqual([6]);
    expect(rleOverlapArea([])).toBe(0);
    const a = rleFromCounts([6], 2, 3);
    const b = rleFromCounts([6], 3, 2);
    expect(rleBox(a)).toEqual([0, 0, 0, 0]);
    expect(rleIntersectionArea(a, a)).toBe(0);
    for (const combine of [
      () => rleUnion([a, b], 2, 3),
      () => rleIntersectionArea(a, b),
      () => rleOverlapArea([a, b]),
    ]) {
      expect(combine).toThrow(/2 × 3, got 3 × 2/);
    }
  });

  it.skipIf(!pythonHas("pycocotools.mask", "numpy"))("equal pycocotools on random rasters", () => {
    const random = new CounterRandom(99, 0, 0, 1);
    const cases = Array.from({ length: 400 }, (_, i) => {
      const height = 1 + random.below(40);
      const width = 1 + random.below(40);
      const share = [0, 0.05, 0.5, 0.95, 1][i % 5]!;
      const masks = Array.from({ length: 1 + random.below(4) }, () =>
        Uint8Array.from({ length: height * width }, () => Number(random.float() < share)),
      );
      return { height, width, rles: masks.map((mask) => rleFromMask(mask, height, width)), masks };
    });
    const script = `
import sys, json, numpy as np
from pycocotools import mask as M
for c in json.load(sys.stdin):
    h, w = c["h"], c["w"]
    rs = [M.encode(np.asfortranarray(np.array(m, np.uint8).reshape(h, w))) for m in c["masks"]]
    text = lambda r: r["counts"].decode()
    print(json.dumps([[text(r) for r in rs], text(M.merge(rs)), [int(M.area(r)) for r in rs],
        [[int(v) for v in M.toBbox(r)] for r in rs], int(M.area(M.merge([rs[0], rs[-1]], intersect=True)))]))
`;
    const input = cases.map(({ height, width, masks }) => ({ h: height, w: width, masks: masks.map((m) => [...m]) }));
    const lines = runPython(script, [], JSON.stringify(input)).trim().split("\n");
    expect(lines.length).toBe(400);
    for (const [i, { height, width, rles }] of cases.entries()) {
      const first = rles[0]!;
      const last = rles.at(-1)!;
      const [texts, union, areas, boxes, shared] = JSON.parse(lines[i]!) as unknown[];
      expect(rles.map(rleToString)).toEqual(texts);
      expect(rleToString(rleUnion(rles, height, width))).toBe(union);
      expect(rles.map(rleArea)).toEqual(areas);
      expect(rles.map(rleBox)).toEqual(boxes);
      expect(rleIntersectionArea(first, last)).toBe(shared);
    }
  });
});
