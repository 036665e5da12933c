import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { python, runPython } from "../../../test/peers.ts";
import { NemosaicError } from "../../model/index.ts";
import { readTar, TarWriter } from "./index.ts";

const noPython = python() === undefined;
let folder = "";
let path = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tar-"));
  path = join(folder, "x.tar");
});
afterAll(() => rmSync(folder, { recursive: true }));

type Files = readonly (readonly [name: string, bytes: Uint8Array])[];

async function archive(files: Files): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const writer = new TarWriter(async (part) => void parts.push(part));
  for (const [name, bytes] of files) await writer.add(name, bytes);
  await writer.finish();
  return Buffer.concat(parts);
}

async function readAll(options = {}): Promise<[string, Uint8Array][]> {
  const out: [string, Uint8Array][] = [];
  for await (const { name, size, bytes } of readTar(path, options)) {
    expect(size).toBe(bytes.length);
    out.push([name, bytes]);
  }
  return out;
}

async function errorOf(content: Uint8Array, options = {}): Promise<NemosaicError> {
  writeFileSync(path, content);
  const error: unknown = await readAll(options).then(
    (value) => value,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(NemosaicError);
  return error as NemosaicError;
}

const names = [
  "a.jpg",
  "é😀.txt",
  `${"d".repeat(99)}/x`,
  "n".repeat(100),
  "n".repeat(101),
  `${"p".repeat(155)}/${"n".repeat(100)}`,
  `${"p".repeat(156)}/${"n".repeat(100)}`,
  `${"p".repeat(60)}/${"q".repeat(60)}/${"n".repeat(90)}`,
  `${"long/".repeat(80)}ü.json`,
  "with space and 'quotes'.cls",
];
const sizes = [0, 1, 511, 512, 513, 10_000];
const everyKind: Files = names.map((name, i) => [name, new Uint8Array(sizes[i % sizes.length]!).fill(i + 1)]);

describe("tar", () => {
  it("gives back the names and bytes it was given", async () => {
    const name = fc
      .string({ unit: "binary", minLength: 1, maxLength: 300 })
      .map((text) => `n${text.replace(/[/\0\ud800-\udfff]/g, "_")}`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, fc.uint8Array({ maxLength: 1500 })), { maxLength: 5 }),
        async (files) => {
          writeFileSync(path, await archive(files));
          expect(await readAll()).toEqual(files);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("is the same bytes each time, a multiple of blocks, and copies what it is given", async () => {
    const one = await archive(everyKind);
    expect(one.equals(await archive(everyKind))).toBe(true);
    expect(one.length % 512).toBe(0);
    const parts: Uint8Array[] = [];
    const writer = new TarWriter(async (part) => void parts.push(part));
    const reused = new Uint8Array(4).fill(1);
    await writer.add("a", reused);
    reused.fill(2);
    expect(parts[1]).toEqual(new Uint8Array(4).fill(1));
    await writer.finish();
    await writer.finish();
    expect(parts.length).toBe(4);
    await expect(writer.add("b", reused)).rejects.toThrow(/behind the end/);
  });

  it("refuses names that leave the archive", async () => {
    const writer = new TarWriter(async () => undefined);
    for (const name of ["", "/etc/passwd", "../x", "a/../../x", "a/", "a\0b"]) {
      await expect(writer.add(name, new Uint8Array(0))).rejects.toMatchObject({ code: "usage" });
    }
    await writer.add("a..b/..c", new Uint8Array(0));
  });

  it.skipIf(noPython)(
    "is read by Python's tarfile, and reads what that writes in each format (needs Python)",
    async () => {
      writeFileSync(path, await archive(everyKind));
      const out = runPython(
        `import tarfile, sys, json
t = tarfile.open(sys.argv[1]); print(json.dumps([[m.name, t.extractfile(m).read().hex(), m.mode, m.mtime, m.uid, m.isfile()] for m in t]))`,
        [path],
      );
      expect(JSON.parse(out)).toEqual(
        everyKind.map(([name, bytes]) => [name, Buffer.from(bytes).toString("hex"), 0o644, 0, 0, true]),
      );
      for (const format of ["GNU_FORMAT", "PAX_FORMAT"]) {
        runPython(
          `import tarfile, sys, io, json
with tarfile.open(sys.argv[1], 'w', format=getattr(tarfile, sys.argv[2])) as t:
    d = tarfile.TarInfo('folder'); d.type = tarfile.DIRTYPE; t.addfile(d)
    l = tarfile.TarInfo('l' * 150); l.type = tarfile.SYMTYPE; l.linkname = 'k' * 150; t.addfile(l)
    for n, s, b in json.load(sys.stdin):
        i = tarfile.TarInfo(n); i.size = s; i.mtime = 1.5 if sys.argv[2][0] == 'P' else 1; t.addfile(i, io.BytesIO(bytes([b]) * s))`,
          [path, format],
          JSON.stringify(everyKind.map(([name, bytes]) => [name, bytes.length, bytes[0] ?? 0])),
        );
        expect(await readAll()).toEqual(everyKind);
      }
    },
  );

  it("reads sizes in base 256", async () => {
    const file = await archive([["a", new Uint8Array(700).fill(3)]]);
    file.fill(0, 124, 136);
    file[124] = 0x80;
    file.writeUInt32BE(700, 132);
    file.write("        ", 148, "latin1");
    file.write(
      `${file
        .subarray(0, 512)
        .reduce((a, b) => a + b, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
      "latin1",
    );
    writeFileSync(path, file);
    expect(await readAll()).toEqual([["a", new Uint8Array(700).fill(3)]]);
  });

  it("refuses what is cut short or damaged, and keeps to its limit", async () => {
    const file = await archive([
      ["a", new Uint8Array(600).fill(3)],
      ["é", new Uint8Array(600).fill(4)],
    ]);
    for (let length = 0; length < file.length - 1024; length += 100) {
      const error = await errorOf(file.subarray(0, length));
      expect(error.code).toBe("bad-input");
      expect(error.message).toMatch(/at byte \d+ of .*x\.tar.*cut short/);
    }
    const flipped = Buffer.from(file);
    flipped[3] = 1;
    expect((await errorOf(flipped)).message).toMatch(/checksum is wrong/);
    const pax = Buffer.from(file);
    pax.write("99999", pax.indexOf(" path=") - 2, "latin1");
    expect((await errorOf(pax)).message).toMatch(/pax records/);
    expect((await errorOf(gzipSync(file))).code).toBe("unsupported");
    expect((await errorOf(file, { maxEntryBytes: 599 })).code).toBe("unsupported");
    expect((await errorOf(Buffer.alloc(2000, "x"))).code).toBe("bad-input");
    await expect(async () => {
      for await (const _entry of readTar(join(folder, "none.tar")));
    }).rejects.toMatchObject({ code: "not-found" });
  });
});
