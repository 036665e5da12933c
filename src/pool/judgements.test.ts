import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { scratchFolder } from "../../test/small-pool.ts";
import { appendJudgement, readJudgements } from "./index.ts";

it("judgements are appended, the last word on a pair counting", async () => {
  const folder = await scratchFolder();
  await appendJudgement(folder, { expression: "s/1/1", image: "x", verdict: "false-negative" });
  await appendJudgement(folder, { expression: "s/1/1", image: "y", verdict: "false-negative" });
  await appendJudgement(folder, { expression: "s/1/1", image: "x", verdict: "negative" });
  expect(await readJudgements(folder)).toEqual(new Map([["s/1/1", new Set(["y"])]]));
  await writeFile(
    join(folder, "judgements.jsonl"),
    '{"expression":"a","image":"b","verdict":"false-negative"}\n{"expr',
    { flag: "w" },
  );
  expect((await readJudgements(folder)).size).toBe(1);
  await writeFile(join(folder, "judgements.jsonl"), 'x\n{"expression":"a","image":"b","verdict":"false-negative"}\n');
  await expect(readJudgements(folder)).rejects.toThrow(/line 1 of/);
});
