import { createHash } from "node:crypto";
import { expect } from "vitest";
import { NemosaicError } from "../../model/index.ts";
import { type LmdbEntry, LmdbReader } from "./index.ts";

/** What the tests of LMDB share: entries to write, and reading them back. */

export const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));

export function sortEntries(entries: Iterable<readonly [Uint8Array, Uint8Array]>): LmdbEntry[] {
  const unique = new Map([...entries].map(([key, value]) => [Buffer.from(key).toString("latin1"), { key, value }]));
  return [...unique.values()].sort((a, b) => Buffer.compare(a.key, b.key));
}

export async function readAll(file: string): Promise<LmdbEntry[]> {
  const reader = await LmdbReader.open(file);
  try {
    const out: LmdbEntry[] = [];
    for await (const entry of reader.entriesInOrder()) out.push(entry);
    expect(reader.entries).toBe(out.length);
    for (const { key, value } of out.filter((_, i) => i % Math.ceil(out.length / 50) === 0)) {
      expect(Buffer.compare(reader.get(key) ?? bytes("?"), value)).toBe(0);
    }
    return out;
  } finally {
    await reader.close();
  }
}

export async function errorOf(run: () => Promise<unknown>): Promise<NemosaicError> {
  const error: unknown = await run().then(
    (value) => value,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(NemosaicError);
  expect((error as Error).message).not.toContain("\n");
  return error as NemosaicError;
}

/** Entries of every awkward size: values around the page, keys of 1 to 511 bytes. */
export function makeAwkwardEntries(): LmdbEntry[] {
  const sizes = [0, 1, 100, 2000, 2018, 2019, 2020, 2021, 2030, 4070, 4079, 4080, 4081, 8175, 8176, 8177, 100_000];
  const values = sizes.map((size): [Uint8Array, Uint8Array] => [bytes(`v${size}`), new Uint8Array(size).fill(size)]);
  const keys = [1, 2, 3, 254, 255, 256, 510, 511].map((size): [Uint8Array, Uint8Array] => [
    new Uint8Array(size).fill(255),
    bytes(`${size}`),
  ]);
  return sortEntries([...values, ...keys, [Uint8Array.of(0), bytes("nul")]]);
}

export function hash(entries: readonly LmdbEntry[]): string {
  const digest = createHash("sha256");
  const length = Buffer.alloc(4);
  for (const { key, value } of entries) {
    for (const part of [key, value]) {
      length.writeUInt32LE(part.length);
      digest.update(length).update(part);
    }
  }
  return digest.digest("hex");
}
