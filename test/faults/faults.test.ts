import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodePng } from "../../src/codecs/index.ts";
import { CounterRandom } from "../../src/kernels/index.ts";
import { copied, leftovers, requireBuilt, snapshot } from "../kill/workplace.ts";
import { scratchFolder } from "../small-pool.ts";
import { writeSmallRefer } from "../small-refer.ts";
import { type Fault, faults, type Machine } from "./faults.ts";
import { type Step, steps } from "./steps.ts";

/** Cells of the matrix that are run, chosen by the seed, at least one of each fault; `npm run test:faults` runs them all. */
const cells = Number(process.env.NEMOSAIC_FAULTS ?? faults.length);
const seed = Number(process.env.NEMOSAIC_FAULTS_SEED ?? 1);
/** A run that takes longer hangs (docs/errors.md); on a machine so busy that the step takes seconds without a fault, ten times that. */
const limitMs = 30_000;
const patience = 10;
const inject = pathToFileURL(join(import.meta.dirname, "inject.mjs")).href;
const root = join(import.meta.dirname, "..", "..");

interface Cell {
  readonly step: Step;
  readonly fault: Fault;
  readonly threads: "1" | "all";
}

let folder: string;
let machine: Machine;
/** How long a command took without a fault. */
const usualMs = new Map<readonly string[], number>();
/** Places by the commands that were run in them, each once: steps share what stands before them. */
const places = new Map<string, Promise<string>>();

beforeAll(async () => {
  requireBuilt();
  folder = await scratchFolder();
  const base = join(folder, "base");
  await writeSmallRefer(base, 18);
  await mkdir(join(base, "disk"));
  await mkdir(join(base, "predictions"));
  for (let image = 6; image <= 18; image += 6)
    for (const sentence of [image * 2, image * 2 + 1]) {
      const data = Uint8Array.from({ length: 96 * 72 }, (_, at) => ((at + sentence) % 96 < 40 ? 255 : 0));
      const png = await encodePng({ width: 96, height: 72, channels: 1, data });
      await writeFile(join(base, "predictions", `${sentence}.png`), png);
    }
  machine = { canMount: canMount(), canLimitMemory: canLimitMemory() };
});

afterAll(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

function canMount(): boolean {
  const probe = join(folder, "probe");
  mkdirSync(probe);
  if (process.getuid?.() !== 0 || spawnSync("mount", ["--bind", probe, probe]).status !== 0) return false;
  return spawnSync("umount", ["-l", probe]).status === 0;
}

function canLimitMemory(): boolean {
  const probe = `/sys/fs/cgroup/memory/nemosaic-probe-${process.pid}`;
  try {
    mkdirSync(probe);
    rmdirSync(probe);
    return true;
  } catch {
    return false;
  }
}

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly err: string;
  readonly isHung: boolean;
}

let runs = 0;

