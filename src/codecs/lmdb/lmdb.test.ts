import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../../test/peers.ts";
import { type LmdbEntry, LmdbReader, writeLmdb } from "./index.ts";
import { bytes, errorOf, hash, makeAwkwardEntries, readAll, sortEntries } from "./lmdb-entries.contract.ts";

const noLmdb = !pythonHas("lmdb");
let root = "";
let path = "";
let turn = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "lmdb-"));
});
beforeEach(() => {
  path = join(root, `${turn++}.lmdb`);
});
afterAll(() => rmSync(root, { recursive: true }));

function same(actual: readonly LmdbEntry[], expected: readonly LmdbEntry[]): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, entry] of expected.entries()) {
    if (Buffer.compare(actual[i]!.key, entry.key) !== 0 || Buffer.compare(actual[i]!.value, entry.value) !== 0) {
      throw new Error(`entry ${i} differs: ${Buffer.from(entry.key).toString("latin1").slice(0, 40)}`);
    }
  }
}

describe("an LMDB file of ours", () => {
  it("gives back its entries, whatever their sizes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 511 }), fc.integer({ min: 0, max: 9000 })), {
          maxLength: 300,
        }),
        fc.constantFrom(4096, 16384, 32768),
        fc.boolean(),
        async (pairs, pageSize, subdir) => {
          path = join(root, `p${turn++}`);
          const entries = sortEntries(pairs.map(([key, size]) => [key, new Uint8Array(size).fill(key[0]!)]));
          expect(await writeLmdb(path, entries, { subdir, pageSize })).toBe(entries.length);
          same(await readAll(path), entries);
          rmSync(path, { recursive: true });
        },
      ),
      { numRuns: 40 },
    );
  });

  it("holds none, one, and awkward entries, as a file and as a folder", async () => {
    for (const entries of [[], [{ key: bytes("a"), value: bytes("b") }], makeAwkwardEntries()]) {
      for (const subdir of [false, true]) {
        path = join(root, `n${turn++}`);
        await writeLmdb(path, entries, { subdir });
        expect(statSync(path).isDirectory()).toBe(subdir);
        expect(existsSync(`${path}.partial`)).toBe(false);
        same(await readAll(path), entries);
        expect(readFileSync(subdir ? join(path, "data.mdb") : path).length % 4096).toBe(0);
      }
    }
  });

  it("is the same bytes each time, and reads from an async source that reuses its buffers", async () => {
    async function* source(): AsyncGenerator<LmdbEntry> {
      const key = Buffer.alloc(8);
      const value = Buffer.alloc(5000);
      for (let i = 0; i < 3000; i++) {
        key.writeBigUInt64BE(BigInt(i));
        value.fill(i);
        yield { key, value };
      }
    }
    await writeLmdb(path, source(), { subdir: false });
    const first = readFileSync(path);
    const all = await readAll(path);
    expect(all.every(({ value }, i) => value[4999] === (i & 255))).toBe(true);
    await writeLmdb(path, source(), { subdir: false });
    expect(readFileSync(path).equals(first)).toBe(true);
  });

  it("never has a branch page with a single child", async () => {
    // Long keys: seven children fill a branch. Every count up to three levels is tried.
    for (let count = 1; count <= 130; count++) {
      const entries = Array.from({ length: count }, (_, i) => ({
        key: bytes(String(i).padStart(3, "0").padStart(511, "k")),
        value: new Uint8Array(1500),
      }));
      await writeLmdb(path, entries, { subdir: false });
      const file = readFileSync(path);
      let branches = 0;
      for (let page = 2; page * 4096 < file.length; page++) {
        if (file.readUInt16LE(page * 4096 + 10) !== 1) continue;
        branches++;
        expect((file.readUInt16LE(page * 4096 + 12) - 16) / 2).toBeGreaterThan(1);
      }
      expect(branches > 0).toBe(count > 2);
      same(await readAll(path), entries);
    }
  });

  it("refuses keys out of order, repeated, empty or too long, and leaves no file behind", async () => {
    const a = { key: bytes("a"), value: bytes("") };
    const b = { key: bytes("b"), value: bytes("") };
    for (const [entries, words] of [
      [[b, a], /bytewise order.*"a" behind "b"/],
      [[a, a], /each once/],
      [
        [
          { key: bytes("10"), value: bytes("") },
          { key: bytes("9"), value: bytes("") },
          { key: bytes("11"), value: bytes("") },
        ],
        /"11" behind "9"/,
      ],
      [[{ key: bytes(""), value: bytes("") }], /1 to 511 bytes, got 0/],
      [[{ key: new Uint8Array(512), value: bytes("") }], /got 512/],
    ] as [LmdbEntry[], RegExp][]) {
      const error = await errorOf(() => writeLmdb(path, entries, { subdir: false }));
      expect(error.code).toBe("usage");
      expect(error.message).toMatch(words);
      expect(existsSync(path) || existsSync(`${path}.partial`)).toBe(false);
    }
    expect((await errorOf(() => writeLmdb(path, [], { subdir: false, pageSize: 5000 }))).code).toBe("usage");
  });
});

