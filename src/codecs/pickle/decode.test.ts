import { describe, expect, it } from "vitest";
import { python, runPythonBytes } from "../../../test/peers.ts";
import { decodePickle, PickleTuple, type PickleValue, pickleTuple } from "./index.ts";
import { bytes, errorOf, plainPickle, u32 } from "./pickles.contract.ts";

const noPython = python() === undefined;

describe("decodePickle on Python 2 streams", () => {
  it("reads a ref of protocol 0 as Python 2 writes it", () => {
    const stream = bytes(
      "(lp0\n(dp1\nS'sent_ids'\np2\n(lp3\nI0\naL12345678901234567890L\nasS'file_name'\np4\nS'COCO_train2014_000000581857_16.jpg'\np5\n",
      "sS'split'\np6\nVtrain\np7\nsS'ok'\np8\nI01\nsS'bad'\np9\nI00\nsS'area'\np10\nF0.5\nsS'none'\np11\nNsS'pair'\np12\n(I1\nI-2\ntp13\nsa.",
    );
    expect(plainPickle(decodePickle(stream))).toEqual([
      {
        sent_ids: [0, 12345678901234567890n],
        file_name: "COCO_train2014_000000581857_16.jpg",
        split: "train",
        ok: true,
        bad: false,
        area: 0.5,
        none: null,
        pair: [1, -2],
      },
    ]);
  });

  it("reads protocol 1 and 2: BINSTRING, SHORT_BINSTRING, BINPUT, tuples by mark and by count", () => {
    const one = bytes("]q", 0, "(U", 3, "cat", "q", 1, "T", u32(3), "dog", "h", 1, "(K", 1, "M", 0, 1, "te.");
    expect(decodePickle(one)).toEqual(["cat", "dog", "cat", pickleTuple([1, 256])]);
    const two = bytes(
      0x80,
      2,
      "]q",
      0,
      "(K",
      1,
      0x85,
      "K",
      1,
      "K",
      2,
      0x86,
      "K",
      1,
      "K",
      2,
      "K",
      3,
      0x87,
      ")",
      0x88,
      0x89,
      "e.",
    );
    const tuples = decodePickle(two) as PickleValue[];
    expect(tuples).toEqual(
      [[1], [1, 2], [1, 2, 3], [], true, false].map((item) => (Array.isArray(item) ? pickleTuple(item) : item)),
    );
    expect(tuples[0]).toBeInstanceOf(PickleTuple);
  });

  it("undoes the escapes of S'…' and keeps unknown ones", () => {
    expect(decodePickle(bytes("S'it\\'s\\t\\\\ \\x41\\102\\q\\n'\n."))).toBe("it's\t\\ AB\\q\n");
    expect(decodePickle(bytes('S"say \\"hi\\""\n.'))).toBe('say "hi"');
    expect(decodePickle(bytes("S'caf\\xc3\\xa9'\np0\n."))).toBe("café");
  });

  it("decides between UTF-8 and latin-1 string by string", () => {
    const stream = bytes("(U", 5, "caf\xc3\xa9", "U", 4, "caf\xe9", "l.");
    expect(decodePickle(stream)).toEqual(["café", "café"]);
    expect(decodePickle(stream, { strings: "bytes" })).toEqual([
      Uint8Array.from(Buffer.from("café")),
      bytes("caf\xe9"),
    ]);
    expect(decodePickle(bytes("S'\\xff'\n."), { strings: "bytes" })).toEqual(bytes(255));
  });

  it("reads unicode as raw-unicode-escape, surrogate pairs of narrow builds included", () => {
    expect(decodePickle(bytes("Vna\\u00efve \xe9 \\U0001f600 \\ud83d\\ude00\\u000a\\u005cn\r\n."))).toBe(
      "naïve é 😀 😀\n\\n\r",
    );
    expect(decodePickle(bytes("V\\\\u0041\n."))).toBe("\\\\u0041");
    expect(errorOf(() => decodePickle(bytes("V\\u12\n."))).code).toBe("bad-input");
  });

  it("reads integers at the edges of their opcodes", () => {
    const cases: [Uint8Array, number | bigint][] = [
      [bytes("J", u32(0xffffffff), "."), -1],
      [bytes("J", u32(0x80000000), "."), -(2 ** 31)],
      [bytes(0x8a, 0, "."), 0],
      [bytes(0x8a, 1, 0xff, "."), -1],
      [bytes(0x8a, 8, [0, 0, 0, 0, 0, 0, 0, 0x80], "."), -(2n ** 63n)],
      [bytes(0x8b, u32(9), [0, 0, 0, 0, 0, 0, 0, 0, 1], "."), 2n ** 64n],
      [bytes("L9007199254740991L\n."), 9007199254740991],
      [bytes("L9007199254740992L\n."), 9007199254740992n],
      [bytes("I-7\n."), -7],
    ];
    for (const [stream, value] of cases) expect(decodePickle(stream)).toBe(value);
  });

  it("reads floats in text and in bytes", () => {
    for (const [text, value] of [
      ["1e-05", 1e-5],
      ["inf", Infinity],
      ["-inf", -Infinity],
      ["nan", NaN],
      ["-0.0", -0],
      ["3", 3],
    ] as const) {
      expect(decodePickle(bytes(`F${text}\n.`))).toBe(value);
    }
    expect(decodePickle(bytes("G", [0x3f, 0xf8, 0, 0, 0, 0, 0, 0], "."))).toBe(1.5);
  });

  it("keeps what is shared shared, and cycles as they are", () => {
    const shared = decodePickle(bytes("]q", 0, "(]q", 1, "h", 1, "e.")) as PickleValue[];
    expect(shared[0]).toBe(shared[1]);
    const cycle = decodePickle(bytes("]q", 0, "h", 0, "a.")) as PickleValue[];
    expect(cycle[0]).toBe(cycle);
  });

  it("obeys POP, POP_MARK, DUP and PUT to any index", () => {
    expect(decodePickle(bytes("((K", 1, "K", 2, "1K", 3, "200l."))).toEqual([]);
    expect(decodePickle(bytes("K", 7, "p123456789012345\n0g123456789012345\n."))).toBe(7);
    expect(decodePickle(bytes("K", 7, "r", u32(0xfffffff0), "0j", u32(0xfffffff0), "."))).toBe(7);
    expect(decodePickle(bytes("(K", 1, "2l."))).toEqual([1, 1]);
  });
});

