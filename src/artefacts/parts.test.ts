import { writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { partSchema, readPart, requireAllRows, rowRange, sha256 } from "./index.ts";
import { shardFolders } from "./shard-folders.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nemosaic-part-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a part's file", () => {
  it("is read, or refused by one line that names it and what is wrong, without a parser's words", async () => {
    const path = join(folder, "part.json");
    const schema = partSchema("some-part", { rows: rowRange, hash: sha256 });
    const hash = "0f".repeat(32);
    const sound = { format: "some-part", shard: { index: 1, count: 3 }, rows: [0, 9], hash };
    await writeFile(path, JSON.stringify(sound));
    expect(await readPart(path, schema)).toEqual(sound);
    const spoilt = (more: object): string => JSON.stringify({ ...sound, ...more });
    const wrong: [content: string, why: RegExp][] = [
      ['{"shard":{"ind', /\(no JSON, or cut short\)/],
      ["[]", /\(expected an object for its content, got \[\]\)/],
      ["null", /expected an object for its content, got null/],
      [spoilt({ format: "another" }), /expected some-part for format, got "another"/],
      [spoilt({ shard: undefined }), /expected an object for shard, got undefined/],
      [spoilt({ shard: { index: -1, count: 3 } }), /expected a number of at least 0 for shard.index, got -1/],
      [spoilt({ shard: { index: 0.5, count: 3 } }), /expected a whole number for shard.index, got 0.5/],
      [spoilt({ rows: 7 }), /expected a list for rows, got 7/],
      [spoilt({ rows: [5, 4] }), /expected a start and an end that is not before it for rows, got \[5,4\]/],
      [spoilt({ rows: [5, "4"] }), /expected a number for rows\[1\], got "4"/],
      [spoilt({ hash: "x" }), /expected a SHA-256 for hash, got "x"/],
    ];
    for (const [content, why] of wrong) {
      await writeFile(path, content);
      const error = await readPart(path, schema).catch((reason: unknown) => reason as Error);
      expect(error).toMatchObject({ code: "bad-input" });
      expect((error as Error).message).toMatch(why);
      expect((error as Error).message).toMatch(
        /part\.json" is damaged \(.*\); remove its folder and run the shard again$/,
      );
      expect((error as Error).message).not.toMatch(/Unexpected|position|Cannot|Invalid/);
    }
  });
});

describe("the folder of parts", () => {
  it("is none where it is not there, and an error where it cannot be read", async () => {
    expect(await shardFolders(folder, async () => true)).toBeUndefined();
    writeFileSync(join(folder, "parts"), "");
    await expect(shardFolders(folder, async () => true)).rejects.toMatchObject({
      code: "io",
      message: expect.stringMatching(/cannot read the folder of parts ".*parts"/),
    });
  });
});

describe("the rows of parts", () => {
  const part = (index: number, rows: readonly [number, number]) => ({
    part: { shard: { index, count: 3 }, folder: `parts/${index}-of-3` },
    rows,
  });
  it("cover all, each from where the one before ends", () => {
    requireAllRows([part(0, [0, 2]), part(1, [2, 2]), part(2, [2, 5])], 5, "rows");
    requireAllRows([], 0, "rows");
    for (const [parts, place] of [
      [[part(0, [0, 2]), part(1, [3, 5])], "1-of-3"],
      [[part(0, [0, 3]), part(1, [2, 5])], "1-of-3"],
      [[part(0, [0, 2]), part(1, [2, 4])], "1-of-3"],
      [[part(0, [0, 9]), part(1, [9, 5])], "0-of-3"],
      [[part(0, [1, 5])], "0-of-3"],
    ] as const)
      expect(() => requireAllRows(parts, 5, "rows")).toThrow(new RegExp(`expected rows from .*${place}`));
  });
});
