import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { python, runPython, runPythonBytes } from "../../test/peers.ts";
import { floatToHalf } from "../kernels/index.ts";
import { NemosaicError } from "../model/index.ts";
import { decodeNpy, encodeNpy, NpyReader } from "./npy.ts";
import { type NpyArray, type NpyDtype, npyArray, npyHeader, readNpyHeader } from "./npy-header.ts";

const noPython = python() === undefined;
const dtypes: NpyDtype[] = [
  "float16",
  "float32",
  "float64",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "bool",
];
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "npy-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function sample(dtype: NpyDtype, length: number): NpyArray {
  const array = npyArray(dtype, length);
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) {
    for (let i = 0; i < length; i++) array[i] = BigInt(i) * 12345678901n;
  } else {
    for (let i = 0; i < length; i++) array[i] = dtype === "bool" ? i % 2 : dtype === "float16" ? 0x3c00 + i : i * 3;
  }
  return array;
}

/** A .npy file with a header written by hand. */
function handMade(dict: string, data: number, version = 1): Uint8Array {
  const text = `${dict}\n`;
  const head = Buffer.alloc(version === 1 ? 10 : 12);
  head.write("\x93NUMPY", "latin1");
  head[6] = version;
  if (version === 1) head.writeUInt16LE(text.length, 8);
  else head.writeUInt32LE(text.length, 8);
  return new Uint8Array(Buffer.concat([head, Buffer.from(text, "latin1"), Buffer.alloc(data)]));
}