const everything = `[1,-1,255,256,65535,65536,2**31-1,2**31,-2**31,2**53-1,2**53,-2**70,True,False,None,1.5,-0.0,1e300,
 'é€\\U0001f600\\n\\\\u12\\r','', '\\ud800', b'\\xff\\x00a', b'', bytearray(b'abc'), bytearray(), (), (1,), (1,2), (1,2,3), (1,2,3,4),
 {'a':[1,{'b':2}], 3:None, (1,2):'t'}, {1,2}, frozenset([3]), set(), OrderedDict([('z',1),('y',2)]), d, list(range(2500)), {i:str(i) for i in range(2500)}, 'x'*300, b'y'*300]`;

function checkEverything(value: PickleValue): void {
  const list = value as PickleValue[];
  expect(list.slice(0, 18)).toEqual([
    1,
    -1,
    255,
    256,
    65535,
    65536,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    2 ** 53 - 1,
    2n ** 53n,
    -(2n ** 70n),
    true,
    false,
    null,
    1.5,
    -0,
    1e300,
  ]);
  expect(list.slice(18, 25)).toEqual([
    "é€😀\n\\u12\r",
    "",
    "\ud800",
    bytes(255, 0, "a"),
    bytes(),
    bytes("abc"),
    bytes(),
  ]);
  expect(list.slice(25, 30)).toEqual([[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]].map(pickleTuple));
  const dict = list[30] as Map<PickleValue, PickleValue>;
  expect([...dict]).toEqual([
    ["a", [1, new Map([["b", 2]])]],
    [3, null],
    [pickleTuple([1, 2]), "t"],
  ]);
  expect(list.slice(31, 34)).toEqual([new Set([1, 2]), new Set([3]), new Set()]);
  expect([...(list[34] as Map<string, number>)]).toEqual([
    ["z", 1],
    ["y", 2],
  ]);
  expect(list[35]).toEqual(new Map([["k", [1]]]));
  expect(list[36]).toEqual(Array.from({ length: 2500 }, (_, i) => i));
  expect((list[37] as Map<number, string>).get(2499)).toBe("2499");
  expect(list[38]).toBe("x".repeat(300));
  expect(list[39]).toEqual(bytes("y".repeat(300)));
  expect(list).toHaveLength(40);
}

describe("decodePickle beside Python", () => {
  for (const pickler of ["dumps", "_dumps"]) {
    for (const protocol of [0, 1, 2, 3, 4, 5]) {
      it.skipIf(noPython)(`reads what pickle.${pickler} writes in protocol ${protocol} (needs Python)`, () => {
        const stream = runPythonBytes(
          `import pickle, sys\nfrom collections import OrderedDict, defaultdict\nd = defaultdict(list); d['k'].append(1)
sys.stdout.buffer.write(pickle.${pickler}(${everything}, ${protocol}))`,
          [],
        );
        checkEverything(decodePickle(stream));
      });
    }
  }

  it.skipIf(noPython)("errs on every truncation of every protocol (needs Python)", () => {
    for (const protocol of [0, 1, 2, 3, 4, 5]) {
      const stream = runPythonBytes(
        `import pickle, sys\nsys.stdout.buffer.write(pickle.dumps([{'sent': 'café', 'ids': (1, 2.5, 2**40), 's': {1}, 'b': b'ab'}], ${protocol}))`,
        [],
      );
      expect(stream.length).toBeGreaterThan(30);
      for (let length = 0; length < stream.length; length++) {
        const code = errorOf(() => decodePickle(stream.subarray(0, length))).code;
        expect(code).toMatch(/^(bad-input|refused)$/);
      }
      expect(() => decodePickle(stream)).not.toThrow();
    }
  });

  it.skipIf(noPython)("reads 12 MB of refs (needs Python)", () => {
    const stream = runPythonBytes(
      `import pickle, sys
refs = [{'sent_ids': [3*i, 3*i+1, 3*i+2], 'file_name': 'COCO_train2014_%012d_%d.jpg' % (i, i), 'ann_id': i, 'ref_id': i, 'image_id': i*7,
 'split': 'train', 'category_id': i % 90, 'sentences': [{'tokens': ['the', 'w%d' % i] + ['very', 'long', 'expression', 'with', 'many', 'words'] * 6,
  'raw': ('The w%d %d ' % (i, k)) + 'very long expression ' * 5, 'sent_id': 3*i+k, 'sent': ('the w%d %d ' % (i, k)) + 'very long expression ' * 5} for k in range(3)]}
 for i in range(10000)]
sys.stdout.buffer.write(pickle.dumps(refs, 2))`,
      [],
    );
    expect(stream.length).toBeGreaterThan(11e6);
    const refs = decodePickle(stream) as PickleValue[];
    expect(refs).toHaveLength(10000);
    expect((refs[9999] as Map<string, PickleValue>).get("image_id")).toBe(69993);
  });
});
