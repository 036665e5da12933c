import fc from "fast-check";
import { expect, it } from "vitest";
import { openFilter } from "./compiled/filter.ts";
import { expectPlanes, noise, side } from "./planes.contract.ts";
import { resizeBicubic, resizeTriangle, resizeWindow } from "./resample.ts";

it("sums weighted pixels and rows to the bytes that one can work out by hand", () => {
  const { bytes, ints, filterAcross, filterDown } = openFilter(1024);
  // Half of a pixel of 200 and a quarter of one of 40: 2^21 = 64 · 2^15 and 2^20 = 32 · 2^15 of 2^22, lower parts 0.
  bytes.set([200, 200, 200, 40, 40, 40], 512);
  ints.set([512, 0, 64 | (32 << 16)]);
  filterAcross(0, 12, 8, 600);
  expect([...bytes.subarray(600, 603)]).toEqual([110, 110, 110]);
  // Rows of 110 and 7, a whole of the first and minus a third of the second: 110 - 2.33 = 107.67, rounded.
  bytes.fill(110, 640, 656).fill(7, 672, 688);
  const third = -Math.round(2 ** 22 / 3);
  ints.set([640, 672, (third & 0x7fff) << 16, 128 | ((third >> 15) << 16)]);
  filterDown(0, 16, 704, 720);
  expect([...bytes.subarray(704, 720)]).toEqual(new Array(16).fill(108));
});

const filters = [
  ["bicubic", resizeBicubic],
  ["bilinear", resizeTriangle],
] as const;

it.each(filters)(
  "the vector kernel's RGB equals the plain loops' planes, for any part, size and stride: %s",
  (_, resize) => expectPlanes(resize, 300),
);

it.each(filters)("a window is that part of the whole resized image: %s", (name, resize) => {
  fc.assert(
    fc.property(side, side, side, side, fc.nat(), fc.nat(), (w, h, dw, dh, a, b) => {
      const src = noise(w * h * 3, b);
      const [x, y] = [a % dw, b % dh];
      const window = { x, y, width: 1 + ((a >>> 3) % (dw - x)), height: 1 + ((b >>> 3) % (dh - y)) };
      const whole = resize({ data: src, width: w, height: h }, { width: dw, height: dh });
      const part = resizeWindow(name, { data: src, width: w, height: h }, { width: dw, height: dh }, window);
      expect(part).toHaveLength(window.width * window.height * 3);
      for (let row = 0; row < window.height; row++) {
        const from = ((y + row) * dw + x) * 3;
        const ours = part.subarray(row * window.width * 3, (row + 1) * window.width * 3);
        expect(Buffer.compare(ours, whole.subarray(from, from + window.width * 3))).toBe(0);
      }
    }),
    { numRuns: 200 },
  );
});

it("grows its memory for a wide image and serves small ones after it", () => {
  const [w, dw] = [40_000, 30_011];
  const plane = (data: Uint8Array) => ({ data, width: w, height: 1, channels: 1 });
  const row = Uint8Array.from({ length: w }, (_, at) => (at * 7919) >>> 3);
  const rgb = Uint8Array.from({ length: w * 3 }, (_, at) => row[Math.floor(at / 3)]!);
  for (const [, resize] of filters) {
    const stretched = resize(plane(row), { width: dw, height: 1 });
    const wide = resize({ data: rgb, width: w, height: 1 }, { width: dw, height: 1 });
    expect(wide.every((value, at) => value === stretched[Math.floor(at / 3)])).toBe(true);
    expect([...resize({ data: rgb, width: w, height: 1 }, { width: 1, height: 1 })]).toEqual(
      new Array(3).fill(resize(plane(row), { width: 1, height: 1 })[0]),
    );
    const one = { data: Uint8Array.of(1, 2, 3), width: 1, height: 1 };
    expect([...resize(one, { width: 2, height: 2 })]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
  }
});

it("a window that is not within the target is refused", () => {
  const src = new Uint8Array(12);
  expect(() =>
    resizeWindow(
      "bicubic",
      { data: src, width: 2, height: 2 },
      { width: 4, height: 4 },
      { x: 1, y: 0, width: 4, height: 4 },
    ),
  ).toThrow(RangeError);
  expect(() =>
    resizeWindow(
      "bilinear",
      { data: src, width: 2, height: 3 },
      { width: 4, height: 4 },
      { x: 0, y: 0, width: 4, height: 4 },
    ),
  ).toThrow(RangeError);
});
