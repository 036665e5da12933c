import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseShard } from "../../src/cli/shard.ts";
import { shardRange } from "../../src/io/index.ts";
import { copied, leftovers, requireBuilt, run, snapshot, tinyClip } from "../kill/workplace.ts";
import { scratchFolder } from "../small-pool.ts";
import { writeSmallRefer } from "../small-refer.ts";

let folder: string;
const embedding = ["embed", "pool", "--model", tinyClip, "--batch", "4", "--threads", "1", "--quiet"];
const mining = ["mine", "pool", "--depth", "8", "--quiet"];

async function ran(cwd: string, ...args: string[]): Promise<string> {
  const { status, err, out } = await run(cwd, args);
  if (status !== 0) throw new Error(`${args.join(" ")}: ${err}`);
  return out;
}

/** The one line and exit status of a command that has to fail. */
async function refused(cwd: string, ...args: string[]): Promise<string> {
  const { status, err } = await run(cwd, args);
  expect(err).not.toMatch(/unexpected error|\n\s+at /);
  return `${status}: ${err.trim()}`;
}

beforeAll(async () => {
  requireBuilt();
  folder = await scratchFolder();
  await writeSmallRefer(folder, 18);
  await ran(folder, "import", "refer", "tiny", "--images", "images", "--pool", "start/pool", "--quiet");
  await copied(join(folder, "start"), join(folder, "whole"));
  await ran(join(folder, "whole"), ...embedding);
  await ran(join(folder, "whole"), ...mining, "--threads", "2");
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("work in shards", () => {
  it("covers everything once, whatever the number of shards", () => {
    for (const [total, count] of [
      [0, 3],
      [1, 4],
      [10, 3],
      [7, 7],
      [100, 9],
    ] as const) {
      const ranges = Array.from({ length: count }, (_, index) => shardRange({ index, count }, total));
      expect(ranges[0]?.[0]).toBe(0);
      expect(ranges.at(-1)?.[1]).toBe(total);
      for (let at = 1; at < count; at++) expect(ranges[at]?.[0]).toBe(ranges[at - 1]?.[1]);
    }
  });

  it("merges to the bytes of a single run, in any order and with more shards than batches, and merges once", async () => {
    const place = join(folder, "parts");
    await copied(join(folder, "start"), place);
    for (const part of ["2/7", "0/7", "6/7", "1/7", "5/7", "3/7", "4/7"])
      await ran(place, ...embedding, "--shard", part);
    expect(await refused(place, ...mining)).toMatch(/^5: .*nemosaic merge/);
    expect(await ran(place, "merge", "pool")).toMatch(/merged embeddings\/model/);
    await Promise.all(["2/3", "0/3", "1/3"].map((part) => ran(place, ...mining, "--threads", "1", "--shard", part)));
    expect(await ran(place, ...mining, "--shard", "1/3")).toMatch(/shard 1\/3.*mined already/);
    expect(await ran(place, "merge", "pool")).toMatch(/merged mined\/default/);
    const found = await snapshot(join(place, "pool"));
    expect(leftovers(found)).toEqual([]);
    expect(found).toEqual(await snapshot(join(folder, "whole", "pool")));
    expect(await ran(place, "merge", "pool")).toMatch(/no parts to merge/);
    expect(await snapshot(join(place, "pool"))).toEqual(found);
    for (const killedBefore of ["risk.json", "shows-kind.json", "neighbours.json"]) {
      await rm(join(place, "pool", "mined", "default", killedBefore));
      await ran(place, "merge", "pool", "--quiet");
      expect(await snapshot(join(place, "pool")), killedBefore).toEqual(found);
    }
    expect(await refused(place, ...mining, "--t2t", "--shard", "1/3")).toMatch(/^2: .*nemosaic merge POOL --t2t/);
    await ran(place, "merge", "pool", "--t2t", "--quiet");
    const single = join(folder, "single");
    await copied(join(folder, "whole"), single);
    await ran(single, ...mining, "--t2t");
    expect(Object.keys(await snapshot(join(place, "pool"))).join()).toMatch(/t2t.npy/);
    expect(await snapshot(join(place, "pool"))).toEqual(await snapshot(join(single, "pool")));
  }, 120_000);

  it("refuses missing, mixed, doubled and damaged parts by name", async () => {
    const place = join(folder, "bad");
    await copied(join(folder, "whole"), place);
    await rm(join(place, "pool", "mined"), { recursive: true });
    const parts = join(place, "pool", "mined", "default", "parts");
    await ran(place, ...mining, "--shard", "0/3");
    expect(await refused(place, "merge", "pool")).toMatch(/^5: .*shards not finished in .*: 1\/3, 2\/3/);
    await ran(place, ...mining, "--shard", "1/3");
    await ran(place, "mine", "pool", "--depth", "6", "--quiet", "--shard", "2/3");
    expect(await refused(place, "merge", "pool")).toMatch(
      /^4: .*2-of-3" and .*0-of-3" were made with different settings \(depth: 8 and 6\)/,
    );
    expect(await refused(place, ...mining, "--shard", "2/3")).toMatch(/^3: .*--force/);
    await rm(join(parts, "2-of-3"), { recursive: true });
    await cp(join(parts, "0-of-3"), join(parts, "2-of-3"), { recursive: true });
    expect(await refused(place, "merge", "pool")).toMatch(/^4: .*expected shard 2\/3 in .*second copy of 0\/3/);
    await rename(join(parts, "2-of-3"), join(parts, "0-of-4"));
    expect(await refused(place, "merge", "pool")).toMatch(/^4: .*runs with 3 and 4 shards/);
    await rm(join(parts, "0-of-4"), { recursive: true });
    await ran(place, ...mining, "--shard", "2/3");
    const ids = join(parts, "1-of-3", "ids.npy");
    const sound = await readFile(ids);
    const damaged = Buffer.from(sound);
    damaged[damaged.length - 4] = 99;
    await writeFile(ids, damaged);
    expect(await refused(place, "merge", "pool")).toMatch(/^4: .*ids.npy" is not what shard 1\/3 wrote/);
    await writeFile(ids, sound);
    expect(await ran(place, "merge", "pool")).toMatch(/merged mined\/default/);
    expect(await snapshot(join(place, "pool"))).toEqual(await snapshot(join(folder, "whole", "pool")));
  }, 120_000);
});

describe("a run that was killed when its work was done", () => {
  it("leaves nothing that the next merge or run does not remove, and a folder in use is left alone", async () => {
    const place = join(folder, "tidy");
    await copied(join(folder, "whole"), place);
    const before = await snapshot(join(place, "pool"));
    const mined = join(place, "pool", "mined", "default");
    const held = (pid: number) => JSON.stringify({ pid, host: hostname(), purpose: "merge", since: "noon" });
    const foul = async (...places: string[]): Promise<void> => {
      await mkdir(join(mined, ".partial-neighbours"));
      await writeFile(join(mined, ".partial-neighbours", "journal.json"), "{}");
      for (const one of places) {
        await writeFile(join(one, ".nemosaic.lock"), held(2 ** 22 + 1));
        await writeFile(join(one, "parts.nemosaic-tmp-merged"), "");
      }
    };
    await foul(mined, join(place, "pool", "embeddings", "model"));
    expect(await ran(place, "merge", "pool")).toMatch(/no parts to merge/);
    expect(await snapshot(join(place, "pool"))).toEqual(before);
    await foul(mined);
    await ran(place, ...mining);
    expect(await snapshot(join(place, "pool"))).toEqual(before);
    await foul(mined);
    await writeFile(join(mined, ".nemosaic.lock"), held(process.pid));
    expect(await ran(place, "merge", "pool")).toMatch(/no parts to merge/);
    expect(leftovers(await snapshot(mined)).length).toBeGreaterThan(2);
  }, 120_000);
});

describe("an export in a Slurm array", () => {
  it("takes its places from the array, whatever its ids, and merges to the bytes of a single run", async () => {
    const place = join(folder, "array");
    await copied(join(folder, "whole"), place);
    const exporting = ["export", "webdataset", "pool", "--epochs", "30", "--png", "--set", "size=32", "--quiet"];
    await ran(place, ...exporting, "-o", "one");
    expect(await refused(place, ...exporting, "-o", "two", "--shard", "auto")).toMatch(
      /^2: .*SLURM_ARRAY_TASK_ID, which is not set/,
    );
    for (const task of ["7", "5"]) {
      const env = {
        SLURM_ARRAY_TASK_ID: task,
        SLURM_ARRAY_TASK_COUNT: "2",
        SLURM_ARRAY_TASK_MIN: "5",
        SLURM_ARRAY_TASK_STEP: "2",
      };
      const { status, out, err } = await run(place, [...exporting, "-o", "two", "--shard", "auto"], { env });
      expect([status, err]).toEqual([0, ""]);
      expect(out).toMatch(/drew [1-9]\d* parts of/);
    }
    expect(await refused(place, "export", "refer", "pool", "-o", "two", "--merge")).toMatch(
      /^2: .*holds an export as webdataset, got the format "refer"/,
    );
    await ran(place, "export", "webdataset", "pool", "-o", "two", "--merge", "--quiet");
    const found = await snapshot(join(place, "two"));
    expect(Object.keys(found).length).toBeGreaterThan(3);
    expect(found).toEqual(await snapshot(join(place, "one")));
    expect(await refused(place, "export", "lists", "pool", "-o", "three", "--shard", "0/2")).toMatch(
      /^2: .*neither --shard nor --merge/,
    );
  }, 300_000);
});

describe("--shard", () => {
  it.each([
    ["2/8", {}, { index: 2, count: 8 }],
    ["auto", { SLURM_ARRAY_TASK_ID: "3", SLURM_ARRAY_TASK_COUNT: "4" }, { index: 3, count: 4 }],
    [
      "auto",
      { SLURM_ARRAY_TASK_ID: "4", SLURM_ARRAY_TASK_COUNT: "4", SLURM_ARRAY_TASK_MIN: "1" },
      { index: 3, count: 4 },
    ],
    [
      "auto",
      {
        SLURM_ARRAY_TASK_ID: "20",
        SLURM_ARRAY_TASK_COUNT: "3",
        SLURM_ARRAY_TASK_MIN: "10",
        SLURM_ARRAY_TASK_STEP: "5",
      },
      { index: 2, count: 3 },
    ],
    ["auto/5", { JOB_COMPLETION_INDEX: "0" }, { index: 0, count: 5 }],
    ["auto/5", { SLURM_ARRAY_TASK_ID: "4" }, { index: 4, count: 5 }],
  ])("%s with %j", (text, environment, expected) => {
    expect(parseShard(text, environment)).toEqual(expected);
  });

  it.each([
    ["8/8", {}, /from 0\/8 to 7\/8, got 8\/8/],
    ["-1/8", {}, /expected --shard i\/n/],
    ["3", {}, /expected --shard i\/n/],
    ["auto", {}, /SLURM_ARRAY_TASK_ID, which is not set/],
    ["auto/4", {}, /JOB_COMPLETION_INDEX, which is not set/],
    ["auto/4", { JOB_COMPLETION_INDEX: "4" }, /got 4\/4 by JOB_COMPLETION_INDEX/],
    ["auto", { SLURM_ARRAY_TASK_ID: "9", SLURM_ARRAY_TASK_COUNT: "2", SLURM_ARRAY_TASK_MIN: "1" }, /follow each other/],
    ["auto", { SLURM_ARRAY_TASK_ID: "x", SLURM_ARRAY_TASK_COUNT: "2" }, /which is "x"/],
  ])("refuses %s with %j", (text, environment, message) => {
    expect(() => parseShard(text, environment)).toThrow(message);
  });
});