describe("LMDB beside Python (needs Python with lmdb)", () => {
  const checkAndGrow = `import lmdb, sys, json, hashlib
path, subdir = sys.argv[1], sys.argv[2] == '1'
def digest(env):
    h = hashlib.sha256(); n = 0
    with env.begin() as t:
        for k, v in t.cursor():
            h.update(len(k).to_bytes(4, 'little') + k + len(v).to_bytes(4, 'little') + v); n += 1
            assert t.get(k) == v
    return h.hexdigest(), n
env = lmdb.open(path, subdir=subdir, readonly=True, lock=False); first = digest(env); stat = env.stat(); env.close()
assert stat['entries'] == first[1]
env = lmdb.open(path, subdir=subdir, map_size=2**30)
assert digest(env) == first
with env.begin(write=True) as t:
    for i in range(500): t.put(b'new%d' % (i * 7919 % 500), b'x' * (i * 37 % 6000))
with env.begin(write=True) as t:
    for i in range(0, 500, 2): t.delete(b'new%d' % i)
    for k in list(t.cursor().iternext(values=False))[::5]: t.delete(k)
second = digest(env); env.close(); print(json.dumps([first, second]))`;

  it.skipIf(noLmdb)("Python reads ours, inserts and deletes, and we read the result", async () => {
    const many = Array.from({ length: 100_000 }, (_, i) => ({
      key: bytes(String(i).padStart(7, "0")),
      value: bytes(`value ${i}`),
    }));
    const blobs = Array.from({ length: 300 }, (_, i) => ({
      key: bytes(`b${1000 + i}`),
      value: new Uint8Array(i * 331).fill(i),
    }));
    for (const [entries, subdir, pageSize] of [
      [[], false, 4096],
      [[{ key: bytes("only"), value: bytes("one") }], true, 4096],
      [makeAwkwardEntries(), false, 4096],
      [makeAwkwardEntries(), true, 16384],
      [many, false, 4096],
      [blobs, true, 32768],
    ] as [LmdbEntry[], boolean, number][]) {
      path = join(root, `g${turn++}`);
      await writeLmdb(path, entries, { subdir, pageSize });
      const [first, second] = JSON.parse(runPython(checkAndGrow, [path, subdir ? "1" : "0"])) as [string, number][];
      expect(first).toEqual([hash(entries), entries.length]);
      const grown = await readAll(path);
      expect([hash(grown), grown.length]).toEqual(second);
    }
  });

  it.skipIf(noLmdb)("reads a deep tree of unordered inserts, overflow values and freed pages", async () => {
    const out = runPython(
      `import lmdb, sys, random, hashlib
random.seed(5)
env = lmdb.open(sys.argv[1], subdir=False, map_size=2**30)
for part in range(4):
    with env.begin(write=True) as t:
        for i in range(9000):
            k = hashlib.md5(b'%d' % random.randrange(20000)).hexdigest().encode() * (1 + i % 12); t.put(k, b'%d' % i * random.choice([0, 1, 50, 2000]))
    with env.begin(write=True) as t:
        c = t.cursor(); c.first()
        for i in range(2500):
            if not c.delete(): break
            for _ in range(i % 3): c.next()
h = hashlib.sha256(); n = 0
with env.begin() as t:
    for k, v in t.cursor(): h.update(len(k).to_bytes(4, 'little') + k + len(v).to_bytes(4, 'little') + v); n += 1
print(h.hexdigest(), n, env.stat()['depth'])`,
      [path],
    )
      .trim()
      .split(" ");
    expect(Number(out[2])).toBeGreaterThan(3);
    const entries = await readAll(path);
    expect([hash(entries), String(entries.length)]).toEqual(out.slice(0, 2));
    // A cache of a few pages gives the same.
    const reader = await LmdbReader.open(path, { cacheBytes: 4096 });
    for (const { key, value } of entries.slice(0, 2000))
      expect(Buffer.compare(reader.get(key) ?? bytes("?"), value)).toBe(0);
    await reader.close();
  });

  it.skipIf(noLmdb)("reads the file of CRIS: pickles under numbers, with __keys__ and __len__", async () => {
    runPython(
      `import lmdb, sys, pickle
env = lmdb.open(sys.argv[1], subdir=False, map_size=2**26, readonly=False, meminit=False, map_async=True)
with env.begin(write=True) as t:
    for i in range(30): t.put(b'%d' % i, pickle.dumps({'img': bytes(9000), 'seg_id': i}))
    t.put(b'__keys__', pickle.dumps([b'%d' % i for i in range(30)])); t.put(b'__len__', pickle.dumps(30))
env.sync(); env.close()`,
      [path],
    );
    const reader = await LmdbReader.open(path);
    const { decodePickle } = await import("../pickle/index.ts");
    expect(decodePickle(reader.get(bytes("__len__"))!)).toBe(30);
    expect(decodePickle(reader.get(bytes("__keys__"))!)).toHaveLength(30);
    expect((decodePickle(reader.get(bytes("17"))!) as Map<string, unknown>).get("seg_id")).toBe(17);
    expect(reader.get(bytes("30"))).toBeUndefined();
    await reader.close();
  });

  it.skipIf(noLmdb)("refuses named databases, duplicates and integer keys", async () => {
    runPython(
      `import lmdb, sys
env = lmdb.open(sys.argv[1], max_dbs=2, subdir=False)
db = env.open_db(b'inner')
with env.begin(write=True) as t: t.put(b'k', b'v', db=db); t.put(b'plain', b'v')
env.close()`,
      [path],
    );
    const reader = await LmdbReader.open(path);
    expect(() => reader.get(bytes("inner"))).toThrow(/named database.*"inner"/);
    expect(reader.get(bytes("plain"))).toEqual(bytes("v"));
    await reader.close();
    expect((await errorOf(() => readAll(path))).code).toBe("unsupported");
    const plain = readFileSync(path);
    for (const [flag, words] of [
      [4, /duplicates/],
      [8, /integer/],
      [2, /reversed/],
    ] as const) {
      for (const meta of [0, 4096]) plain.writeUInt16LE(flag, meta + 88 + 4);
      writeFileSync(path, plain);
      const error = await errorOf(() => LmdbReader.open(path));
      expect(error.code).toBe("unsupported");
      expect(error.message).toMatch(words);
    }
  });

  it("reads pages beyond 4 GB of a sparse file", async () => {
    const far = 2_000_000;
    await writeLmdb(
      path,
      [
        { key: bytes("k"), value: bytes("v") },
        { key: bytes("l"), value: new Uint8Array(10_000).fill(7) },
      ],
      { subdir: false },
    );
    const file = readFileSync(path);
    const handle = await open(path, "r+");
    // The value (pages 2 to 4) and the leaf (page 5) move 8 GB up.
    const moved = Buffer.from(file.subarray(2 * 4096));
    moved.writeBigUInt64LE(BigInt(far + 2), 0);
    moved.writeBigUInt64LE(BigInt(far + 5), 3 * 4096);
    const leaf = moved.subarray(3 * 4096);
    leaf.writeBigUInt64LE(BigInt(far + 2), leaf.readUInt16LE(18) + 9);
    await handle.write(moved, 0, moved.length, (far + 2) * 4096);
    const meta = Buffer.from(file.subarray(4096, 8192));
    meta.writeBigUInt64LE(BigInt(far + 5), 88 + 40);
    meta.writeBigUInt64LE(BigInt(far + 5), 136);
    await handle.write(meta, 0, meta.length, 4096);
    await handle.close();
    expect(statSync(path).size).toBeGreaterThan(8e9);
    expect(statSync(path).blocks * 512).toBeLessThan(1e6);
    const [first, second] = await readAll(path);
    expect([first?.value, second?.value.length, second?.value[9999]]).toEqual([bytes("v"), 10_000, 7]);
    if (!noLmdb) {
      const out = runPython(
        "import lmdb, sys; e = lmdb.open(sys.argv[1], subdir=False, readonly=True, lock=False); t = e.begin(); print(t.get(b'k'), len(t.get(b'l')))",
        [path],
      );
      expect(out.trim()).toBe("b'v' 10000");
    }
    truncateSync(path, 0);
  });
});
