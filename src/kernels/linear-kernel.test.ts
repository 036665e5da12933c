import { expect, it } from "vitest";
import { openLinear } from "./compiled/linear.ts";
import { expectPlanes } from "./planes.contract.ts";
import { resizeLinear } from "./resize.ts";

it("blends two rows of two pixels to the bytes that one can work out by hand", () => {
  const { bytes, ints, stretch, blend } = openLinear(1024);
  // A tap: pixels of 100 and 200 at 512 and 515, half of each; and one that reads the second pixel alone.
  bytes.set([100, 100, 100, 200, 200, 200], 512);
  const half = 1024 | (1024 << 16);
  ints.set([512, 515, half, 515, 515, half]);
  stretch(0, 24, 256);
  // (100 · 1024 + 200 · 1024) >> 4, and (200 · 2048) >> 4.
  expect([...ints.subarray(64, 70)]).toEqual([19_200, 19_200, 19_200, 25_600, 25_600, 25_600]);
  // The row with itself: ((19200 · 1024 >> 16) · 2 + 2) >> 2 = 150.
  blend(256, 256, 1024, 1024, 768, 784);
  expect([...bytes.subarray(768, 774)]).toEqual([150, 150, 150, 200, 200, 200]);
});

it("the vector kernel's RGB equals the plain loops' planes, for any part, size, stride and order of sizes", () => {
  expectPlanes(resizeLinear, 400);
});

it("grows its memory for a wide image and serves small ones after it", () => {
  const [w, dw] = [40_000, 30_011];
  const row = Uint8Array.from({ length: w }, (_, at) => (at * 7919) >>> 3);
  const rgb = Uint8Array.from({ length: w * 3 }, (_, at) => row[Math.floor(at / 3)]!);
  const plane = resizeLinear({ data: row, width: w, height: 1, channels: 1 }, { width: dw, height: 1 });
  const wide = resizeLinear({ data: rgb, width: w, height: 1 }, { width: dw, height: 1 });
  expect(wide.every((value, at) => value === plane[Math.floor(at / 3)])).toBe(true);
  expect([...resizeLinear({ data: Uint8Array.of(1, 2, 3), width: 1, height: 1 }, { width: 2, height: 2 })]).toEqual([
    1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3,
  ]);
});
