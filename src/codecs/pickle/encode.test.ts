import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { python, runPython } from "../../../test/peers.ts";
import { decodePickle, encodePickle, type Picklable, type PickleValue, pickleTuple } from "./index.ts";

const noPython = python() === undefined;
const protocols = [2, 3, 4, 5] as const;

const scalar: fc.Arbitrary<PickleValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt().filter((n) => !Number.isSafeInteger(Number(n))),
  fc.string({ unit: "binary" }),
  fc.uint8Array(),
);
const value = fc.letrec<{ value: PickleValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("value")),
    fc.array(tie("value")).map(pickleTuple),
    fc.array(fc.tuple(fc.string(), tie("value"))).map((entries) => new Map<PickleValue, PickleValue>(entries)),
    fc.array(fc.integer()).map((items) => new Set<PickleValue>(items)),
  ),
})).value;

describe("encodePickle", () => {
  it.each(protocols)("writes what decodePickle reads back, protocol %i", (protocol) => {
    fc.assert(
      fc.property(value, (input) => {
        expect(decodePickle(encodePickle(input, { protocol }))).toEqual(input);
      }),
    );
  });

  it("gives the same bytes for the same value", () => {
    fc.assert(
      fc.property(value, (input) => {
        expect(encodePickle(copyOf(input))).toEqual(encodePickle(input));
      }),
    );
  });

  it.skipIf(noPython).each(protocols)("writes what Python loads, protocol %i (needs Python)", (protocol) => {
    const sample: Picklable = {
      ints: [
        0,
        255,
        256,
        65535,
        65536,
        2 ** 31 - 1,
        2 ** 31,
        -1,
        -(2 ** 31),
        -(2 ** 31) - 1,
        2 ** 53 - 1,
        2n ** 63n,
        -(2n ** 63n),
        -(2n ** 2047n),
      ],
      floats: [0.5, -0, 1e300, Infinity],
      text: ["", "é😀", "\ud800", "x".repeat(300)],
      bytes: [new Uint8Array([0, 255, 10]), new Uint8Array(0), new Uint8Array(300)],
      tuples: [
        pickleTuple([]),
        pickleTuple([1]),
        pickleTuple([1, 2]),
        pickleTuple([1, 2, 3]),
        pickleTuple([1, 2, 3, 4]),
      ],
      sets: [new Set([1, 2]), new Set<PickleValue>()],
      dict: new Map<PickleValue, PickleValue>([
        [pickleTuple([1, 2]), null],
        [3, true],
      ]),
      many: Array.from({ length: 2500 }, (_, i) => ({ ref_id: i, sent: `s${i}` })),
      keys: Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`key${i}`, i])),
    };
    const out = runPython(
      `import pickle, sys, base64
v = pickle.loads(base64.b64decode(sys.stdin.read()))
assert v['ints'] == [0,255,256,65535,65536,2**31-1,2**31,-1,-2**31,-2**31-1,2**53-1,2**63,-2**63,-2**2047], v['ints']
assert all(type(i) is int for i in v['ints'])
assert [repr(f) for f in v['floats']] == ['0.5','-0.0','1e+300','inf']
assert v['text'] == ['', 'é😀', '\\ud800', 'x'*300]
assert v['bytes'] == [b'\\x00\\xff\\n', b'', bytes(300)]
assert v['tuples'] == [(),(1,),(1,2),(1,2,3),(1,2,3,4)]
assert v['sets'] == [{1,2}, set()]
assert v['dict'] == {(1,2): None, 3: True} and v['dict'][3] is True
assert v['many'] == [{'ref_id': i, 'sent': 's%d' % i} for i in range(2500)]
assert v['keys'] == {'key%d' % i: i for i in range(600)} and list(v) == ['ints','floats','text','bytes','tuples','sets','dict','many','keys']
print('same')`,
      [],
      Buffer.from(encodePickle(sample, { protocol })).toString("base64"),
    );
    expect(out.trim()).toBe("same");
  });

  it("refuses what Python has no plain value for", () => {
    const cycle: Picklable[] = [];
    cycle.push(cycle);
    for (const bad of [undefined, () => 1, new Date(0), new Float32Array(2), [undefined], { a: Symbol("x") }, cycle]) {
      expect(() => encodePickle(bad as Picklable)).toThrow(/expected/);
    }
  });
});

function copyOf(input: PickleValue): PickleValue {
  return decodePickle(encodePickle(input));
}
