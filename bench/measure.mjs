// What the benchmarks share: where the build is, options, peers in Python, and interleaved rounds.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** A file of src/ as the build has it ("mining/index.ts"), or as it is where the tests run it. */
export async function load(file) {
  if (process.env.VITEST !== undefined) return import(/* @vite-ignore */ join(root, "src", file));
  const path = join(process.env.NEMOSAIC_DIST ?? join(root, "dist"), file.replace(/\.ts$/, ".js"));
  if (!existsSync(path)) throw new Error(`expected a build with ${file}: run npm run build first`);
  return import(pathToFileURL(path).href);
}

/** `--name VALUE` of the command line as a number. */
export function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}

/** The interpreter that has all of `modules`, else undefined and one line that says so. */
export function python(...modules) {
  const local = join(root, ".venv", "bin", "python");
  const interpreter = process.env.NEMOSAIC_PYTHON || (existsSync(local) ? local : undefined);
  if (interpreter !== undefined) {
    const probe = spawnSync(interpreter, ["-c", `import ${modules.join(", ")}`], { encoding: "utf8" });
    if (probe.status === 0) return interpreter;
  }
  console.warn(`the peer did not run: no Python with ${modules.join(", ")}`);
  return undefined;
}

/** The folder of real sample material: NEMOSAIC_SAMPLE, else ../shared/sample where it exists. */
export function sampleDir() {
  const folder = process.env.NEMOSAIC_SAMPLE || resolve(root, "..", "shared", "sample");
  return existsSync(folder) ? folder : undefined;
}

/**
 * A Python program that is kept running: it prints "ready" with facts as JSON, and for each line on its standard input
 * one line of JSON. Times are its own. `first` is a line that it reads before it is ready.
 */
export async function startPeer(interpreter, script, args, env = {}, first = undefined) {
  const child = spawn(interpreter, ["-c", script, ...args.map(String)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the peer ended before it answered");
    return JSON.parse(value);
  };
  if (first !== undefined) child.stdin.write(`${first}\n`);
  const facts = await read();
  return {
    facts,
    ask(line) {
      child.stdin.write(`${line}\n`);
      return read();
    },
    async close() {
      child.stdin.end();
      await new Promise((done) => child.once("close", done));
    },
  };
}

/** Runs each of `sides` once for warming up and then in turn, `rounds` times; returns what each gave, in rounds. */
export async function interleaved(rounds, sides) {
  const names = Object.keys(sides);
  for (const name of names) await sides[name]();
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) results[name].push(await sides[name]());
  }
  return results;
}

/** Median, least and most of some numbers. */
export function spread(values, digits = 3) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  const [low, high] = [sorted[0], sorted[sorted.length - 1]];
  return Object.fromEntries(Object.entries({ median, low, high }).map(([key, v]) => [key, Number(v.toFixed(digits))]));
}

/** One comparison: rates of ours and of the peer, and the ratios of the rounds (above 1 = ours is faster). */
export function compared(what, unit, ours, peerName, peer, goal) {
  const ratios = ours.map((rate, round) => rate / peer[round]);
  return {
    what,
    unit,
    ours: spread(ours),
    peer: peerName,
    theirs: spread(peer),
    ratio: spread(ratios),
    ...(goal ? { goal } : {}),
  };
}

export const seconds = async (work) => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

/** Runs `bench` where its file was started from the command line, and prints its result as one line of JSON. */
export async function main(url, bench) {
  if (process.argv[1] === undefined || pathToFileURL(process.argv[1]).href !== url) return;
  const result = await bench();
  console.log(JSON.stringify(result));
}
