import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openAtomic, writeFileAtomic, writeFileOnce } from "./index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nemosaic-atomic-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

describe("a file written whole", () => {
  it("leaves nothing behind, no open file either, where the disk refuses at the very end", async () => {
    const any = await open(fileURLToPath(import.meta.url), "r");
    const prototype = Object.getPrototypeOf(any) as FileHandle;
    await any.close();
    const full = Object.assign(new Error("ENOSPC: no space left on device, fsync"), { code: "ENOSPC" });
    vi.spyOn(prototype, "sync").mockRejectedValue(full);
    const path = join(folder, "manifest.json");
    const file = await openAtomic(path);
    await file.write("{}");
    await expect(file.commit()).rejects.toMatchObject({ code: "io", message: expect.stringContaining("disk is full") });
    expect(file.handle.fd).toBe(-1);
    await file.abort();
    await expect(writeFileAtomic(path, "{}")).rejects.toMatchObject({ code: "io" });
    expect(readdirSync(folder)).toEqual([]);
    expect(existsSync(path)).toBe(false);
  });

  it("is left as it is where the same run would make it again, and refused where it would be another", async () => {
    const path = join(folder, "preview.png");
    const write = (bytes: string | Uint8Array, force = false) => writeFileOnce(path, bytes, { what: "file", force });
    expect(await write("picture")).toBe(true);
    expect(await write(Buffer.from("picture"))).toBe(false);
    await expect(write("another")).rejects.toMatchObject({
      code: "exists",
      message: expect.stringMatching(/^another file is at ".*preview\.png" already.*--force/),
    });
    expect(readFileSync(path, "utf8")).toBe("picture");
    expect(await write("another", true)).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("another");
  });
});
