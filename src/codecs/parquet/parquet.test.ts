import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../../test/peers.ts";
import { NemosaicError } from "../../model/index.ts";
import {
  nullableTableColumn,
  readRows,
  readTable,
  readTableMetadata,
  type TableColumn,
  tableColumn,
  writeTableTo,
} from "./index.ts";
import { tableBytes } from "./table-bytes.contract.ts";

const noPyarrow = !pythonHas("pyarrow", "pandas");
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "parquet-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

const columns: TableColumn[] = [
  { name: "int32", type: "int32", values: [1, -(2 ** 31), 2 ** 31 - 1] },
  { name: "int64", type: "int64", values: [1, -(2n ** 63n), 2 ** 53 - 1] },
  { name: "double", type: "double", values: [0.1, Number.POSITIVE_INFINITY, -0] },
  { name: "float", type: "float", values: [0.5, -2, 1e10] },
  { name: "string", type: "string", values: ["", "naïve 😀", "a\0b"] },
  { name: "boolean", type: "boolean", values: [true, false, true] },
  { name: "bytes", type: "bytes", values: [bytes(""), bytes("\xff\0"), bytes("abc")] },
  { name: "list", type: "int32-list", values: [[1, 2, 3], [], Int32Array.of(-7)] },
  { name: "int32?", type: "int32", nullable: true, values: [null, 5, undefined] },
  { name: "string?", type: "string", nullable: true, values: ["x", null, ""] },
  { name: "list?", type: "int32-list", nullable: true, values: [null, [], [1, 2]] },
  { name: "bytes?", type: "bytes", nullable: true, values: [bytes("z"), null, bytes("")] },
  { name: "double?", type: "double", nullable: true, values: [null, null, null] },
];

