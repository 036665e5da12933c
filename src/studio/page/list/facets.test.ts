import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Facet, filterRows, matchWords, selectRange } from "./facets.ts";
import { orderBy } from "./orders.ts";

const facet = (name: string, codes: readonly number[], values = 3): Facet => ({
  name,
  title: name,
  labels: Array.from({ length: values }, (_, code) => `${name}${code}`),
  codes: Uint8Array.from(codes),
});

describe("filterRows", () => {
  it("counts for each facet what its values would leave with all other filters", () => {
    const facets = [facet("a", [0, 0, 1, 1, 2]), facet("b", [0, 1, 0, 1, 1])];
    const { rows, counts } = filterRows(facets, { a: [0, 1], b: [1] }, 5, [], undefined);
    expect(Array.from(rows)).toEqual([1, 3]);
    expect(Array.from(counts.a as Uint32Array)).toEqual([1, 1, 1]);
    expect(Array.from(counts.b as Uint32Array)).toEqual([2, 2, 0]);
  });

  it("equals filtering by hand, in the order given", () => {
    const code = fc.integer({ min: 0, max: 2 });
    const row = fc.tuple(code, code, fc.integer({ min: 0, max: 1 }));
    const chosen = fc.uniqueArray(code, { maxLength: 3 });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), chosen, chosen, fc.boolean(), (table, a, b, isReversed) => {
        const facets = [
          facet(
            "a",
            table.map(([x]) => x),
          ),
          facet(
            "b",
            table.map(([, y]) => y),
          ),
        ];
        const pass = Uint8Array.from(table, ([, , z]) => z);
        const order = isReversed ? Int32Array.from(table.keys()).reverse() : undefined;
        const isIn = (codes: number[], value: number) => codes.length === 0 || codes.includes(value);
        const { rows, counts } = filterRows(facets, { a, b }, table.length, [pass], order);
        const expected = [...table.keys()].filter((at) => {
          const [x, y, z] = table[at]!;
          return z === 1 && isIn(a, x) && isIn(b, y);
        });
        expect(Array.from(rows)).toEqual(isReversed ? expected.reverse() : expected);
        const withB = table.filter(([, y, z]) => z === 1 && isIn(b, y));
        expect(Array.from(counts.a!)).toEqual([0, 1, 2].map((value) => withB.filter(([x]) => x === value).length));
      }),
    );
  });

  it("searches every word in any order and case; a range holds both its ends", () => {
    expect(Array.from(matchWords(["red car left", "car", "left red"], " LEFT  red") ?? [])).toEqual([1, 0, 1]);
    expect(matchWords(["a"], "  ")).toBeUndefined();
    expect(Array.from(selectRange(Float32Array.of(0.25, 0.5, 0.75, Number.NaN), 0.25, 0.5))).toEqual([1, 1, 0, 0]);
  });
});

describe("orderBy", () => {
  it("sorts any numbers, ties by row, NaN last, either way", () => {
    const value = fc.oneof(fc.float(), fc.constantFrom(0, 1, -1));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), fc.boolean(), (values, descending) => {
        const key = (row: number): number => Math.fround(values[row] as number) + 0;
        const expected = [...values.keys()].sort((a, b) => {
          const [x, y] = [key(a), key(b)];
          if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
          return (x === y ? 0 : x < y === descending ? 1 : -1) || a - b;
        });
        expect(
          Array.from(
            orderBy(
              Float32Array.from(values, (one) => one + 0),
              descending,
            ),
          ),
        ).toEqual(expected);
      }),
    );
  });
});
