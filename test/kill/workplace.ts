import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join, relative, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..", "..");
/** The built command. */
export const main = join(root, "dist", "cli", "main.js");
const hook = join(import.meta.dirname, "end-at-operation.mjs");
/** A model of two layers that embeds a hundred images in a second. */
export const tinyClip = join(root, "test", "fixtures", "tiny-clip", "model");

/** How a run ended. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** When a run is killed: at an operation on the disk (its number, and whether before, halfway or after), or after some ms. */
export type Kill =
  | { readonly operation: number; readonly moment: "before" | "half" | "after" }
  | { readonly afterMs: number };

/** Throws where the command is not built. */
export function requireBuilt(): void {
  if (!existsSync(main)) throw new Error(`${main} is not there: run "npm run build" first (npm test does)`);
}

/** Runs the command in `cwd`, counting its operations on the disk into the file `countTo`, or until it is killed. */
export function run(
  cwd: string,
  args: readonly string[],
  { kill, countTo, env = {} }: { kill?: Kill; countTo?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const hooked = countTo !== undefined || (kill !== undefined && "operation" in kill);
  const child = spawn(process.execPath, [...(hooked ? ["--import", hook] : []), main, ...args], {
    cwd,
    env: {
      ...process.env,
      HF_HUB_OFFLINE: "1",
      ...(countTo === undefined ? {} : { NEMOSAIC_COUNT_TO: countTo }),
      ...(kill !== undefined && "operation" in kill ? { NEMOSAIC_END_AT: `${kill.operation}:${kill.moment}` } : {}),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const timer =
    kill !== undefined && "afterMs" in kill ? setTimeout(() => child.kill("SIGKILL"), kill.afterMs) : undefined;
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  return new Promise((done) => {
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      // What the miner thinks of so small a pool's negatives is no matter here.
      done({ status, signal, out, err: err.replace(/^warning: .*\n/gm, "") });
    });
  });
}

/** Every file below `folder`: its path and the hash of its bytes; folders that are empty count too. */
export async function snapshot(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (entry.isFile())
      found[name] = createHash("sha256")
        .update(await readFile(path))
        .digest("hex");
    else found[name] = "folder";
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Names that a killed run may leave and a finished one may not. */
export function leftovers(files: Readonly<Record<string, string>>): string[] {
  return Object.keys(files).filter((name) => /\.nemosaic-tmp-|\.lock|\.partial|\.journal|\.staging/.test(name));
}

/** Makes `to` a copy of the folder `from`. */
export async function copied(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  await cp(from, to, { recursive: true });
}
