import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "./temporary-folder.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nemosaic-temporary-"));
  await writeFile(join(folder, "file"), "");
});
afterAll(() => rm(folder, { recursive: true }));

describe("temporaryFolder", () => {
  it("takes the first that can be used, and passes over what is missing, relative, empty or no folder", () => {
    expect(temporaryFolder([folder], { TMPDIR: "/" })).toBe(folder);
    expect(temporaryFolder([], { TMPDIR: folder })).toBe(folder);
    for (const unusable of ["/nowhere/run", "run", "", join(folder, "file"), "/proc/1/nowhere"])
      expect(temporaryFolder([unusable], { TMPDIR: folder }), unusable).toBe(folder);
    expect(temporaryFolder([undefined], { TMPDIR: "/nowhere" })).toBe("/tmp");
  });
});
