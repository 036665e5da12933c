import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, smallPool } from "../../test/small-pool.ts";
import { worthJudging } from "../analysis/index.ts";
import { bandOf } from "../band/index.ts";
import { Mined, type Pool, readJudgements } from "../pool/index.ts";
import { parseSettings, type ResolvedSettings } from "../settings/index.ts";
import { judge, judgeScores } from "./index.ts";

let pool: Pool;
let file = "";
beforeAll(async () => {
  pool = await smallPool({ images: 8 });
  file = join(pool.folder, "..", "lines.jsonl");
  await mineSmall(pool, { depth: 6 });
});
afterAll(async () => {
  await pool.close();
  await rm(join(pool.folder, ".."), { recursive: true });
});

const key = (row: number): string => pool.expressionKey(row);
const hash = (row: number): string => pool.images.hash[row] ?? "";
const give = (...lines: unknown[]): Promise<void> =>
  writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
const open = async (): Promise<Mined> => {
  const mined = await Mined.open(pool.folder, "default", pool.manifest.hash);
  if (mined === undefined) throw new Error("nothing is mined");
  return mined;
};

const unguarded = { guards: { nearDuplicate: null } };

describe("judge", () => {
  it("appends verdicts in bulk by content or name, the last on a pair counting, and repeats none", async () => {
    await give(
      { expression: key(0), image: hash(3), verdict: "false-negative", by: "a model" },
      { expression: key(0), image: "4.png", verdict: true },
      { expression: key(1), image: hash(3), verdict: "false-negative" },
      { expression: key(1), image: hash(3), verdict: false },
      { expression: "other/1/2", image: hash(3), verdict: true },
    );
    const remarks: string[] = [];
    const report = await judge(pool, file, { onRemark: (line) => remarks.push(line) });
    expect(report).toEqual({ added: 3, known: 0, unknown: 1 });
    expect(remarks).toEqual([expect.stringMatching(/^passed over 1 line about .* such as "other\/1\/2"/)]);
    const judged = await readJudgements(pool.folder);
    expect([...(judged.get(key(0)) ?? [])].sort()).toEqual([hash(3), hash(4)].sort());
    expect(judged.get(key(1))?.size).toBe(0);
    expect(await judge(pool, file)).toEqual({ added: 0, known: 3, unknown: 1 });
    expect((await readFile(join(pool.folder, "judgements.jsonl"), "utf8")).trimEnd().split("\n")).toHaveLength(3);
  });

  it("names the line that is wrong and writes nothing", async () => {
    const before = await readFile(join(pool.folder, "judgements.jsonl"), "utf8");
    const sound = { expression: key(2), image: hash(1), verdict: true };
    for (const [line, message] of [
      [{ ...sound, verdict: "yes" }, /for verdict in line 2 of .*, got "yes"/],
      [{ ...sound, image: 7 }, /expected \{"expression": key, "image".* in line 2/],
      [[1], /in line 2/],
    ] as const) {
      await give(sound, line);
      await expect(judge(pool, file)).rejects.toThrow(message);
    }
    await give({ ...sound, expression: "a/b/c" });
    await expect(judge(pool, file)).rejects.toThrow('"nemosaic keys" lists them');
    await writeFile(file, '{"expression": ');
    await expect(judge(pool, file)).rejects.toMatchObject({ code: "bad-input" });
    expect(await readFile(join(pool.folder, "judgements.jsonl"), "utf8")).toBe(before);
  });
});

describe("judgeScores", () => {
  it("joins scores as a column that band.judge rules by, NaN where there is none", async () => {
    const without = await open();
    const { ids } = without.row(5);
    await without.close();
    const [low, high] = [ids[1] ?? 0, ids[2] ?? 0];
    const unlisted = Array.from({ length: 8 }, (_, row) => row).find((row) => !ids.includes(row)) ?? 0;
    await give(
      { expression: key(5), image: hash(high), score: 0.9 },
      { expression: key(5), image: hash(low), score: 0.25 },
      { expression: key(5), image: hash(unlisted), score: 1 },
    );
    expect(await judgeScores(pool, file)).toMatchObject({ mined: "default", scored: 2, unlisted: 1, reused: false });
    expect(await judgeScores(pool, file)).toMatchObject({ reused: true });
    const mined = await open();
    const row = mined.row(5);
    expect([...(row.judge ?? [])].map((score) => (Number.isNaN(score) ? null : score))).toEqual(
      [...row.ids].map((id) => (id === high ? Math.fround(0.9) : id === low ? 0.25 : null)),
    );
    const settings = (judgeLimit: number | null) =>
      parseSettings(
        { band: { risk: null, tau: null, tauImage: null, judge: judgeLimit }, ...unguarded },
        "a test",
      ) as ResolvedSettings;
    const verdicts = (limit: number | null) => bandOf(row, { ownImage: -1 }, settings(limit)).verdicts;
    expect([...verdicts(0.5)].map((verdict) => verdict > 0)).toEqual([...row.ids].map((id) => id === high));
    expect([...verdicts(null)].every((verdict) => verdict === 0)).toBe(true);
    await mined.close();
    const { judge: _gone, ...bare } = row;
    expect(() => bandOf(bare, { ownImage: -1 }, settings(0.5))).toThrow("nemosaic judge POOL --scores FILE");
  });

  it("refuses two scores of a pair, no number, and to replace another file's scores without force", async () => {
    const pair = { expression: key(5), image: hash(1) };
    await give({ ...pair, score: 1 }, { ...pair, score: 2 });
    await expect(judgeScores(pool, file)).rejects.toThrow(/one score for a pair, got 2 for ".*" with "1\.png"/);
    await give({ ...pair, score: "high" });
    await expect(judgeScores(pool, file)).rejects.toThrow(/a number for score in line 1/);
    await give({ ...pair, score: 3 });
    await expect(judgeScores(pool, file)).rejects.toMatchObject({ code: "exists" });
    expect(await judgeScores(pool, file, { force: true })).toMatchObject({ reused: false });
    await expect(judgeScores(pool, file, { mined: "nowhere" })).rejects.toMatchObject({
      code: expect.stringMatching(/incomplete|usage|not-found/),
    });
  });
});

it("worthJudging lists the band's pairs, most drawn first, without those that are judged", async () => {
  const mined = await open();
  const settings = parseSettings(
    { band: { risk: null, tau: null, tauImage: null, k: 4 }, ...unguarded },
    "a test",
  ) as ResolvedSettings;
  const rows = [0, 1, 2, 3];
  const listed = rows.flatMap((row) =>
    [...mined.row(row).ids.slice(0, row === 2 ? 2 : 4)].map((id) => [row, id] as const),
  );
  const contextOf = (row: number) => ({
    ownImage: -1,
    ...(row === 2 ? { judged: new Set(mined.row(2).ids.slice(2)) } : {}),
  });
  const bands = { rows, need: 3, contextOf };
  const [first] = listed;
  const options = {
    unit: "ref",
    isJudged: (e: number, i: number) => e === first?.[0] && i === first?.[1],
    most: 99,
  } as const;
  const found = worthJudging(pool, mined, settings, bands, options);
  expect(found.map(({ expression, image }) => `${expression} ${image}`).sort()).toEqual(
    listed
      .slice(1)
      .map((pair) => pair.join(" "))
      .sort(),
  );
  // Two sentences a ref; a band of two is drawn whole, one of four to three quarters.
  expect(found.map(({ draws }) => draws)).toEqual([...Array(2).fill(0.5), ...Array(11).fill(0.375)]);
  const scores = found.slice(2).map(({ t2i }) => t2i);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
  expect(worthJudging(pool, mined, settings, bands, { ...options, most: 3 })).toEqual(found.slice(0, 3));
  await mined.close();
});
