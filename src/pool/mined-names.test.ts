import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chooseMined, minedNames, suggestNames } from "./mined-names.ts";

let pool = "";
beforeEach(async () => {
  pool = await mkdtemp(join(tmpdir(), "nemosaic-names-"));
});
afterEach(() => rm(pool, { recursive: true }));

async function addSet(name: string, isWhole = true): Promise<void> {
  await mkdir(join(pool, "mined", name), { recursive: true });
  if (isWhole) await writeFile(join(pool, "mined", name, "mined.json"), "{}");
}

describe("chooseMined", () => {
  it("takes the only set where the standard name has none", async () => {
    expect(await chooseMined(pool, "default")).toBe("default");
    await addSet("half", false);
    expect(await minedNames(pool)).toEqual([]);
    await addSet("scene-clip");
    expect(await chooseMined(pool, "default")).toBe("scene-clip");
  });

  it("never guesses between two, nor takes another for a name that was written", async () => {
    await addSet("b");
    expect(await chooseMined(pool, "clip")).toBe("clip");
    await addSet("a");
    expect(await chooseMined(pool, "default")).toBe("default");
    expect(await suggestNames(pool)).toBe("; it has mined/a, mined/b: name one of them (--set mined=a)");
  });

  it("takes the standard name where it is there", async () => {
    await addSet("default");
    expect(await chooseMined(pool, "default")).toBe("default");
  });
});
