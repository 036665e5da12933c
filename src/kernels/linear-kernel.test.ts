import fc from "fast-check";
import { expect, it } from "vitest";
import { CounterRandom } from "./random.ts";
import { resizeLinear } from "./resize.ts";

const side = fc.integer({ min: 1, max: 90 });

it("the vector kernel's RGB equals the plain loops' planes, for any part, size, stride and order of sizes", () => {
  fc.assert(
    fc.property(
      side,
      side,
      side,
      side,
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 0, max: 40 }),
      (w, h, dw, dh, a, b, gap) => {
        const random = new CounterRandom(a, 0, 0, 1);
        const src = Uint8Array.from({ length: w * h * 3 }, () => random.uint32() >>> 24);
        const [x, y] = [a % w, b % h];
        const part = { x, y, width: 1 + ((a >>> 3) % (w - x)), height: 1 + ((b >>> 3) % (h - y)) };
        const stride = dw * 3 + gap;
        const out = new Uint8Array(gap + dh * stride).fill(99);
        resizeLinear(src, w, h, 3, part, dw, dh, out, stride, gap);
        const expected = new Uint8Array(out.length).fill(99);
        for (let channel = 0; channel < 3; channel++) {
          const plane = resizeLinear(
            src.filter((_, at) => at % 3 === channel),
            w,
            h,
            1,
            part,
            dw,
            dh,
          );
          plane.forEach((value, at) => {
            expected[gap + Math.floor(at / dw) * stride + (at % dw) * 3 + channel] = value;
          });
        }
        expect(Buffer.compare(out, expected)).toBe(0);
      },
    ),
    { numRuns: 400 },
  );
});

it("grows its memory for a wide image and serves small ones after it", () => {
  const [w, dw] = [40_000, 30_011];
  const row = Uint8Array.from({ length: w }, (_, at) => (at * 7919) >>> 3);
  const rgb = Uint8Array.from({ length: w * 3 }, (_, at) => row[Math.floor(at / 3)]!);
  const part = { x: 0, y: 0, width: w, height: 1 };
  const plane = resizeLinear(row, w, 1, 1, part, dw, 1);
  const wide = resizeLinear(rgb, w, 1, 3, part, dw, 1);
  expect(wide.every((value, at) => value === plane[Math.floor(at / 3)])).toBe(true);
  const one = { x: 0, y: 0, width: 1, height: 1 };
  expect([...resizeLinear(Uint8Array.of(1, 2, 3), 1, 1, 3, one, 2, 2)]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
});
