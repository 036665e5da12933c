import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CounterRandom } from "../../src/kernels/index.ts";
import { scratchFolder } from "../small-pool.ts";
import { writeSmallRefer } from "../small-refer.ts";
import { copied, type Kill, leftovers, requireBuilt, run, snapshot, tinyClip } from "./workplace.ts";

/** Kills in all: a few of each step in `npm test`, 210 and more in `npm run test:kill`. */
const kills = Number(process.env.NEMOSAIC_KILLS ?? 14);
const seed = Number(process.env.NEMOSAIC_KILL_SEED ?? 1);

/** A command that changes the disk, and those that come before it. */
interface Step {
  readonly name: string;
  readonly before: readonly (readonly string[])[];
  readonly args: readonly string[];
}

const importing = ["import", "refer", "../tiny", "--images", "../images", "--pool", "pool", "--quiet"];
const packing = [...importing, "--pack"];
const embedding = ["embed", "pool", "--model", tinyClip, "--batch", "4", "--threads", "1", "--quiet"];
const mining = ["mine", "pool", "--depth", "8", "--threads", "1", "--quiet"];
const settings = [
  "--set",
  "size=64",
  "--set",
  "guards.nearDuplicate=null",
  "--set",
  "band.tau=null",
  "--set",
  "band.tauImage=null",
];
const shard = (step: readonly string[], part: string): string[] => [...step, "--shard", part];

const steps: readonly Step[] = [
  { name: "import", before: [], args: importing },
  { name: "import --pack", before: [], args: packing },
  { name: "embed", before: [importing], args: embedding },
  { name: "mine", before: [importing, embedding], args: mining },
  { name: "tiles", before: [importing, embedding, mining], args: ["tiles", "pool", "--quiet", ...settings] },
  {
    name: "export",
    before: [importing, embedding, mining],
    args: ["export", "refer", "pool", "-o", "out", "--quiet", ...settings],
  },
  {
    name: "merge",
    before: [
      importing,
      shard(embedding, "0/2"),
      shard(embedding, "1/2"),
      ["merge", "pool", "--quiet"],
      shard(mining, "1/2"),
      shard(mining, "0/2"),
    ],
    args: ["merge", "pool", "--quiet"],
  },
];

let folder: string;

beforeAll(async () => {
  requireBuilt();
  folder = await scratchFolder();
  await writeSmallRefer(folder, 18);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a run that is killed (SIGKILL) and started again", () => {
  const each = Math.ceil(kills / steps.length);
  let [allKilled, allHalfDone] = [0, 0];
  for (const [number, step] of steps.entries()) {
    it(`${step.name}: ${each} kills, and every byte is that of a run that was not`, {
      timeout: 60_000 + each * 20_000,
    }, async () => {
      const start = join(folder, `${number}-start`);
      await mkdir(start);
      for (const args of step.before) await finished(start, args);
      const whole = join(folder, `${number}-whole`);
      await copied(start, whole);
      const countFile = join(folder, `${number}-count`);
      const began = performance.now();
      expect(await run(whole, step.args, { countTo: countFile })).toMatchObject({ status: 0 });
      const wholeMs = performance.now() - began;
      const operations = Number(await readFile(countFile, "utf8"));
      expect(operations).toBeGreaterThan(5);
      const expected = await snapshot(whole);
      expect(leftovers(expected)).toEqual([]);

      let [killed, halfDone] = [0, 0];
      for (let round = 0; round < each; round++) {
        const random = new CounterRandom(seed, number, round, 1);
        const place = join(folder, `${number}-killed`);
        await copied(start, place);
        const times = 1 + random.below(2);
        const told: Kill[] = [];
        for (let time = 0; time < times; time++) {
          const kill: Kill =
            random.below(4) === 0
              ? { afterMs: random.below(Math.ceil(wholeMs)) }
              : {
                  operation: 1 + random.below(operations),
                  moment: (["before", "half", "after"] as const)[random.below(3)] ?? "after",
                };
          told.push(kill);
          const ended = await run(place, step.args, { kill });
          expect(ended.signal ?? ended.status, ended.err).toSatisfy((how) => how === "SIGKILL" || how === 0);
          if (ended.signal === "SIGKILL") killed++;
        }
        if (JSON.stringify(await snapshot(place)) !== JSON.stringify(expected)) halfDone++;
        const again = await run(place, step.args);
        const what = `seed ${seed}, round ${round}, ${JSON.stringify(told)}`;
        expect(`${again.status} ${again.err}`, what).toBe("0 ");
        const found = await snapshot(place);
        expect(leftovers(found), what).toEqual([]);
        expect(found, what).toEqual(expected);
      }
      expect(killed, "runs that were killed").toBeGreaterThan(0);
      allKilled += killed;
      allHalfDone += halfDone;
    });
  }

  it("was killed, and left work unfinished, often enough to mean something", () => {
    // Over all steps: a single step of few rounds may by chance be killed before its first byte or after its last.
    expect(allKilled, "runs that were killed").toBeGreaterThanOrEqual(steps.length);
    expect(allHalfDone, "killed runs that left something unfinished").toBeGreaterThanOrEqual(
      Math.ceil(steps.length / 2),
    );
  });
});

async function finished(place: string, args: readonly string[]): Promise<void> {
  const ended = await run(place, args);
  if (ended.status !== 0) throw new Error(`${args.join(" ")}: ${ended.err}`);
}
