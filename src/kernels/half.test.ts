import fc from "fast-check";
import { expect, it } from "vitest";
import { pythonHas, runPythonBytes } from "../../test/peers.ts";
import { floatToHalf, halfToFloat, halfToNumber, numberToHalf } from "./half.ts";
import { CounterRandom } from "./random.ts";

const everyHalf = Uint16Array.from({ length: 65536 }, (_, i) => i);
const bytesOf = (values: Uint16Array | Float32Array) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength);

it.each([
  [0, 0x0000],
  [-0, 0x8000],
  [1, 0x3c00],
  [-2, 0xc000],
  [65504, 0x7bff],
  [65519.996, 0x7bff],
  [65520, 0x7c00],
  [1e30, 0x7c00],
  [Number.NEGATIVE_INFINITY, 0xfc00],
  [2 ** -14, 0x0400],
  [2 ** -24, 0x0001],
  [2 ** -25, 0x0000],
  [2 ** -25 * 1.001, 0x0001],
  [3 * 2 ** -25, 0x0002],
  [5 * 2 ** -25, 0x0002],
  [-(2 ** -26), 0x8000],
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [2 ** -14 - 2 ** -25, 0x0400],
])("numberToHalf(%f) is %i", (value, half) => {
  expect(numberToHalf(value)).toBe(half);
});

it("every float16 survives the way to float32 and back, NaN with its payload", () => {
  expect(floatToHalf(halfToFloat(everyHalf))).toEqual(everyHalf);
  expect(halfToNumber(0x7e00)).toBeNaN();
});

it("floatToHalf gives the nearest float16, the even one of two", () => {
  fc.assert(
    fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
      const half = numberToHalf(value);
      const error = Math.abs(halfToNumber(half) - value);
      for (const other of [half - 1, half + 1]) {
        if ((other & 0x8000) !== (half & 0x8000) || other < 0) continue;
        const distance = Math.abs(halfToNumber(other) - value);
        expect(distance > error || (distance === error && half % 2 === 0)).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});

it("works on a part of a buffer, and refuses one too small", () => {
  const floats = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
  const out = new Uint16Array(3);
  expect(floatToHalf(floats, out)).toBe(out);
  expect([...out]).toEqual([0x3c00, 0x4000, 0]);
  const wide = new Float32Array(4).subarray(2);
  expect([...halfToFloat(out.subarray(0, 2), wide)]).toEqual([1, 2]);
  expect(() => floatToHalf(floats, new Uint16Array(1))).toThrow(RangeError);
  expect(() => halfToFloat(out, wide)).toThrow(RangeError);
});

it.skipIf(!pythonHas("numpy"))("equals NumPy bit for bit, both ways", () => {
  // Every tie between two neighbours and the float32 values beside it, then any bits at all.
  const bits = new Uint32Array(3 * 0x7bff + 100_000);
  const floats = new Float32Array(bits.buffer);
  for (let half = 0; half < 0x7bff; half++) {
    const sign = half % 2 === 0 ? 1 : -1;
    floats[3 * half + 1] = (sign * (halfToNumber(half) + halfToNumber(half + 1))) / 2;
    bits[3 * half] = bits[3 * half + 1]! - 1;
    bits[3 * half + 2] = bits[3 * half + 1]! + 1;
  }
  const random = new CounterRandom(6, 0, 0, 0);
  for (let i = 3 * 0x7bff; i < bits.length; i++) bits[i] = random.uint32();
  const script = `
import sys, numpy as np
data = sys.stdin.buffer.read()
half = np.frombuffer(data, np.uint16, 65536); floats = np.frombuffer(data, np.float32, -1, 131072)
with np.errstate(all="ignore"):
    sys.stdout.buffer.write(half.view(np.float16).astype(np.float32).tobytes() + floats.astype(np.float16).tobytes())
`;
  const theirs = runPythonBytes(script, [], Buffer.concat([bytesOf(everyHalf), bytesOf(floats)]));
  expect(theirs.length).toBe(4 * 65536 + 2 * floats.length);
  // The processor sets the quiet bit of a NaN that NumPy converts, so NaNs are compared as NaNs.
  const widened = new Float32Array(new Uint8Array(theirs.subarray(0, 4 * 65536)).buffer);
  const ours = halfToFloat(everyHalf);
  expect(ours.findIndex((v, i) => !Object.is(v, widened[i]))).toBe(-1);
  const narrowed = new Uint16Array(new Uint8Array(theirs.subarray(4 * 65536)).buffer);
  const mine = floatToHalf(floats);
  const isNaNHalf = (h: number) => (h & 0x7fff) > 0x7c00;
  expect(mine.findIndex((h, i) => h !== narrowed[i] && !(isNaNHalf(h) && isNaNHalf(narrowed[i]!)))).toBe(-1);
});
