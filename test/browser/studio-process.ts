import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";

const command = resolve(import.meta.dirname, "..", "..", "dist", "cli", "main.js");

/** Runs the built command and gives its standard output; a failure throws with what it said. */
export async function nemosaic(args: readonly string[], cwd: string): Promise<string> {
  return (await promisify(execFile)(process.execPath, [command, ...args], { cwd, maxBuffer: 2 ** 28 })).stdout;
}

/** A studio in a process of its own, as a person starts it. */
export interface StudioProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts `nemosaic studio` on a free port; `cwd` is where nemosaic.json would be. */
export async function startStudioProcess(
  pool: string,
  cwd: string,
  args: readonly string[] = [],
): Promise<StudioProcess> {
  const child = spawn(process.execPath, [command, "studio", pool, "--port", "0", "--json", ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (part: Buffer) => {
    said += part.toString();
  });
  const line = await new Promise<string>((found, failed) => {
    createInterface(child.stdout).once("line", found);
    child.once("exit", (code) => failed(new Error(`the studio ended with ${code}: ${said}`)));
  });
  return { url: (JSON.parse(line) as { url: string }).url, stop: () => stopped(child) };
}

/** Debian's Chromium, or the one that NEMOSAIC_CHROMIUM names. */
export async function openChromium(): Promise<Browser> {
  const path = [process.env.NEMOSAIC_CHROMIUM ?? "", "/usr/bin/chromium", "/usr/bin/google-chrome"].find((one) =>
    existsSync(one),
  );
  if (path === undefined) throw new Error("expected a Chromium: set NEMOSAIC_CHROMIUM");
  return chromium.launch({ executablePath: path, args: ["--no-sandbox"] });
}

/** A small pool of drawn scenes with mined candidates, in `folder`/pool. */
export async function scenesPool(folder: string, count: number, model = "lexical"): Promise<string> {
  const pool = join(folder, "pool");
  await nemosaic(["scenes", "scenes", "--count", String(count), "--quiet"], folder);
  await nemosaic(
    ["import", "refer", "scenes/refer/scenes", "--images", "scenes/images", "--pool", "pool", "--quiet"],
    folder,
  );
  await nemosaic(["embed", "pool", "--model", model, "--quiet"], folder);
  await nemosaic(["mine", "pool", "--quiet"], folder);
  return pool;
}

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null) return done();
    child.once("exit", () => done());
    child.kill("SIGTERM");
  });
}