async function roundTrip(name: string, input: readonly TableColumn[], options = {}) {
  const path = join(folder, name);
  writeFileSync(path, await tableBytes(input, options));
  return readTable(path);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

describe("tables in Parquet", () => {
  it("come back as typed columns with their nulls and metadata", async () => {
    const table = await roundTrip("all.parquet", columns, { metadata: { format: "nemosaic-test", é: "ü" } });
    expect(table.rows).toBe(3);
    expect(table.metadata).toEqual({ format: "nemosaic-test", é: "ü" });
    expect([...table.columns.keys()]).toEqual(columns.map((column) => column.name));
    expect(tableColumn(table, "int32", "int32")).toEqual(Int32Array.of(1, -(2 ** 31), 2 ** 31 - 1));
    expect(tableColumn(table, "int64", "int64")).toEqual(BigInt64Array.of(1n, -(2n ** 63n), 2n ** 53n - 1n));
    expect(tableColumn(table, "double", "double")).toEqual(Float64Array.of(0.1, Number.POSITIVE_INFINITY, -0));
    expect(tableColumn(table, "float", "float")).toEqual(Float32Array.of(0.5, -2, 1e10));
    expect(tableColumn(table, "string", "string")).toEqual(["", "naïve 😀", "a\0b"]);
    expect(tableColumn(table, "boolean", "boolean")).toEqual(Uint8Array.of(1, 0, 1));
    expect(tableColumn(table, "bytes", "bytes").map((value) => Buffer.from(value).toString())).toEqual([
      "",
      "\xff\0",
      "abc",
    ]);
    expect(tableColumn(table, "list", "int32-list")).toEqual({
      offsets: Int32Array.of(0, 3, 3, 4),
      values: Int32Array.of(1, 2, 3, -7),
    });
    expect(nullableTableColumn(table, "int32?", "int32")).toMatchObject({
      values: Int32Array.of(0, 5, 0),
      valid: Uint8Array.of(0, 1, 0),
    });
    expect(nullableTableColumn(table, "string?", "string")).toMatchObject({
      values: ["x", "", ""],
      valid: Uint8Array.of(1, 0, 1),
    });
    expect(nullableTableColumn(table, "list?", "int32-list")).toMatchObject({
      values: { offsets: Int32Array.of(0, 0, 0, 2), values: Int32Array.of(1, 2) },
      valid: Uint8Array.of(0, 1, 1),
    });
    expect(nullableTableColumn(table, "bytes?", "bytes").valid).toEqual(Uint8Array.of(1, 0, 1));
    expect(nullableTableColumn(table, "double?", "double")).toMatchObject({
      values: new Float64Array(3).fill(Number.NaN),
      valid: new Uint8Array(3),
    });
    expect(nullableTableColumn(table, "int32", "int32").valid).toBeUndefined();
  });

  it("come back whatever the values and the size of row groups", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.integer(), fc.string({ unit: "grapheme" }), fc.option(fc.array(fc.integer())), fc.uint8Array()),
        ),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom("snappy" as const, "none" as const),
        async (rows, rowGroupSize, compression) => {
          const table = await roundTrip(
            "property.parquet",
            [
              { name: "i", type: "int32", values: rows.map((row) => row[0]) },
              { name: "s", type: "string", values: rows.map((row) => row[1]) },
              { name: "l", type: "int32-list", nullable: true, values: rows.map((row) => row[2]) },
              { name: "b", type: "bytes", values: rows.map((row) => row[3]) },
            ],
            { rowGroupSize, compression },
          );
          expect([...tableColumn(table, "i", "int32")]).toEqual(rows.map((row) => row[0]));
          expect(tableColumn(table, "s", "string")).toEqual(rows.map((row) => row[1]));
          expect(tableColumn(table, "b", "bytes").map((value) => [...value])).toEqual(rows.map((row) => [...row[3]]));
          const lists = nullableTableColumn(table, "l", "int32-list");
          const back = rows.map((_, i) => [
            ...lists.values.values.subarray(lists.values.offsets[i], lists.values.offsets[i + 1]),
          ]);
          expect(back).toEqual(rows.map((row) => row[2] ?? []));
          expect(rows.map((_, i) => lists.valid?.[i] ?? 1)).toEqual(rows.map((row) => (row[2] === null ? 0 : 1)));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("are the same bytes each time, handed on piece by piece", async () => {
    const many: TableColumn[] = [
      { name: "a", type: "int32", values: Int32Array.from({ length: 5000 }, (_, i) => i % 7) },
      { name: "b", type: "bytes", values: Array.from({ length: 5000 }, (_, i) => new Uint8Array(4000).fill(i)) },
    ];
    const options = { rowGroupSize: 1000, metadata: { k: "v" } };
    const parts: Uint8Array[] = [];
    await writeTableTo(async (part) => void parts.push(part), many, { ...options, compression: "none" });
    expect(parts.length).toBeGreaterThan(1);
    expect(Buffer.concat(parts).equals(await tableBytes(many, { ...options, compression: "none" }))).toBe(true);
    expect((await tableBytes(many, options)).equals(await tableBytes(many, options))).toBe(true);
  });

  it("hold zero rows", async () => {
    const table = await roundTrip(
      "empty.parquet",
      columns.map((column) => ({ ...column, values: [] })),
    );
    expect(table.rows).toBe(0);
    expect(tableColumn(table, "list", "int32-list")).toEqual({ offsets: Int32Array.of(0), values: new Int32Array(0) });
    expect(await readTableMetadata(join(folder, "empty.parquet"))).toMatchObject({ rows: 0, rowGroups: [] });
    expect(await collect(readRows(join(folder, "empty.parquet")))).toEqual([]);
  });

  it("give the columns asked for, and say what is wrong with a name or type", async () => {
    await roundTrip("names.parquet", columns);
    const path = join(folder, "names.parquet");
    const table = await readTable(path, ["string", "int32"]);
    expect([...table.columns.keys()].sort()).toEqual(["int32", "string"]);
    expect(() => tableColumn(table, "int32", "string")).toThrow(/to be string, got int32/);
    await expect(readTable(path, ["strin"])).rejects.toThrow(/Did you mean "string"/);
    const nulls = await readTable(path, ["int32?"]);
    expect(() => tableColumn(nulls, "int32?", "int32")).toThrow(/none in row 0/);
    expect(() => tableColumn(nulls, "int32", "int32")).toThrow(/unknown column/);
    expect((await readTableMetadata(path)).columns[7]).toEqual({ name: "list", type: "int32-list", nullable: false });
  });

  it("refuse values that their type cannot hold", async () => {
    const wrong: TableColumn[] = [
      { name: "x", type: "int32", values: [1.5] },
      { name: "x", type: "int32", values: [2 ** 31] },
      { name: "x", type: "int32", values: [null] },
      { name: "x", type: "int64", values: [2n ** 63n] },
      { name: "x", type: "string", values: [1] },
      { name: "x", type: "bytes", values: ["text"] },
      { name: "x", type: "boolean", values: [2] },
      { name: "x", type: "int32-list", values: [[1.5]] },
      { name: "x", type: "int32-list", values: [5] },
    ];
    for (const column of wrong)
      await expect(tableBytes([column])).rejects.toThrow(/expected .* in row 0 of column "x"/);
    await expect(tableBytes([])).rejects.toThrow(/at least one column/);
    await expect(tableBytes([columns[0]!, columns[0]!])).rejects.toThrow(/twice/);
    await expect(tableBytes([columns[0]!, { name: "y", type: "int32", values: [1] }])).rejects.toThrow(
      /expected 3 rows/,
    );
  });

  it.skipIf(noPyarrow)("are read by pyarrow and pandas (needs Python with pyarrow)", async () => {
    const path = join(folder, "for-python.parquet");
    for (const options of [{}, { compression: "none" as const }, { rowGroupSize: 2 }]) {
      writeFileSync(path, await tableBytes(columns, { ...options, metadata: { who: "us" } }));
      const out = runPython(
        `import pyarrow.parquet as pq, pandas as pd, sys, math
t = pq.read_table(sys.argv[1]); d = t.to_pydict()
assert d['int32'] == [1, -2**31, 2**31-1]; assert d['int64'] == [1, -2**63, 2**53-1]
assert d['double'][:2] == [0.1, math.inf]; assert d['float'] == [0.5, -2, 1e10]
assert d['string'] == ['', 'naïve 😀', 'a\\0b']; assert d['boolean'] == [True, False, True]
assert d['bytes'] == [b'', 'ÿ\\0'.encode(), b'abc'], d['bytes']; assert d['list'] == [[1,2,3],[],[-7]]
assert d['int32?'] == [None, 5, None]; assert d['string?'] == ['x', None, '']; assert d['list?'] == [None, [], [1,2]], d['list?']
assert d['bytes?'] == [b'z', None, b'']; assert d['double?'] == [None]*3
assert t.schema.metadata[b'who'] == b'us'
assert str(t.schema.field('string').type) == 'string' and not t.schema.field('int32').nullable
p = pd.read_parquet(sys.argv[1]); assert list(p['string']) == d['string'] and list(p['list'][0]) == [1,2,3]
print('same')`,
        [path],
      );
      expect(out.trim()).toBe("same");
    }
    writeFileSync(path, await tableBytes(columns.map((column) => ({ ...column, values: [] }))));
    expect(
      runPython("import pyarrow.parquet as pq, sys; print(pq.read_table(sys.argv[1]).num_rows)", [path]).trim(),
    ).toBe("0");
  });

  it.skipIf(noPyarrow)(
    "of pyarrow are read, in each compression, version and with dictionaries (needs Python with pyarrow)",
    async () => {
      for (const codec of ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]) {
        for (const version of ["1.0", "2.6"]) {
          const path = join(folder, "theirs.parquet");
          runPython(
            `import pyarrow as pa, pyarrow.parquet as pq, sys
n = 5000
t = pa.table({'i': pa.array(range(n), pa.int32()), 's': ['cat%d é' % (i % 13) for i in range(n)], 'b': [bytes([i % 256]) * (i % 5) for i in range(n)],
 'l': pa.array([[i, -i][:i % 3] if i % 5 else None for i in range(n)], pa.list_(pa.int32())), 'f': pa.array([i / 7 for i in range(n)], pa.float32()),
 'd': [None if i % 4 == 0 else i / 7 for i in range(n)], 'q': [i * 10**12 for i in range(n)], 't': [i % 3 == 0 for i in range(n)], 'u': pa.array([i % 250 for i in range(n)], pa.uint8())})
pq.write_table(t, sys.argv[1], compression=sys.argv[2], version=sys.argv[3], row_group_size=1700, data_page_version=sys.argv[3][0] + '.0')`,
            [path, codec, version],
          );
          const table = await readTable(path);
          expect([...table.columns].map(([name, column]) => [name, column.type])).toEqual([
            ["i", "int32"],
            ["s", "string"],
            ["b", "bytes"],
            ["l", "int32-list"],
            ["f", "float"],
            ["d", "double"],
            ["q", "int64"],
            ["t", "boolean"],
            ["u", "int32"],
          ]);
          expect(tableColumn(table, "i", "int32")).toEqual(Int32Array.from({ length: 5000 }, (_, i) => i));
          expect(tableColumn(table, "s", "string")[4999]).toBe(`cat${4999 % 13} é`);
          expect(tableColumn(table, "b", "bytes").map((value) => value.length)).toEqual(
            Array.from({ length: 5000 }, (_, i) => i % 5),
          );
          const lists = nullableTableColumn(table, "l", "int32-list");
          expect([...lists.values.values.subarray(lists.values.offsets[4997]!, lists.values.offsets[4998]!)]).toEqual(
            [4997, -4997].slice(0, 4997 % 3),
          );
          expect(lists.valid?.[4995]).toBe(0);
          expect(nullableTableColumn(table, "d", "double").values[4999]).toBe(4999 / 7);
          expect(tableColumn(table, "q", "int64")[4999]).toBe(4999n * 10n ** 12n);
          expect(tableColumn(table, "t", "boolean")[4998]).toBe(1);
          expect(tableColumn(table, "u", "int32")[251]).toBe(1);
          expect(tableColumn(table, "f", "float")[7]).toBe(1);
        }
      }
    },
  );

  it.skipIf(noPyarrow)(
    "with nested rows, as on Hugging Face, are read row by row (needs Python with pyarrow)",
    async () => {
      const path = join(folder, "nested.parquet");
      runPython(
        `import pyarrow as pa, pyarrow.parquet as pq, sys, datetime
n = 250
rows = [{'image': {'bytes': bytes([i % 256] * 10), 'path': 'p%d.jpg' % i}, 'sentences': [{'raw': 'R%d' % j, 'sent_id': j, 'tokens': ['a', 'b%d' % j]} for j in range(i % 3)],
 'bbox': [1.5, 2, 3, i], 'answer': ['x é'], 'none': None if i % 2 else 'y', 'flag': i % 2 == 0, 'parts': [[1.0, 2.0], [3.0 + i]], 'when': datetime.date(2020, 1, 1)} for i in range(n)]
pq.write_table(pa.Table.from_pylist(rows), sys.argv[1], row_group_size=100)`,
        [path],
      );
      const rows = await collect(readRows(path));
      expect(rows).toHaveLength(250);
      expect(rows[152]).toMatchObject({
        sentences: [
          { raw: "R0", sent_id: 0n, tokens: ["a", "b0"] },
          { raw: "R1", sent_id: 1n, tokens: ["a", "b1"] },
        ],
        bbox: [1.5, 2, 3, 152],
        answer: ["x é"],
        none: "y",
        flag: true,
        parts: [[1, 2], [155]],
      });
      expect(rows[152]?.when).toBeInstanceOf(Date);
      const image = rows[152]?.image as { bytes: Uint8Array; path: string };
      expect(image.path).toBe("p152.jpg");
      expect([...image.bytes]).toEqual(new Array(10).fill(152));
      expect(rows[150]?.sentences).toEqual([]);
      expect(rows[151]?.none).toBeNull();
      const some = await collect(readRows(path, { columns: ["answer", "none"], rowStart: 95, rowEnd: 205 }));
      expect(some).toHaveLength(110);
      expect(Object.keys(some[0]!).sort()).toEqual(["answer", "none"]);
      expect(await readTable(path).then((table) => [...table.columns.keys()])).toEqual(["none", "flag"]);
      await expect(readTable(path, ["image"])).rejects.toMatchObject({ code: "unsupported" });
      await expect(collect(readRows(path, { columns: ["imag"] }))).rejects.toThrow(/Did you mean "image"/);
    },
  );

  it("refuse damaged files with one line each", async () => {
    const path = join(folder, "damaged.parquet");
    const whole = await tableBytes(columns, { compression: "none" });
    const variants: [string, Uint8Array][] = [
      ["nothing", new Uint8Array(0)],
      ["text", bytes("hello, this is not parquet at all")],
      ["cut in half", whole.subarray(0, whole.length / 2)],
      ["no end", whole.subarray(0, whole.length - 1)],
      ["encrypted", Uint8Array.from([...whole.subarray(0, -4), ...bytes("PARE")])],
      ["a footer of 4 GB", Uint8Array.from([...whole.subarray(0, -8), 255, 255, 255, 255, ...bytes("PAR1")])],
    ];
    for (const [, content] of variants) {
      writeFileSync(path, content);
      for (const read of [() => readTable(path), () => readTableMetadata(path), () => collect(readRows(path))]) {
        const error: unknown = await read().catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(NemosaicError);
        expect((error as Error).message).toContain("damaged.parquet");
        expect((error as Error).message).not.toContain("\n");
      }
    }
    await expect(readTable(join(folder, "none.parquet"))).rejects.toMatchObject({ code: "not-found" });
  });

  it("refuse a footer whose metadata is bytes in place of a list of pairs", async () => {
    const path = join(folder, "pairs.parquet");
    const whole = await tableBytes(columns, { metadata: { k: "v" } });
    // Thrift: field 5, a list of one struct { 1: "k", 2: "v" }; then as a field 5 of seven bytes.
    const at = whole.lastIndexOf(Buffer.from("191c18016b18017600", "hex"));
    expect(at).toBeGreaterThan(0);
    whole.set([0x18, 7], at);
    writeFileSync(path, whole);
    await expect(readTable(path)).rejects.toThrow(/pairs\.parquet.*key-value metadata is no list of pairs/);
  });

  it("give an error of ours, or values, when any byte is damaged", async () => {
    const path = join(folder, "flipped.parquet");
    const whole = await tableBytes(columns.slice(0, 8), { compression: "snappy" });
    let refused = 0;
    for (let at = 4; at < whole.length; at += 3) {
      const copy = whole.slice();
      copy[at] = copy[at]! ^ 0xff;
      writeFileSync(path, copy);
      await readTable(path).catch((error: unknown) => {
        expect(error).toBeInstanceOf(NemosaicError);
        refused++;
      });
    }
    expect(refused).toBeGreaterThan(20);
  });

  it("of 40,000 rows with 16 MB of bytes, over several row groups, are written and read", async () => {
    const rows = 40_000;
    const noise = new Uint8Array(1_000_000);
    let state = 1;
    for (let i = 0; i < noise.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      noise[i] = state >>> 24;
    }
    const blobAt = (i: number) => noise.subarray((i * 997) % 999_000, ((i * 997) % 999_000) + 400);
    const big: TableColumn[] = [
      { name: "id", type: "int32", values: Int32Array.from({ length: rows }, (_, i) => i) },
      { name: "name", type: "string", values: Array.from({ length: rows }, (_, i) => `image ${i}`) },
      { name: "blob", type: "bytes", values: Array.from({ length: rows }, (_, i) => blobAt(i)) },
    ];
    for (const compression of ["none", "snappy"] as const) {
      const path = join(folder, "big.parquet");
      writeFileSync(path, await tableBytes(big, { compression }));
      const table = await readTable(path);
      expect(tableColumn(table, "blob", "bytes")[rows - 1]).toEqual(blobAt(rows - 1));
      expect(tableColumn(table, "name", "string")[rows - 1]).toBe(`image ${rows - 1}`);
    }
    expect(readFileSync(join(folder, "big.parquet")).length).toBeGreaterThan(1e6);
  });
});
