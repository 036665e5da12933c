import fc from "fast-check";
import { expect, it } from "vitest";
import { openMemoryShelf } from "./memory-shelf.ts";

it("gives memory again once it was given back, and never to two at a time", () => {
  const shelf = openMemoryShelf(1e6);
  const first = shelf.take(100_000);
  const second = shelf.take(100_000);
  expect(second.buffer).not.toBe(first.buffer);
  shelf.give(first);
  const third = shelf.take(99_990);
  expect([third.buffer, third.length]).toEqual([first.buffer, 99_990]);
  expect(shelf.take(100_000).buffer).not.toBe(first.buffer);
});

it("gives what was asked for, of any length, and keeps no more than it may", () => {
  const most = 200_000;
  fc.assert(
    fc.property(fc.array(fc.nat(150_000), { maxLength: 20 }), (lengths) => {
      const shelf = openMemoryShelf(most);
      const taken = lengths.map((length) => shelf.take(length));
      expect(taken.map((bytes) => bytes.length)).toEqual(lengths);
      for (const bytes of taken) shelf.give(bytes);
      const known = new Set(taken.map(({ buffer }) => buffer));
      let kept = 0;
      for (const length of lengths) {
        const { buffer } = shelf.take(length);
        if (known.has(buffer)) kept += buffer.byteLength;
      }
      expect(kept).toBeLessThanOrEqual(most);
    }),
  );
});

it("leaves alone what is not its own", () => {
  const shelf = openMemoryShelf(1e6);
  const foreign = new Uint8Array(100_001);
  shelf.give(foreign);
  expect(shelf.take(100_001).buffer).not.toBe(foreign.buffer);
});
