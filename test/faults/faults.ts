import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { mkdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { CounterRandom } from "../../src/kernels/index.ts";
import type { Step } from "./steps.ts";

/** How a run may end under a fault; `line` is what its one line on standard error must match where it ends with a code. */
export interface Expected {
  readonly codes: readonly number[];
  readonly signals?: readonly NodeJS.Signals[];
  readonly line?: RegExp;
}

/** A fault that has been brought about in a place. */
export interface Broken {
  /** Of the run's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Words before the command. */
  readonly wrap?: readonly string[];
  /** Started twice at once. */
  readonly twice?: boolean;
  /** Below the place: this file is not what it was, and may be named. */
  readonly file?: string;
  /** Makes the place whole again, before the same command is run once more. */
  heal(): Promise<void>;
}

export interface Fault {
  readonly name: string;
  readonly expected: Expected;
  /** Why the fault cannot be brought about for a step or on this machine. */
  readonly cannot?: (step: Step, machine: Machine) => string | undefined;
  bring(place: string, step: Step, random: CounterRandom): Promise<Broken>;
}

export interface Machine {
  /** Root may mount, and make control groups. */
  readonly canMount: boolean;
  readonly canLimitMemory: boolean;
}

const unreadable: Expected = { codes: [0, 3, 4, 5, 7] };
const injected = (fault: object): Broken => ({
  env: { NEMOSAIC_FAULT: JSON.stringify(fault) },
  heal: async () => undefined,
});
const readerOnly = (step: Step): string | undefined => (step.isReader === true ? "it writes nothing" : undefined);

/** Every fault of the matrix; docs/errors.md has the same table. */
export const faults: readonly Fault[] = [
  {
    name: "truncated file",
    expected: unreadable,
    bring: async (place, step, random) => {
      const { file, path, bytes } = await chosen(place, step, random);
      await truncate(path, random.below(bytes.length));
      return { file, heal: () => writeFile(path, bytes) };
    },
  },
  {
    name: "unreadable file",
    expected: unreadable,
    bring: async (place, step, random) => {
      // A folder in its place: root may read whatever the mode says.
      const { file, path, bytes } = await chosen(place, step, random);
      await rename(path, `${path}.aside`);
      await mkdir(path);
      return {
        file,
        heal: async () => {
          await rm(path, { recursive: true });
          await rm(`${path}.aside`);
          await writeFile(path, bytes);
        },
      };
    },
  },
  {
    name: "file gone half-way",
    expected: unreadable,
    bring: async (place, step, random) => {
      const { file, path, bytes } = await chosen(place, step, random);
      return {
        ...injected({ kind: "gone", at: 2 + random.below(12), path }),
        file,
        heal: () => writeFile(path, bytes),
      };
    },
  },
  {
    name: "disk full",
    expected: { codes: [0, 7], line: /the disk is full; free some space/ },
    cannot: readerOnly,
    bring: async (_place, _step, random) => injected({ kind: "full", at: 1 + random.below(14) }),
  },
  {
    name: "read-only folder",
    expected: { codes: [0, 7], line: /the file system is read-only/ },
    cannot: (step, { canMount }) => readerOnly(step) ?? (canMount ? undefined : "a read-only mount takes root"),
    bring: async (place) => {
      const disk = join(place, "disk");
      execFileSync("mount", ["--bind", disk, disk]);
      execFileSync("mount", ["-o", "remount,bind,ro", disk]);
      return { heal: async () => void execFileSync("umount", ["-l", disk]) };
    },
  },
  ...(["SIGINT", "SIGTERM", "SIGKILL"] as const).map(
    (signal): Fault => ({
      name: signal,
      expected: { codes: [0], signals: [signal] },
      cannot: readerOnly,
      bring: async (_place, _step, random) => injected({ kind: "signal", signal, at: 1 + random.below(14) }),
    }),
  ),
  {
    name: "worker that dies",
    expected: { codes: [0, 7, 70], line: /worker|lane|thread/ },
    cannot: (step) => (step.hasWorkers === true ? undefined : "it has no worker threads"),
    bring: async (_place, _step, random) => injected({ kind: "worker", at: 1 + random.below(6) }),
  },
  {
    name: "out of file descriptors",
    expected: { codes: [0, 3, 4, 5, 7], line: /too many open files|EMFILE/ },
    // Injected: under a real limit as low as a few files need, Node cannot even load its modules.
    bring: async (_place, _step, random) => injected({ kind: "descriptors", at: 1 + random.below(30) }),
  },
  {
    name: "memory limit",
    // The kernel ends what goes beyond: nobody can answer that, but what was finished has to stay.
    expected: { codes: [0, 7, 1, 5], signals: ["SIGKILL"] },
    cannot: (_step, { canLimitMemory }) => (canLimitMemory ? undefined : "a control group takes root"),
    bring: async (_place, _step, random) => {
      const group = `/sys/fs/cgroup/memory/nemosaic-faults-${process.pid}`;
      mkdirSync(group, { recursive: true });
      writeFileSync(join(group, "memory.limit_in_bytes"), String((50 + random.below(90)) * 2 ** 20));
      return {
        wrap: ["bash", "-c", `echo $$ > ${group}/cgroup.procs; exec "$@"`, "faults"],
        heal: async () => rmdirSync(group),
      };
    },
  },
  {
    name: "clock set back",
    expected: { codes: [0] },
    bring: async (_place, _step, random) => injected({ kind: "clock", at: 1 + random.below(40) }),
  },
  {
    name: "two at once",
    expected: {
      codes: [0, 3, 5],
      line: /in use by process|exists already|is there already|listens on .* already|another .* is at/,
    },
    bring: async () => ({ twice: true, heal: async () => undefined }),
  },
];

/** One of the files that the step reads. */
async function chosen(
  place: string,
  step: Step,
  random: CounterRandom,
): Promise<{ file: string; path: string; bytes: Uint8Array }> {
  const files = step.reads.flatMap((pattern) =>
    pattern.endsWith("/*") ? filesBelow(place, join(place, pattern.slice(0, -2))) : [pattern],
  );
  const kind = step.reads[random.below(step.reads.length)] ?? "";
  const ofKind = files.filter((file) => file === kind || file.startsWith(kind.replace(/\*$/, "")));
  const file = ofKind[random.below(ofKind.length)] ?? files[0] ?? "";
  const path = join(place, file);
  return { file, path, bytes: await readFile(path) };
}

function filesBelow(place: string, folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => relative(place, path))
    .sort();
}
