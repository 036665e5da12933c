import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { partHash, partNumber, partRows, partShard, readPartFile, requireAllRows } from "./index.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nemosaic-part-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("a part's file", () => {
  it("is read, or refused by one line that names it and what is wrong, without a parser's words", async () => {
    const path = join(folder, "part.json");
    const read = (): Promise<unknown> =>
      readPartFile(path, ({ shard, rows, hash }) => [partShard(shard), partRows(rows), partHash(hash, "hash")]);
    const hash = "0f".repeat(32);
    await writeFile(path, JSON.stringify({ shard: { index: 1, count: 3 }, rows: [0, 9], hash }));
    expect(await read()).toEqual([{ index: 1, count: 3 }, [0, 9], hash]);
    const wrong: [content: string, why: RegExp][] = [
      ['{"shard":{"ind', /\(no JSON, or cut short\)/],
      ["[]", /\(expected an object for its content, got \[\]\)/],
      ["null", /expected an object for its content, got null/],
      ["{}", /expected an object for shard, got undefined/],
      ['{"shard":{"index":-1,"count":3}}', /expected a whole number from 0 to \d+ for shard.index, got -1/],
      ['{"shard":{"index":0,"count":3},"rows":7}', /expected a list for rows, got 7/],
      [
        '{"shard":{"index":0,"count":3},"rows":[5,4]}',
        /expected a whole number from 5 to \d+ for the end of rows, got 4/,
      ],
      ['{"shard":{"index":0,"count":3},"rows":[0,4],"hash":"x"}', /expected a SHA-256 for hash, got "x"/],
    ];
    for (const [content, why] of wrong) {
      await writeFile(path, content);
      const error = await read().catch((reason: unknown) => reason as Error);
      expect(error).toMatchObject({ code: "bad-input" });
      expect((error as Error).message).toMatch(why);
      expect((error as Error).message).toMatch(
        /part\.json" is damaged \(.*\); remove its folder and run the shard again$/,
      );
      expect((error as Error).message).not.toMatch(/Unexpected|position|Cannot/);
    }
  });

  it("passes errors on that are not the file's", async () => {
    const path = join(folder, "sound.json");
    await writeFile(path, "{}");
    const read = (): Promise<never> =>
      readPartFile(path, () => {
        throw new RangeError("a mistake of ours");
      }); // prettier-ignore
    await expect(read()).rejects.toThrow(RangeError);
    expect(() => partNumber(1.5, "rows", 0)).toThrow(/expected a whole number from 0/);
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
    for (const [parts, folder] of [
      [[part(0, [0, 2]), part(1, [3, 5])], "1-of-3"],
      [[part(0, [0, 3]), part(1, [2, 5])], "1-of-3"],
      [[part(0, [0, 2]), part(1, [2, 4])], "1-of-3"],
      [[part(0, [0, 9]), part(1, [9, 5])], "0-of-3"],
      [[part(0, [1, 5])], "0-of-3"],
    ] as const)
      expect(() => requireAllRows(parts, 5, "rows")).toThrow(new RegExp(`expected rows from .*${folder}`));
  });
});
