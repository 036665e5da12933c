import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unpack } from "../page/unpack.ts";
import { pack } from "./pack.ts";

describe("pack", () => {
  it("brings typed arrays, sets and JSON to the page unchanged", () => {
    const value = {
      text: "τ and “K”",
      ids: Int32Array.of(-1, 2 ** 31 - 1),
      deep: [{ scores: Float32Array.of(0.5, Number.NaN, -1), codes: Uint16Array.of(65535) }],
      judged: new Set([3, 1]),
      nothing: null,
      empty: new Uint8Array(0),
    };
    expect(unpack(pack(value).buffer)).toEqual(value);
  });

  it("holds for any mixture of lengths, which decide the padding", () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array({ maxLength: 40 }), fc.float64Array({ maxLength: 9 }), (text, a, b) => {
        const value = { text, a, b, c: Float32Array.from(b.slice(0, 3)) };
        expect(unpack(pack(value).buffer)).toEqual(value);
      }),
    );
  });

  it("takes a view into a larger buffer and a Node buffer for what they show", () => {
    const whole = Float32Array.of(1, 2, 3, 4);
    expect(unpack(pack({ part: whole.subarray(1, 3), bytes: Buffer.from([7, 8]) }).buffer)).toEqual({
      part: Float32Array.of(2, 3),
      bytes: Uint8Array.of(7, 8),
    });
  });

  it("refuses what is not packed", () => {
    expect(() => unpack(new ArrayBuffer(4))).toThrow(/packed/);
    expect(() => unpack(new TextEncoder().encode("<!doctype html>").buffer as ArrayBuffer)).toThrow(/packed/);
  });
});
