import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeFrame, type Frame, FrameReader, headerBytes } from "./frame.ts";

const bodies = fc.array(fc.record({ request: fc.nat(2 ** 31), body: fc.jsonValue() }), { minLength: 1, maxLength: 5 });

describe("FrameReader", () => {
  it("finds the same messages however the bytes are cut", () => {
    fc.assert(
      fc.property(
        bodies,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 50 }),
        (messages, cuts) => {
          const bytes = Buffer.concat(messages.map(({ request, body }) => encodeFrame("get", request, body)));
          const reader = new FrameReader();
          const found: Frame[] = [];
          for (let at = 0, cut = 0; at < bytes.length; cut++) {
            const length = cuts[cut % cuts.length]!;
            found.push(...reader.push(bytes.subarray(at, at + length)));
            at += length;
          }
          expect(found).toEqual(
            messages.map(({ request, body }) => ({ kind: "get", request, body: JSON.parse(JSON.stringify(body)) })),
          );
        },
      ),
    );
  });

  it("keeps the header as docs/formats/stream.md has it", () => {
    const frame = encodeFrame("batch", 0x01020304, { a: 1 }, 2 ** 33 + 5);
    expect(frame.toString("hex")).toBe(
      `4e4d5343${"0100"}${"0600"}${"04030201"}${"07000000"}${"0500000002000000"}${"0000000000000000"}${Buffer.from('{"a":1}').toString("hex")}`,
    );
  });

  it.each([
    ["other bytes", Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), /starts with "NMSC"/],
    ["another version", versioned(2), /protocol version 1, got 2/],
    ["an unknown kind", kinded(12), /kind from 1 to 7/],
    ["a payload", encodeFrame("get", 1, {}, 8), /no payload/],
    ["JSON that promises gigabytes", promising(2 ** 31), /at most 4194304 bytes/],
    ["JSON that is none", spoilt(), /expected JSON/],
  ])("refuses %s", (_, bytes, says) => {
    expect(() => new FrameReader().push(bytes)).toThrow(says);
  });
});

function versioned(version: number): Buffer {
  const frame = encodeFrame("hello", 1, {});
  frame.writeUInt16LE(version, 4);
  return frame;
}

function kinded(kind: number): Buffer {
  const frame = encodeFrame("hello", 1, {});
  frame.writeUInt16LE(kind, 6);
  return frame;
}

function promising(bytes: number): Buffer {
  const frame = encodeFrame("hello", 1, {});
  frame.writeUInt32LE(bytes, 12);
  return frame;
}

function spoilt(): Buffer {
  const frame = encodeFrame("hello", 1, {});
  frame[headerBytes] = 0x5d;
  return frame;
}
