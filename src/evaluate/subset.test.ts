import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { subsetCommand } from "./commands.ts";
import { truthOf } from "./made-samples.contract.ts";
import { pickSubset, readKeys } from "./subset.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "subset-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const truths = [0, 1, 2, 5, undefined].map((similarObjects, i) =>
  truthOf({ refId: "r", sentenceId: String(i), similarObjects, split: i === 3 ? "testA" : "val" }),
);
const margins = new Map([0.3, -0.1, Number.NaN, 0.1].map((margin, i) => [`s/r/${i}`, margin]));

describe("pickSubset", () => {
  it("picks by similar objects: hard from a number on, easy without any; no-target has no answer", () => {
    const by = (pick: "hard" | "easy", atLeast: number) =>
      pickSubset(truths, { pick, rule: { by: "similar", atLeast } });
    expect([by("hard", 2).ids, by("hard", 1).ids, by("easy", 2).ids]).toEqual([
      ["s/r/2", "s/r/3"],
      ["s/r/1", "s/r/2", "s/r/3"],
      ["s/r/0"],
    ]);
    expect(by("hard", 2).counts).toEqual({ expressions: 5, picked: 2, unknown: 1 });
  });

  it("picks by the image-text model's margin the lowest or highest share of those that have one", () => {
    const by = (pick: "hard" | "easy", share: number) =>
      pickSubset(truths, { pick, rule: { by: "ambiguity", share }, margins });
    expect([by("hard", 0.3).ids, by("hard", 0.6).ids, by("easy", 0.3).ids]).toEqual([
      ["s/r/1"],
      ["s/r/1", "s/r/3"],
      ["s/r/0"],
    ]);
    expect(by("hard", 0.3).counts).toEqual({ expressions: 5, picked: 1, unknown: 2 });
  });

  it("looks at the splits asked for only", () => {
    expect(pickSubset(truths, { pick: "hard", rule: { by: "similar", atLeast: 1 }, splits: ["testA"] }).ids).toEqual([
      "s/r/3",
    ]);
    expect(() => pickSubset(truths, { pick: "hard", rule: { by: "similar", atLeast: 1 }, splits: ["tesA"] })).toThrow(
      /unknown split "tesA"/,
    );
  });

  it("refuses rules that cannot be", () => {
    expect(() => pickSubset(truths, { pick: "hard", rule: { by: "ambiguity", share: 0.5 } })).toThrow(
      /needs mined candidates; run "nemosaic mine" first/,
    );
    expect(() => pickSubset(truths, { pick: "hard", rule: { by: "ambiguity", share: 0 }, margins })).toThrow(
      /expected a share of more than 0/,
    );
    expect(() => pickSubset(truths, { pick: "hard", rule: { by: "similar", atLeast: 0 } })).toThrow(
      /expected 1 similar object or more/,
    );
  });
});

describe("a list of ids", () => {
  it("is written by subset and read by evaluate; not overwritten without force", async () => {
    const file = join(folder, "ids.json");
    const request = { truths, file, pick: "hard", rule: { by: "similar", atLeast: 2 } } as const;
    expect((await subsetCommand(request)).text).toBe(
      "2 of 5 expressions are hard: 2 or more other objects of the target's category; 1 left out, because the rule has no value for them\n",
    );
    expect([...(await readKeys(file))]).toEqual(["s/r/2", "s/r/3"]);
    await subsetCommand(request); // the same line again: nothing to do
    const other = { ...request, rule: { by: "similar", atLeast: 1 } } as const;
    await expect(subsetCommand(other)).rejects.toThrow(/already.*--force/);
    await subsetCommand({ ...other, force: true });
  });

  it("may be a JSON list or lines of text", async () => {
    const file = join(folder, "list");
    for (const text of [`["s/r/1","s/r/2"]`, "s/r/1\r\ns/r/2\n"]) {
      await writeFile(file, text);
      expect([...(await readKeys(file))]).toEqual(["s/r/1", "s/r/2"]);
    }
  });

  it.each([
    [
      `{"format":"nemosaic-subset","version":2,"ids":[]}`,
      /expected format "nemosaic-subset", version 1, got "nemosaic-subset", 2/,
    ],
    ["[1]", /expected a list of expression keys/],
    ["[", /expected JSON/],
  ])("is refused as %s", async (text, message) => {
    const file = join(folder, "bad");
    await writeFile(file, text);
    await expect(readKeys(file)).rejects.toThrow(message);
  });
});