/** Runs a step in `place`, in a runtime folder of its own, and sees that nothing of it is left running. */
async function run(
  place: string,
  words: readonly string[],
  threads: Cell["threads"],
  { env = {}, limit = 10 * limitMs }: { env?: Readonly<Record<string, string>>; limit?: number } = {},
): Promise<Ended> {
  const marker = `faults-${process.pid}-${++runs}`;
  const runtime = join(place, "run");
  await mkdir(runtime, { recursive: true });
  await chmod(runtime, 0o700);
  const [command = "", ...rest] = threads === "1" ? ["taskset", "-c", "0", ...words] : words;
  const child = spawn(command, rest, {
    cwd: place,
    env: {
      ...process.env,
      HF_HUB_OFFLINE: "1",
      XDG_RUNTIME_DIR: runtime,
      PYTHONPATH: join(root, "python"),
      NEMOSAIC_COMMAND: join(root, "dist", "cli", "main.js"),
      NODE_OPTIONS: `--import ${inject}`,
      NEMOSAIC_FAULT_RUN: marker,
      ...env,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let err = "";
  child.stderr.on("data", (part: Buffer) => {
    err += part.toString();
  });
  const { isHung, status, signal } = await endOf(child, limit);
  const strays = await straysOf(marker);
  expect(strays, "processes that outlive the run").toEqual([]);
  return { status, signal, err, isHung };
}

function endOf(child: ChildProcess, limit: number): Promise<Omit<Ended, "err">> {
  return new Promise((done) => {
    let isHung = false;
    const timer = setTimeout(() => {
      isHung = true;
      child.kill("SIGKILL");
    }, limit);
    child.once("close", (status, signal) => {
      clearTimeout(timer);
      done({ isHung, status, signal });
    });
  });
}

/** Command lines of processes that have the run's marker in their environment; they get some seconds to go. */
async function straysOf(marker: string): Promise<string[]> {
  for (let look = 0; ; look++) {
    const found = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          const isOurs = readFileSync(`/proc/${pid}/environ`, "utf8").includes(`NEMOSAIC_FAULT_RUN=${marker}\0`);
          return isOurs ? [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()}`] : [];
        } catch {
          return []; // gone, or another user's
        }
      });
    if (found.length === 0 || look === 40) return found;
    await new Promise((later) => setTimeout(later, 250));
  }
}

/** The place in which these commands were run, one after the other: not to be changed, only copied. */
function placeAfter(commands: readonly (readonly string[])[]): Promise<string> {
  const key = JSON.stringify(commands);
  const known = places.get(key);
  if (known !== undefined) return known;
  const made = (async () => {
    const words = commands.at(-1);
    if (words === undefined) return join(folder, "base");
    const from = await placeAfter(commands.slice(0, -1));
    const place = join(folder, `after-${++runs}`);
    await copied(from, place);
    const began = performance.now();
    expectDone(await run(place, words, "all"), words);
    usualMs.set(words, performance.now() - began);
    return place;
  })();
  places.set(key, made);
  return made;
}

function expectDone(ended: Ended, words: readonly string[]): void {
  expect(`${ended.status}: ${ended.err}`, words.slice(2).join(" ")).toMatch(/^0: /);
}

/** What lies on the disk; of judgements what they say, since each is appended. */
async function contentOf(place: string): Promise<Record<string, string>> {
  const files = await snapshot(join(place, "disk"));
  const judgements = join(place, "disk", "pool", "judgements.jsonl");
  if (!existsSync(judgements)) return files;
  const said = (await readFile(judgements, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { expression: string; image: string; verdict: string })
    .map(({ expression, image, verdict }) => `${expression} ${image} ${verdict}`);
  return { ...files, "pool/judgements.jsonl": [...new Set(said)].join("\n") };
}

const sharedMemory = (): string[] => readdirSync("/dev/shm").filter((name) => name.startsWith("nemosaic"));

/** What a person must find after a run that met the fault, and after the same command without it. */
async function check({ step, fault, threads }: Cell, at: number): Promise<void> {
  const expected = await contentOf(await placeAfter([...step.before, step.words]));
  const limit = Math.max(limitMs, patience * (usualMs.get(step.words) ?? 0));
  const place = join(folder, "cell");
  await copied(await placeAfter(step.before), place);
  const random = new CounterRandom(seed, 0, at, 23);
  const before = await contentOf(place);
  const shared = sharedMemory();
  const broken = await fault.bring(place, step, random);
  const words = [...(broken.wrap ?? []), ...step.words];
  const about = `${step.name}, ${fault.name}${broken.file === undefined ? "" : ` (${broken.file})`}, ${threads}, ${JSON.stringify(broken.env ?? broken.wrap ?? {})}`;
  let ended: Ended[];
  try {
    ended = await Promise.all(
      Array.from({ length: broken.twice === true ? 2 : 1 }, () =>
        run(place, words, threads, { limit, ...(broken.env === undefined ? {} : { env: broken.env }) }),
      ),
    );
    const now = await contentOf(place);
    const path = broken.file?.replace(/^disk\//, "");
    const finished = Object.entries(before).filter(([name]) => name !== path && !(path ?? "").startsWith(`${name}/`));
    // A merge takes its parts away when it is done; until then they have to stay.
    const isOver = step.name === "merge" && ended.some(({ status }) => status === 0);
    for (const [name, hash] of finished)
      if (!(isOver && name.includes("/parts"))) expect(now[name], `${about}: ${name} was finished before`).toBe(hash);
  } finally {
    await broken.heal();
  }
  for (const end of ended) expectClear(end, fault, broken.file, about);
  expect(sharedMemory(), about).toEqual(shared);
  const isKilled = ended.some(({ signal }) => signal !== null);
  if (!isKilled)
    expect(
      readdirSync(join(place, "run"), { recursive: true }).filter((name) => String(name).endsWith(".sock")),
      about,
    ).toEqual([]);

  const again = await run(place, step.words, threads, { limit });
  expect(`${again.status}: ${again.err}`, `${about}: the same command again`).toMatch(/^0: /);
  const content = await contentOf(place);
  expect(comparable(content, step), about).toEqual(comparable(expected, step));
  expect(leftovers(content), about).toEqual([]);
  if (step.inAnyOrder !== undefined) await expectSoundTiles(join(place, "disk"), Object.keys(content), about);
}

/** Tiles come in the order in which threads ended; each one has the pixels that its index says, and there is one at least. */
async function expectSoundTiles(disk: string, names: readonly string[], about: string): Promise<void> {
  let tiles = 0;
  for (const name of names.filter((one) => one.endsWith("/index.bin"))) {
    const of = (file: string): string => join(disk, dirname(name), file);
    const { width, height, stride } = JSON.parse(await readFile(of("tiles.json"), "utf8"));
    const [index, pixels] = [await readFile(of("index.bin")), await readFile(of("cells.raw"))];
    for (let slot = 0; 64 * slot < index.length; slot++, tiles++) {
      const cell = pixels.subarray(slot * stride, slot * stride + 3 * width * height);
      const hash = createHash("sha256").update(cell).digest("hex");
      expect(hash, `${about}: slot ${slot} of ${name}`).toBe(index.toString("hex", 64 * slot + 32, 64 * slot + 64));
    }
  }
  expect(tiles, about).toBeGreaterThan(0);
}

function comparable(content: Record<string, string>, { inAnyOrder }: Step): Record<string, string> {
  const isOpen = (name: string): boolean => inAnyOrder?.test(name) === true;
  return Object.fromEntries(Object.entries(content).map(([name, hash]) => [name, isOpen(name) ? "any" : hash]));
}

function expectClear(
  { status, signal, err, isHung }: Ended,
  fault: Fault,
  file: string | undefined,
  about: string,
): void {
  const said = `${about} ended with ${signal ?? status}: ${err.trim()}`;
  expect(isHung, `${said} (hung)`).toBe(false);
  expect(said).not.toMatch(/terminate called|FATAL ERROR|Napi::|Segmentation|core dumped|AssertionError|node:internal/);
  if (signal !== null) {
    expect(fault.expected.signals ?? [], said).toContain(signal);
    return;
  }
  expect(fault.expected.codes, said).toContain(status);
  if (status === 0) return;
  // A server that a client started says its line on the same stream; the client's repeats it.
  const lines = [...new Set(err.split("\n").filter((line) => line.startsWith("nemosaic: ")))];
  expect(lines, said).toHaveLength(1);
  expect(lines[0]?.length, said).toBeLessThan(500);
  if (fault.expected.line !== undefined) expect(lines[0], said).toMatch(fault.expected.line);
  if (file !== undefined) expect(lines[0], said).toContain(nameOf(file));
}

/** What a line has to hold of a file: its name; of a part the part's folder is enough, of a prediction the sentence's id. */
function nameOf(file: string): string {
  if (file.startsWith("predictions/")) return basename(file, ".png");
  return /\/parts\/([^/]+)\//.exec(file)?.[1] ?? basename(file);
}

const all: Cell[] = steps.flatMap((step) =>
  faults.flatMap((fault) => (["1", "all"] as const).map((threads) => ({ step, fault, threads }))),
);

/** Every cell, or by the seed as many as asked for, the faults in turn. */
function chosenCells(): Cell[] {
  if (cells >= all.length) return all;
  const random = new CounterRandom(seed, 0, 0, 29);
  return Array.from({ length: cells }, (_, turn) => {
    const fault = faults[turn % faults.length]!;
    const any: Machine = { canMount: true, canLimitMemory: true };
    const fit = all.filter((cell) => cell.fault === fault && fault.cannot?.(cell.step, any) === undefined);
    return fit[random.below(fit.length)]!;
  });
}

describe("docs/errors.md", () => {
  it("has every step and every fault of the matrix, in its order", () => {
    const text = readFileSync(join(root, "docs", "errors.md"), "utf8");
    const table = text.slice(text.indexOf("| fault |"));
    expect([...table.matchAll(/^\| ([^|]+?) \|/gm)].map(([, name]) => name).slice(1)).toEqual(
      faults.map(({ name }) => name),
    );
    const [, listed = ""] = /Steps:\s+([\w,\s]+)\./.exec(text) ?? [];
    expect(listed.split(/,\s+/)).toEqual(steps.map(({ name }) => name));
  });
});

describe(`faults, seed ${seed}`, () => {
  const chosen = chosenCells();
  it.each(chosen.map((cell, at) => [cell.step.name, cell.fault.name, cell.threads, cell, at] as const))(
    "%s survives %s, threads: %s",
    async (_step, _fault, _threads, cell, at) => {
      const why = cell.step.cannot ?? cell.fault.cannot?.(cell.step, machine);
      if (why !== undefined) return console.warn(`${cell.step.name} × ${cell.fault.name} did not run: ${why}`);
      await check(cell, at);
    },
    240_000,
  );
});
