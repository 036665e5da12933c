import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readFileInto } from "./image-file.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "image-file-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

it("reads a file whole into the memory that is given for its size", async () => {
  const path = join(folder, "a");
  const content = Uint8Array.from({ length: 300_000 }, (_, at) => at * 7);
  writeFileSync(path, content);
  const memory = new Uint8Array(400_000);
  const asked: number[] = [];
  const bytes = await readFileInto(path, (length) => {
    asked.push(length);
    return memory.subarray(100, 100 + length);
  });
  expect(asked).toEqual([content.length]);
  expect(bytes.buffer).toBe(memory.buffer);
  expect(Buffer.compare(bytes, content)).toBe(0);
});

it("gives what there is of a file that is shorter than it was, and nothing of an empty one", async () => {
  const path = join(folder, "short");
  writeFileSync(path, "abcdef");
  const cut = await readFileInto(path, (length) => {
    writeFileSync(path, "abc");
    return new Uint8Array(length);
  });
  expect(Buffer.from(cut).toString()).toBe("abc");
  writeFileSync(path, "");
  expect(await readFileInto(path, (length) => new Uint8Array(length))).toEqual(new Uint8Array(0));
});

it("rejects with the system's error for folders and for what is not there", async () => {
  mkdirSync(join(folder, "sub"));
  const take = (length: number): Uint8Array => new Uint8Array(length);
  await expect(readFileInto(join(folder, "sub"), take)).rejects.toMatchObject({ code: "EISDIR" });
  await expect(readFileInto(join(folder, "none"), take)).rejects.toMatchObject({ code: "ENOENT" });
});
