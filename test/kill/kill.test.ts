import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CounterRandom } from "../../src/kernels/index.ts";
import { scratchFolder } from "../small-pool.ts";
import { writeSmallRefer } from "../small-refer.ts";
import { copied, type Kill, leftovers, requireBuilt, run, snapshot, tinyClip } from "./workplace.ts";

/** Kills in all, at least: a few of each step in `npm test`, 220 in `npm run test:kill`. */
const kills = Number(process.env.NEMOSAIC_KILLS ?? 20);
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
const tiling = ["tiles", "pool", "--quiet", ...settings];
const shard = (step: readonly string[], part: string): string[] => [...step, "--shard", part];

const steps: readonly Step[] = [
  { name: "import", before: [], args: importing },
  { name: "import --pack", before: [], args: packing },
  { name: "embed", before: [importing], args: embedding },
  { name: "mine", before: [importing, embedding], args: mining },
  { name: "tiles", before: [importing, embedding, mining], args: tiling },
  { name: "tiles --shard", before: [importing, embedding, mining], args: shard(tiling, "1/2") },
  {
    name: "export",
    before: [importing, embedding, mining],
    args: ["export", "refer", "pool", "-o", "out", "--quiet", ...settings],
  },
  {
    name: "merge of embeddings",
    before: [importing, shard(embedding, "0/2"), shard(embedding, "1/2")],
    args: ["merge", "pool", "--quiet"],
  },
  {
    name: "merge of mined parts",
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
  {
    name: "merge of tiles",
    before: [importing, embedding, mining, shard(tiling, "0/2"), shard(tiling, "1/2")],
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
  /** Rounds that a kill has cut half-way, at least; and rounds after which one gives up on that. */
  const [cutAtLeast, mostRounds] = [Math.ceil(each / 4), 4 * each + 40];
  for (const [number, step] of steps.entries()) {
    it(`${step.name}: ${each} kills and more, and every byte is that of a run that was not`, {
      timeout: 120_000 + each * 60_000,
    }, async () => {
      const start = join(folder, `${number}-start`);
      await mkdir(start);
      for (const args of step.before) await finished(start, args);
      const untouched = JSON.stringify(await snapshot(start));
      const whole = join(folder, `${number}-whole`);
      await copied(start, whole);
      const countFile = join(folder, `${number}-count`);
      expect(await run(whole, step.args, { countTo: countFile })).toMatchObject({ status: 0 });
      const operations = Number(await readFile(countFile, "utf8"));
      expect(operations).toBeGreaterThan(5);
      const expected = await snapshot(whole);
      expect(leftovers(expected)).toEqual([]);
      const timed = join(folder, `${number}-timed`);
      await copied(start, timed);
      const began = performance.now();
      await finished(timed, step.args);
      const aim = new Aim(operations, performance.now() - began);

      let [killed, cut, round] = [0, 0, 0];
      for (; round < each || ((killed < each || cut < cutAtLeast) && round < mostRounds); round++) {
        const random = new CounterRandom(seed, number, round, 1);
        const place = join(folder, `${number}-killed`);
        await copied(start, place);
        const told: Kill[] = [];
        for (let time = 1 + random.below(2); time > 0; time--) {
          const kill = aim.next(random);
          told.push(kill);
          const ended = await run(place, step.args, { kill });
          expect(ended.signal ?? ended.status, ended.err).toSatisfy((how) => how === "SIGKILL" || how === 0);
          if (ended.signal === "SIGKILL") killed++;
          const state = JSON.stringify(await snapshot(place));
          // What a second kill of a round tells is about a run that had less to do.
          if (told.length === 1) aim.learn(kill, state === untouched, ended.signal !== "SIGKILL");
          if (time === 1 && state !== untouched && state !== JSON.stringify(expected)) cut++;
        }
        const again = await run(place, step.args);
        const what = `seed ${seed}, round ${round}, ${JSON.stringify(told)}`;
        expect(`${again.status} ${again.err}`, what).toBe("0 ");
        const found = await snapshot(place);
        expect(leftovers(found), what).toEqual([]);
        expect(found, what).toEqual(expected);
      }
      console.info(`kill: ${step.name}: ${killed} runs killed in ${round} rounds, ${cut} of them cut half-way`);
      expect(killed, "runs that were killed").toBeGreaterThanOrEqual(each);
      expect(cut, `rounds of ${round} that a kill has cut half-way`).toBeGreaterThanOrEqual(cutAtLeast);
    });
  }
});

/**
 * Where the next kill strikes: at a seeded operation, or after a seeded time between the latest that came before the
 * first byte and the earliest that came after the last, as far as the runs so far have told.
 */
class Aim {
  readonly #operations: number;
  #earliest = 0;
  #latest: number;

  constructor(operations: number, wholeMs: number) {
    this.#operations = operations;
    this.#latest = wholeMs;
  }

  next(random: CounterRandom): Kill {
    if (random.below(4) > 0) {
      const moment = (["before", "half", "after"] as const)[random.below(3)] ?? "after";
      return { operation: 1 + random.below(this.#operations), moment };
    }
    // Time runs unevenly on a busy machine: where the two have crossed, what was learnt is forgotten by half.
    if (this.#latest - this.#earliest < 10) [this.#earliest, this.#latest] = [this.#earliest / 2, this.#latest * 1.5];
    return { afterMs: Math.floor(this.#earliest + random.below(Math.ceil(this.#latest - this.#earliest))) };
  }

  learn(kill: Kill, wasUntouched: boolean, hadEnded: boolean): void {
    if (!("afterMs" in kill)) return;
    if (wasUntouched) this.#earliest = Math.max(this.#earliest, kill.afterMs);
    if (hadEnded) this.#latest = Math.min(this.#latest, kill.afterMs);
  }
}

async function finished(place: string, args: readonly string[]): Promise<void> {
  const ended = await run(place, args);
  if (ended.status !== 0) throw new Error(`${args.join(" ")}: ${ended.err}`);
}
