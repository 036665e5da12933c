import { access, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mineSmall, smallPool } from "../../../test/small-pool.ts";
import { Mined, minedFolder, type Pool } from "../../pool/index.ts";
import { mergeMined } from "../index.ts";

let pool: Pool;
let part = "";
beforeEach(async () => {
  pool = await smallPool({ images: 6 });
  for (const index of [0, 1]) await mineSmall(pool, { depth: 3, shard: { index, count: 2 } });
  part = join(minedFolder(pool.folder, "default"), "parts", "1-of-2");
});
afterEach(async () => {
  await pool.close();
  await rm(dirname(pool.folder), { recursive: true, force: true });
});

const merged = (force = false): Promise<boolean> => mergeMined(pool, "default", { force });

describe("merging mined parts", () => {
  it("gives what one run gives", async () => {
    expect(await merged()).toBe(true);
    await mineSmall(pool, { depth: 3, name: "whole" });
    for (const file of ["ids.npy", "t2i.npy", "i2i.npy", "own.npy", "mined.json"]) {
      const [joined, whole] = ["default", "whole"].map((name) => join(minedFolder(pool.folder, name), file));
      expect(await readFile(joined!)).toEqual(await readFile(whole!));
    }
    await expect(access(dirname(part))).rejects.toThrow(/ENOENT/);
    expect(await merged()).toBe(false);
  });

  it("says of a damaged part.json what is wrong in it, in our words, to merge and to a rerun", async () => {
    const path = join(part, "part.json");
    const sound = await readFile(path, "utf8");
    const wrong: [content: string, why: RegExp][] = [
      [sound.slice(0, 90), /no JSON, or cut short/],
      ['{"format":"nemosaic-mined-part"}', /expected an object for shard, got undefined/],
      [sound.replace(/"facts":\{/, '"facts":7,"else":{'), /expected an object for facts, got 7/],
      [sound.replace('"depth":3', '"depth":2'), /expected the hash of its facts/],
      [sound.replace('"own":[[', '"own":[[-'), /expected a number of at least 0 for scores.own\[0\]\[0\], got -/],
      [sound.replace('"own":[[', '"own":[7,['), /expected a list for scores.own\[0\], got 7/],
      [sound.replace(/"shard":\{[^}]*\}/, '"shard":null'), /expected an object for shard, got null/],
    ];
    for (const [content, why] of wrong) {
      expect(content).not.toBe(sound);
      await writeFile(path, content);
      for (const use of [() => merged(), () => mineSmall(pool, { depth: 3, shard: { index: 1, count: 2 } })]) {
        const error = await use().catch((reason: unknown) => reason as Error);
        expect(error).toMatchObject({ code: "bad-input" });
        expect((error as Error).message).toMatch(why);
        expect((error as Error).message).toMatch(
          /part\.json" is damaged \(.*; remove its folder and run the shard again$/,
        );
        expect((error as Error).message).not.toMatch(/Unexpected|position|Cannot|undefined \(/);
      }
    }
    await writeFile(path, sound);
    expect(await merged()).toBe(true);
  });

  it("keeps a finished set where a part turns out to be damaged", async () => {
    await rm(join(dirname(part)), { recursive: true });
    await mineSmall(pool, { depth: 3 });
    for (const index of [0, 1]) await mineSmall(pool, { depth: 3, shard: { index, count: 2 } });
    const ids = await readFile(join(part, "ids.npy"));
    ids[ids.length - 4] = 99;
    await writeFile(join(part, "ids.npy"), ids);
    await expect(merged(true)).rejects.toMatchObject({ code: "checksum" });
    const mined = await Mined.open(pool.folder, "default", pool.manifest.hash);
    expect(mined?.row(0).ids).toHaveLength(3);
    await mined?.close();
    await rm(join(part, "ids.npy"));
    await expect(merged(true)).rejects.toMatchObject({ code: "checksum" });
  });
});
