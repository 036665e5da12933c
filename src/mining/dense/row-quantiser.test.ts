import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RowQuantiser } from "./row-quantiser.ts";

const entry = fc.oneof(fc.float({ min: -1, max: 1, noNaN: true }), fc.constantFrom(0, 1e-30, -1e-19, 1));

describe("RowQuantiser", () => {
  it("rounds one entry to steps, as one does by hand", () => {
    const into = new Uint8Array(1);
    const found = { scale: 0, error: 0, length: 0, shift: 0 };
    const [mean, factor, other] = [Float32Array.of(0.125), Float32Array.of(2), Float32Array.of(3)];
    new RowQuantiser(mean, factor, other, 0.25).quantise(Float32Array.of(0.5), into, 0, found);
    // (0.5 - 0.125) · 2 = 0.75 is 3 steps of 0.25, nothing is lost; the shift is 0.5 · 3.
    expect([into[0], found]).toEqual([131, { scale: 0.25, error: 0, length: 0.5625, shift: 1.5 }]);
    new RowQuantiser(mean, factor, other, 0.5).quantise(Float32Array.of(0.5), into, 0, found);
    // 1.5 steps of 0.5, rounded to the even 2: 1 in place of 0.75.
    expect([into[0], found]).toEqual([130, { scale: 0.5, error: 0.0625, length: 1, shift: 1.5 }]);
  });

  it("rounds to the nearest of 127 steps and measures what that loses, for rows of any length and size", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(entry, entry, entry), { minLength: 1, maxLength: 70 }), fc.nat(5), (given, at) => {
        const dimension = given.length;
        const [row, mean, other] = [0, 1, 2].map((which) => Float32Array.from(given, (each) => each[which]!));
        const factors = Float32Array.from(given, (_, k) => [1 / 64, 0.3, 1, 64][k % 4]!);
        const into = new Uint8Array(dimension + at + 1).fill(7);
        const found = { scale: 0, error: 0, length: 0, shift: 0 };
        new RowQuantiser(mean!, factors, other!).quantise(row!, into, at, found);
        expect([...into.subarray(0, at), into[at + dimension]]).toEqual(new Array(at + 1).fill(7));
        let [error, length, shift, largest] = [0, 0, 0, 0];
        for (let k = 0; k < dimension; k++) {
          const exact = (row![k]! - mean![k]!) * factors[k]!;
          const rounded = (into[at + k]! - 128) * found.scale;
          expect(Math.abs(exact - rounded)).toBeLessThanOrEqual(found.scale * 0.5001 + 1e-20);
          error += (exact - rounded) ** 2;
          length += rounded ** 2;
          shift += row![k]! * other![k]!;
          largest = Math.max(largest, Math.abs(exact));
        }
        if (largest > 1e-19) expect(found.scale / (largest / 127)).toBeCloseTo(1, 5);
        const slack = Math.sqrt(length) * 1e-6 + 1e-18;
        expect(Math.abs(Math.sqrt(found.error) - Math.sqrt(error))).toBeLessThanOrEqual(slack);
        expect(Math.abs(Math.sqrt(found.length) - Math.sqrt(length))).toBeLessThanOrEqual(slack);
        expect(Math.abs(found.shift - shift)).toBeLessThanOrEqual(1e-6 * dimension);
      }),
      { numRuns: 300 },
    );
  });

  it("gives all rows the scale that it is told to, and measures what goes beyond the steps", () => {
    const row = Float32Array.from({ length: 21 }, (_, k) => (k === 4 ? -3 : Math.sin(k) / 4));
    const [mean, factors] = [new Float32Array(21).fill(0.01), new Float32Array(21).fill(1)];
    const scale = Math.fround(0.004);
    const into = new Uint8Array(21);
    const found = { scale: 0, error: 0, length: 0, shift: 0 };
    new RowQuantiser(mean, factors, mean, scale).quantise(row, into, 0, found);
    expect(found.scale).toBe(scale);
    expect(into[4]).toBe(128 - 127);
    const errors = Array.from(row, (value, k) => value - mean[k]! - (into[k]! - 128) * scale);
    expect(Math.sqrt(found.error)).toBeCloseTo(Math.hypot(...errors), 5);
    expect(Math.abs(errors[4]!)).toBeGreaterThan(2);
    expect(Math.max(...errors.filter((_, k) => k !== 4).map(Math.abs))).toBeLessThanOrEqual(scale * 0.5001);
  });
});
