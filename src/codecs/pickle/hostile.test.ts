import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NemosaicError } from "../../model/index.ts";
import { decodePickle, type PickleValue } from "./index.ts";
import { bytes, errorOf, plainPickle, u32 } from "./pickles.contract.ts";

describe("decodePickle on hostile streams", () => {
  const hostile: [name: string, stream: Uint8Array, words: RegExp][] = [
    ["os.system by GLOBAL", bytes("cos\nsystem\n(S'echo x'\ntR."), /GLOBAL at byte 0 .*os\.system/],
    [
      "posix.system, protocol 2",
      bytes(0x80, 2, "cposix\nsystem\nq", 0, "X", u32(1), "x", 0x85, "R."),
      /byte 2 .*posix\.system/,
    ],
    [
      "eval by STACK_GLOBAL",
      bytes(0x80, 4, 0x8c, 8, "builtins", 0x8c, 4, "eval", 0x93, 0x8c, 1, "1", 0x85, "R."),
      /STACK_GLOBAL at byte 18 .*builtins\.eval/,
    ],
    [
      "exec through the memo",
      bytes(0x80, 4, 0x8c, 8, "builtins", 0x94, "0", 0x8c, 4, "exec", 0x94, "0h", 0, "h", 1, 0x93, "."),
      /builtins\.exec/,
    ],
    ["a dotted name", bytes("cbuiltins\nset.__class__\n."), /builtins\.set\.__class__/],
    ["a name with control characters", bytes("cos\x1b[2J\nsystem\n."), /"os\\u001b\[2J\.system"/],
    ["INST", bytes("(S'x'\nios\nsystem\n."), /INST at byte 6 .*os\.system/],
    ["OBJ", bytes("(ccollections\nOrderedDict\no."), /OBJ .*collections\.OrderedDict/],
    ["NEWOBJ", bytes(0x80, 2, "ccollections\nOrderedDict\n)", 0x81, "."), /NEWOBJ .*collections\.OrderedDict/],
    ["NEWOBJ_EX", bytes(0x80, 4, "ccollections\nOrderedDict\n)}", 0x92, "."), /NEWOBJ_EX/],
    ["BUILD", bytes("ccollections\nOrderedDict\n)R}b."), /BUILD/],
    ["REDUCE of text", bytes("S'os'\n)R."), /REDUCE .*no name/],
    ["copy_reg._reconstructor", bytes("ccopy_reg\n_reconstructor\n."), /copy_reg\._reconstructor/],
    ["numpy scalar", bytes("cnumpy.core.multiarray\nscalar\n."), /numpy\.core\.multiarray\.scalar/],
    ["getattr", bytes("c__builtin__\ngetattr\n."), /__builtin__\.getattr/],
    ["encode to another codec", bytes("c_codecs\nencode\n(Vx\nVzlib\ntR."), /_codecs\.encode with arguments/],
    ["set of text", bytes("c__builtin__\nset\n(Vabc\ntR."), /arguments that plain data/],
    [
      "defaultdict of a callable that is not plain",
      bytes("ccollections\ndefaultdict\n(c_codecs\nencode\ntR."),
      /defaultdict with arguments/,
    ],
    ["list as a callable", bytes("c__builtin__\nlist\n((ltR."), /__builtin__\.list with arguments/],
    ["a class as a value", bytes("(c__builtin__\nlist\nl."), /holds the name __builtin__\.list/],
    ["a class as a dict's key", bytes("}c__builtin__\nlist\nNs."), /holds the name/],
    ["a class alone", bytes("c__builtin__\nset\n."), /holds the name/],
    ["PERSID", bytes("Psecret\n."), /PERSID .*"secret"/],
    ["BINPERSID", bytes("K", 1, "Q."), /BINPERSID/],
    ["EXT1", bytes(0x82, 7, "."), /EXT1 .*extension 7/],
    ["EXT2", bytes(0x83, 7, 1, "."), /extension 263/],
    ["EXT4", bytes(0x84, u32(9), "."), /extension 9/],
    ["NEXT_BUFFER", bytes(0x80, 5, 0x97, "."), /NEXT_BUFFER/],
    ["READONLY_BUFFER", bytes(0x80, 5, "N", 0x98, "."), /READONLY_BUFFER/],
  ];
  it.each(hostile)("refuses %s", (_name, stream, words) => {
    const error = errorOf(() => decodePickle(stream, { where: "refs.p" }));
    expect(error.code).toBe("refused");
    expect(error.message).toMatch(words);
    expect(error.message).toMatch(/of refs\.p/);
    expect(error.message).not.toMatch(/\n/);
  });

  const damaged: [name: string, stream: Uint8Array][] = [
    ["nothing", bytes()],
    ["text", bytes("hello world")],
    ["a JPEG", bytes(0xff, 0xd8, 0xff)],
    ["4 GB of text announced", bytes("X", u32(0xffffffff), "abc.")],
    ["16 EB of text announced", bytes(0x8d, u32(0xffffffff), u32(0xffffffff), "abc.")],
    ["16 EB of bytes announced", bytes(0x8e, u32(0xffffffff), u32(0xffffffff), "abc.")],
    ["a bytearray beyond the file", bytes(0x96, u32(1000), u32(0), "abc.")],
    ["a negative BINSTRING", bytes("T", u32(0xffffffff), "abc.")],
    ["a negative LONG4", bytes(0x8b, u32(0xffffffff), "abc.")],
    ["a frame beyond the file", bytes(0x80, 4, 0x95, u32(100), u32(0), "N.")],
    ["a memo entry that was never stored", bytes("h", 3, ".")],
    ["GET of a word", bytes("gone\n.")],
    ["PUT on an empty stack", bytes("q", 0, ".")],
    ["APPEND to a number", bytes("K", 1, "K", 2, "a.")],
    ["APPEND to a tuple", bytes(")K", 2, "a.")],
    ["APPENDS without a mark", bytes("]K", 2, "e.")],
    ["SETITEMS to a list", bytes("](K", 1, "K", 2, "u.")],
    ["an odd number of SETITEMS", bytes("}(K", 1, "u.")],
    ["ADDITEMS to a list", bytes("](K", 1, 0x90, ".")],
    ["a list as a key", bytes("}]Ns.")],
    ["a dict in a set", bytes(0x8f, "(}", 0x90, ".")],
    ["TUPLE2 across a mark", bytes("K", 1, "(K", 2, 0x86, ".")],
    ["DUP on an empty stack", bytes("2.")],
    ["POP on an empty stack", bytes("0.")],
    ["STOP on an empty stack", bytes(".")],
    ["two values at STOP", bytes("K", 1, "K", 2, ".")],
    ["STACK_GLOBAL of numbers", bytes("K", 1, "K", 2, 0x93, ".")],
    ["an integer that is none", bytes("I1x\n.")],
    ["a float that is none", bytes("F0x10\n.")],
    ["a string without quotes", bytes("Sabc\n.")],
    ["a string with half an escape", bytes("S'a\\x4'\n.")],
    ["text that is no UTF-8", bytes(0x8c, 2, "a\xff.")],
  ];
  it.each(damaged)("calls %s damaged", (_name, stream) => {
    const error = errorOf(() => decodePickle(stream, { where: "refs.p" }));
    expect(error.code).toBe("bad-input");
    expect(error.message).toMatch(/refs\.p/);
  });

  it("names protocols it does not know", () => {
    expect(errorOf(() => decodePickle(bytes(0x80, 6, "N."))).code).toBe("unsupported");
  });

  it("refuses integers whose reading would take for ever", () => {
    expect(errorOf(() => decodePickle(bytes(`L${"9".repeat(1_000_000)}L\n.`))).code).toBe("unsupported");
    const long = new Uint8Array(1_000_006).fill(0x7f);
    long.set([0x8b, ...u32(1_000_000)]);
    expect(errorOf(() => decodePickle(long)).code).toBe("unsupported");
  });

  it("keeps a billion laughs as small as its file", () => {
    // Ten lists, each of ten references to the one before: a thousand million strings when written out.
    const parts: (string | number | number[])[] = ["Vlol\np0\n0"];
    for (let level = 1; level <= 9; level++) parts.push(`(${`g${level - 1}\n`.repeat(10)}lp${level}\n0`);
    const value = decodePickle(bytes(...parts, "g9\n.")) as PickleValue[];
    expect(value).toHaveLength(10);
    const plain = plainPickle(value) as unknown[];
    expect(plain[0]).toBe(plain[9]);
  });

  it("does not let calls multiply memory", () => {
    const text = "x".repeat(10_000);
    const call = "c_codecs\nencode\n(g0\nVlatin1\ntR0";
    expect(errorOf(() => decodePickle(bytes(`V${text}\np0\n0${call.repeat(20)}N.`))).message).toMatch(/copy more data/);
    expect(decodePickle(bytes(`V${text}\np0\n0c_codecs\nencode\n(g0\nVlatin1\ntR.`))).toHaveLength(10_000);
  });

  it("does not recurse on a million nested lists", () => {
    const depth = 1_000_000;
    const nested = decodePickle(bytes("]".repeat(depth), "a".repeat(depth - 1), "."));
    expect(Array.isArray(nested)).toBe(true);
  });

  it("limits the number of containers", () => {
    expect(errorOf(() => decodePickle(bytes("]".repeat(100), "."), { maxContainers: 50 })).code).toBe("unsupported");
    expect(errorOf(() => decodePickle(bytes("N."), { maxBytes: 1 })).code).toBe("unsupported");
  });

  it("never does anything but return or throw its own error, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (stream) => {
        try {
          decodePickle(stream);
        } catch (error) {
          expect(error).toBeInstanceOf(NemosaicError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("does not touch Object.prototype", () => {
    const plain = plainPickle(decodePickle(bytes("}V__proto__\n}Vpolluted\nI01\nsss".slice(0, -1), "."))) as Record<
      string,
      unknown
    >;
    expect(Object.keys(plain)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe("decodePickle on a pickle that was copied as text", () => {
  const copied = (stream: Uint8Array): Uint8Array =>
    Uint8Array.from([...stream].flatMap((byte) => (byte === 0x0a ? [0x0d, 0x0a] : [byte])));

  it("says that line ends became CR LF, where strings would else end in a CR", () => {
    const text = bytes("(dp0\nVsplit\np1\nVtrain\np2\ns.");
    expect(plainPickle(decodePickle(text))).toEqual({ split: "train" });
    expect(errorOf(() => decodePickle(copied(text), { where: '"refs(unc).p"' })).message).toMatch(
      /"refs\(unc\)\.p".*CR LF.*copy the original again as binary/,
    );
    const binary = bytes(0x80, 2, "]", "(", ...[1, 2, 3, 4].flatMap((n) => ["K", 10, "K", n]), "e.");
    expect(decodePickle(binary)).toEqual([10, 1, 10, 2, 10, 3, 10, 4]);
    expect(errorOf(() => decodePickle(copied(binary))).message).toMatch(/CR LF/);
  });

  it("keeps a CR that belongs to a string", () => {
    expect(decodePickle(bytes("Vtrain\r\np0\n."))).toBe("train\r");
    expect(decodePickle(bytes(0x80, 2, "X", u32(7), "train\r\n."))).toBe("train\r\n");
  });
});
