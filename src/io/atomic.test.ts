import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openAtomic, writeFileAtomic } from "./index.ts";

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
});
