import type { Shard } from "../io/index.ts";
import { fail, quoteValue } from "../model/index.ts";

/** What --shard means, for help texts. */
export const shardHelp =
  "do part i of n (i from 0); auto = i and n from the Slurm array; auto/n = i from the Slurm array or Kubernetes Job";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads --shard: "2/8"; "auto" = the place of this task in its Slurm array, whatever its ids start at and step by;
 * "auto/8" = the id of the Slurm task, or the completion index of the Kubernetes Job, of 8. Errors: "usage".
 */
export function parseShard(text: string, environment: Environment): Shard {
  const match = /^(?:(\d{1,7})|(auto))(?:\/(\d{1,7}))?$/.exec(text);
  const [, given, auto, total] = match ?? [];
  if (match === null || (given !== undefined && total === undefined))
    fail("usage", `expected --shard i/n, auto or auto/n, got ${quoteValue(text)}`);
  if (auto !== undefined && total === undefined) return slurmShard(environment);
  const place = "SLURM_ARRAY_TASK_ID" in environment ? "SLURM_ARRAY_TASK_ID" : "JOB_COMPLETION_INDEX";
  const index = given === undefined ? number(environment, place, text) : Number(given);
  const count = Number(total);
  if (count === 0) fail("usage", `expected --shard i/n with an n of 1 or more, got ${quoteValue(text)}`);
  if (!(index < count))
    fail(
      "usage",
      `expected a shard from 0/${count} to ${count - 1}/${count}, got ${index}/${count}${given === undefined ? ` by ${place}` : ""}`,
    );
  return { index, count };
}

function slurmShard(environment: Environment): Shard {
  const read = (name: string): number => number(environment, `SLURM_ARRAY_TASK_${name}`, "auto");
  const [id, count] = [read("ID"), read("COUNT")];
  const least = "SLURM_ARRAY_TASK_MIN" in environment ? read("MIN") : 0;
  const step = "SLURM_ARRAY_TASK_STEP" in environment ? Math.max(1, read("STEP")) : 1;
  const index = (id - least) / step;
  if (!Number.isInteger(index) || index < 0 || index >= count)
    fail(
      "usage",
      `expected task ids that follow each other by one step in the Slurm array, got task ${id} of ${count} from ${least} on; use --shard i/n`,
    );
  return { index, count };
}

function number(environment: Environment, name: string, text: string): number {
  const value = environment[name];
  if (value === undefined || !/^\d{1,9}$/.test(value)) {
    fail(
      "usage",
      `--shard ${text} reads the number of this task from ${name}, which ${value === undefined ? "is not set" : `is ${quoteValue(value)}`}; run it in an array job, or give --shard i/n`,
    );
  }
  return Number(value);
}