describe("npy in memory", () => {
  it("gives back what it wrote, for every dtype", () => {
    fc.assert(
      fc.property(fc.constantFrom(...dtypes), fc.array(fc.nat(5), { maxLength: 4 }), (dtype, shape) => {
        const data = sample(
          dtype,
          shape.reduce((a, b) => a * b, 1),
        );
        expect(decodeNpy(encodeNpy(data, shape, dtype))).toEqual({ dtype, shape, data });
      }),
    );
  });

  it("aligns data to 64 bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2 ** 40), { maxLength: 12 }), (shape) => {
        const header = npyHeader("float32", shape);
        expect(header.length % 64).toBe(0);
        expect(header.at(-1)).toBe(10);
      }),
    );
  });

  it.skipIf(noPython)("writes the bytes that numpy.save writes (needs Python)", () => {
    const cases = dtypes.flatMap((dtype) =>
      [[], [0], [7], [3, 4], [0, 512], [2, 3, 4], [1, 1, 1, 1, 1, 1, 1, 1]].map((shape) => ({ dtype, shape })),
    );
    const out = runPythonBytes(
      `import numpy as np, sys, json, io, struct
for c in json.load(sys.stdin):
    n = int(np.prod(c['shape'], dtype=int)); t = c['dtype']
    a = np.arange(n)
    if t in ('int64','uint64'): a = (a.astype(t) * 12345678901)
    elif t == 'bool': a = (a % 2).astype(bool)
    elif t == 'float16': a = (a + 0x3c00).astype(np.uint16).view(np.float16)
    else: a = (a * 3).astype(t)
    f = io.BytesIO(); np.save(f, a.reshape(c['shape'])); b = f.getvalue()
    sys.stdout.buffer.write(struct.pack('<I', len(b)) + b)`,
      [],
      Buffer.from(JSON.stringify(cases)),
    );
    let at = 0;
    for (const { dtype, shape } of cases) {
      const length = out.readUInt32LE(at);
      const theirs = new Uint8Array(out.subarray(at + 4, at + 4 + length));
      at += 4 + length;
      expect(
        encodeNpy(
          sample(
            dtype,
            shape.reduce((a, b) => a * b, 1),
          ),
          shape,
          dtype,
        ),
      ).toEqual(theirs);
    }
    expect(at).toBe(out.length);
  });

  it("reads versions 1, 2 and 3, Python 2's longs and one-dimensional fortran order", () => {
    for (const version of [1, 2, 3]) {
      const file = handMade("{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }", 24, version);
      expect(readNpyHeader(file)).toMatchObject({ dtype: "float32", shape: [2, 3] });
    }
    expect(readNpyHeader(handMade(`{"descr": "<i4", "fortran_order": True, "shape": (2,)}`, 8)).shape).toEqual([2]);
    expect(readNpyHeader(handMade("{'descr': '=u1', 'fortran_order': False, 'shape': ()}", 1)).shape).toEqual([]);
  });

  const bad: [name: string, file: Uint8Array, code: string, words: RegExp][] = [
    ["zero bytes", new Uint8Array(0), "bad-input", /NUMPY/],
    ["another format", new Uint8Array(Buffer.from("PK\x03\x04 a zip archive")), "bad-input", /NUMPY/],
    ["version 9", handMade("{}", 0, 9), "unsupported", /version/],
    [
      "fortran order",
      handMade("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", 24),
      "unsupported",
      /ascontiguousarray/,
    ],
    [
      "Python objects",
      handMade("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", 24),
      "unsupported",
      /pickle/,
    ],
    [
      "big-endian numbers",
      handMade("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", 8),
      "unsupported",
      /little-endian/,
    ],
    [
      "a structured dtype",
      handMade("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", 8),
      "unsupported",
      /structured/,
    ],
    ["text", handMade("{'descr': '<U5', 'fortran_order': False, 'shape': (2,), }", 40), "unsupported", /<U5/],
    [
      "a byte too few",
      handMade("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 7),
      "bad-input",
      /cut short/,
    ],
    [
      "a byte too many",
      handMade("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 9),
      "bad-input",
      /damaged/,
    ],
    [
      "a shape of petabytes",
      handMade("{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999999, 999999999999999), }", 8),
      "bad-input",
      /cut short/,
    ],
    [
      "a negative shape",
      handMade("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", 8),
      "bad-input",
      /shape/,
    ],
    [
      "a shape of no numbers",
      handMade("{'descr': '<f8', 'fortran_order': False, 'shape': (,,), }", 8),
      "bad-input",
      /shape/,
    ],
    ["no dict", handMade("hello", 8), "bad-input", /descr/],
  ];
  it.each(bad)("refuses %s", (_name, file, code, words) => {
    let error: unknown;
    try {
      decodeNpy(file, '"x.npy"');
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(NemosaicError);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toMatch(words);
    expect((error as Error).message).toMatch(/"x\.npy"/);
  });

  it("refuses every truncation", () => {
    const file = encodeNpy(new Float32Array(6), [2, 3]);
    for (let length = 0; length < file.length; length++) {
      expect(() => decodeNpy(file.subarray(0, length))).toThrow(NemosaicError);
    }
  });

  it("refuses arrays that do not fit their shape or dtype", () => {
    expect(() => encodeNpy(new Float32Array(5), [2, 3])).toThrow(/expected 6 numbers/);
    expect(() => encodeNpy(new Float32Array(6), [2, 3], "float16")).toThrow(/float16/);
    expect(() => npyHeader("float32", [-1])).toThrow(/whole numbers/);
  });
});

describe("NpyReader", () => {
  it("reads rows by position, with and without an array to fill", async () => {
    const path = join(folder, "rows.npy");
    writeFileSync(
      path,
      encodeNpy(
        Float32Array.from({ length: 40 }, (_, i) => i),
        [10, 4],
      ),
    );
    const reader = await NpyReader.open(path);
    expect([reader.dtype, reader.shape, reader.rowLength]).toEqual(["float32", [10, 4], 4]);
    expect(await reader.rows(3, 2)).toEqual(Float32Array.from([12, 13, 14, 15, 16, 17, 18, 19]));
    const into = new Float32Array(12).fill(-1);
    expect(reader.rowsSync(9, 1, into)).toEqual(Float32Array.from([36, 37, 38, 39]));
    expect([...into.subarray(0, 5)]).toEqual([36, 37, 38, 39, -1]);
    expect((await reader.rows(10, 0)).length).toBe(0);
    await expect(reader.rows(9, 2)).rejects.toThrow(/among the 10 .* 9 to 11/);
    expect(() => reader.rowsSync(-1, 1)).toThrow(/among/);
    expect(() => reader.rowsSync(0, 4, into)).toThrow(/room for 16/);
    expect(() => reader.rowsSync(0, 1, new Int32Array(4))).toThrow(/float32/);
    await reader.close();
  });

  it("gives float32 from every dtype", async () => {
    for (const dtype of dtypes) {
      const path = join(folder, `${dtype}.npy`);
      const halves = floatToHalf(Float32Array.from([1, 0, 0.5, -2]));
      const data = dtype === "float16" ? halves : npyArray(dtype, 4);
      if (dtype !== "float16")
        for (let i = 0; i < 4; i++)
          data[i] = (data instanceof BigInt64Array || data instanceof BigUint64Array ? BigInt(i % 2) : i % 2) as never;
      writeFileSync(path, encodeNpy(data, [2, 2], dtype));
      const reader = await NpyReader.open(path);
      const expected = dtype === "float16" ? [0.5, -2] : [0, 1];
      expect([...(await reader.rowsAsFloat32(1, 1))]).toEqual(expected);
      const into = new Float32Array(5);
      expect([...reader.rowsAsFloat32Sync(1, 1, into)]).toEqual(expected);
      expect([...into]).toEqual([...expected, 0, 0, 0]);
      await reader.close();
    }
  });

  it("says so when a file shrinks while it is read", async () => {
    const path = join(folder, "shrinks.npy");
    writeFileSync(path, encodeNpy(new Float32Array(400), [100, 4]));
    const reader = await NpyReader.open(path);
    truncateSync(path, 200);
    expect(() => reader.rowsSync(90, 10)).toThrow(/shrunk/);
    await expect(reader.rows(90, 10)).rejects.toMatchObject({ code: "bad-input" });
    await reader.close();
  });

  it("names a file that is not there", async () => {
    await expect(NpyReader.open(join(folder, "none.npy"))).rejects.toMatchObject({ code: "not-found" });
  });

  it.skipIf(noPython)("reads float16 that NumPy wrote, and NumPy reads ours (needs Python)", async () => {
    const theirs = join(folder, "theirs.npy");
    const ours = join(folder, "ours.npy");
    runPython("import numpy as np, sys; np.save(sys.argv[1], (np.arange(12)/7).reshape(4,3).astype(np.float16))", [
      theirs,
    ]);
    const reader = await NpyReader.open(theirs);
    const rows = await reader.rowsAsFloat32(0, 4);
    await reader.close();
    writeFileSync(ours, encodeNpy(floatToHalf(rows), [4, 3], "float16"));
    expect(readFileSync(ours)).toEqual(readFileSync(theirs));
  });
});
