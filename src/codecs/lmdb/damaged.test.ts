import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { NemosaicError } from "../../model/index.ts";
import { LmdbReader, writeLmdb } from "./index.ts";
import { bytes, errorOf, makeAwkwardEntries, readAll } from "./lmdb-entries.contract.ts";

let root = "";
let path = "";
let turn = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "lmdb-damaged-"));
});
beforeEach(() => {
  path = join(root, `${turn++}.lmdb`);
});
afterAll(() => rmSync(root, { recursive: true }));

describe("a damaged LMDB file", () => {
  it("is named for what it is", async () => {
    await writeLmdb(path, makeAwkwardEntries(), { subdir: false });
    const sound = readFileSync(path);
    const cases: [string, (file: Buffer) => Buffer | undefined, string, RegExp][] = [
      ["empty", () => Buffer.alloc(0), "bad-input", /got 0 bytes/],
      ["text", () => Buffer.alloc(9000, "x"), "bad-input", /meta page at byte 0/],
      ["one page", (file) => file.subarray(0, 4096), "bad-input", /two meta pages/],
      ["version 2", (file) => void file.writeUInt32LE(2, 20), "unsupported", /version 1 .* got 2/],
      ["big-endian", (file) => void file.writeUInt32BE(0xbeefc0de, 16), "unsupported", /little-endian/],
      ["32-bit", (file) => void file.writeBigUInt64LE(0xbeefc0den, 12), "unsupported", /32-bit/],
      ["page size 4097", (file) => void file.writeUInt32LE(4097, 40), "bad-input", /page size/],
      ["page size 0", (file) => void file.writeUInt32LE(0, 40), "bad-input", /page size/],
      ["depth 0", (file) => void file.writeUInt16LE(0, 4096 + 94), "bad-input", /sound tree/],
      ["depth 60000", (file) => void file.writeUInt16LE(60000, 4096 + 94), "bad-input", /sound tree/],
      ["a root beyond the end", (file) => void file.writeBigUInt64LE(99999n, 4096 + 128), "bad-input", /sound tree/],
      ["a root that is a meta page", (file) => void file.writeBigUInt64LE(1n, 4096 + 128), "bad-input", /sound tree/],
      [
        "more entries than it says",
        (file) => void file.writeBigUInt64LE(3n, 4096 + 120),
        "bad-input",
        /more than its 3/,
      ],
      [
        "fewer entries than it says",
        (file) => void file.writeBigUInt64LE(300n, 4096 + 120),
        "bad-input",
        /expected 300 records/,
      ],
      ["cut short", (file) => file.subarray(0, 20480), "bad-input", /page \d+/],
    ];
    for (const [name, damage, code, words] of cases) {
      const file = Buffer.from(sound);
      writeFileSync(path, damage(file) ?? file);
      const error = await errorOf(() => readAll(path));
      expect(error.code, name).toBe(code);
      expect(error.message, name).toMatch(words);
    }
    expect((await errorOf(() => LmdbReader.open(join(root, "none")))).code).toBe("not-found");
    expect((await errorOf(() => LmdbReader.open(root))).code).toBe("not-found");
  });

  it("does not send the reader round in circles", async () => {
    const entries = Array.from({ length: 20_000 }, (_, i) => ({
      key: bytes(String(i).padStart(100, "0")),
      value: bytes(""),
    }));
    await writeLmdb(path, entries, { subdir: false });
    const file = readFileSync(path);
    // Every branch points at its own first child only, over and over.
    for (let page = 2; page * 4096 < file.length; page++) {
      const at = page * 4096;
      if (file.readUInt16LE(at + 10) !== 1) continue;
      for (let i = 1; i < (file.readUInt16LE(at + 12) - 16) / 2; i++)
        file.copy(file, at + 16 + 2 * i, at + 16, at + 18);
    }
    writeFileSync(path, file);
    expect((await errorOf(() => readAll(path))).message).toMatch(/out of order/);
  });

  it("gives an error of ours, or values, whatever byte is changed", async () => {
    await writeLmdb(
      path,
      [
        ...makeAwkwardEntries().slice(0, 12),
        ...Array.from({ length: 300 }, (_, i) => ({
          key: bytes(`z${String(i).padStart(40, "0")}`),
          value: bytes("v"),
        })),
      ],
      { subdir: false },
    );
    const sound = readFileSync(path);
    let refused = 0;
    let state = 1;
    for (let round = 0; round < 600; round++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const file = Buffer.from(sound);
      const page = (state >>> 8) % (sound.length / 4096);
      const at = page * 4096 + (round % 2 === 0 ? state % 160 : state % 4096);
      file[at] = (file[at]! + 1 + (state % 255)) & 255;
      writeFileSync(path, file);
      await readAll(path).catch((error: unknown) => {
        expect(error).toBeInstanceOf(NemosaicError);
        refused++;
      });
    }
    expect(refused).toBeGreaterThan(50);
  });
});
