import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder } from "./make-folder.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nemosaic-folders-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("makeFolder", () => {
  it("makes what is missing, with the mode asked for, and leaves alone what is there", async () => {
    const deep = join(folder, "a", "b", "c");
    await makeFolder(deep, 0o700);
    expect(statSync(deep).mode & 0o777).toBe(0o700);
    await makeFolder(deep);
    await makeFolder(".");
    await makeFolder("/");
    await Promise.all(Array.from({ length: 20 }, (_, at) => makeFolder(join(folder, "x", "y", String(at % 2)))));
    expect(statSync(join(folder, "x", "y", "1")).isDirectory()).toBe(true);
    mkdirSync(join(folder, "plain"));
    await makeFolder(join(folder, "plain"));
  });

  it("says what is in the way", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(makeFolder(join(folder, "file"))).rejects.toThrow(/cannot make the folder ".*file": a file is in the/);
    await expect(makeFolder(join(folder, "file", "below", "it"))).rejects.toThrow(/a file is in the way/);
    symlinkSync(join(folder, "nowhere"), join(folder, "link"));
    for (const path of [join(folder, "link"), join(folder, "link", "below")])
      await expect(makeFolder(path)).rejects.toMatchObject({
        code: "io",
        message: expect.stringMatching(/cannot make the folder ".*link": a link that leads nowhere is in the way/),
      });
  });

  it.runIf(process.platform === "linux")("ends where the system knows no new folders", async () => {
    await expect(makeFolder("/proc/nemosaic/deep")).rejects.toThrow(/cannot make the folder ".proc.*", |takes no new/);
  });
});
