import { existsSync, readFileSync } from "node:fs";
import { withSetupLock } from "./lock.mjs";
import { say } from "./log.mjs";
import { inRepo } from "./places.mjs";
import { headOf, runCommand, runInstaller } from "./run-command.mjs";

const timeoutMs = 10 * 60_000;

/**
 * Brings node_modules to what package-lock.json says, with `npm ci`, unless it is there already. Throws one line for a
 * person where that fails.
 *
 * "There already" is judged by npm's own record, node_modules/.package-lock.json: npm writes it last, so an install that
 * was cut short does not count, and time stamps (which a clone or a copy makes meaningless) play no part.
 */
export async function ensureNodeModules() {
  if (isInstalled()) return;
  await withSetupLock(async () => {
    if (isInstalled()) return;
    const npm = npmCommand();
    const done = await runInstaller("npm packages: npm ci", npm.command, [...npm.args, "ci", "--prefer-offline"], {
      timeoutMs,
      env: {
        npm_config_fetch_retries: "1",
        npm_config_fetch_retry_mintimeout: "1000",
        npm_config_fetch_timeout: "60000",
        npm_config_loglevel: "warn",
        npm_config_update_notifier: "false",
        ONNXRUNTIME_NODE_INSTALL: "skip", // The inference library is in the package; its script would download CUDA's.
      },
    });
    if (done.ok && isInstalled()) return;
    say(headOf(done.output));
    throw new Error(`the npm packages are not installed: ${whyOf(done)}`);
  });
}

/**
 * Whether `npm ci` would accept package.json and package-lock.json on a fresh machine, without touching node_modules:
 * where the packages are there already, nothing else would notice that a clone cannot be installed.
 * Resolves to undefined, or to what is wrong.
 */
export async function faultOfLock() {
  const npm = npmCommand();
  const done = await runCommand(npm.command, [...npm.args, "ci", "--dry-run", "--offline"], { timeoutMs: 60_000 });
  if (done.ok) return undefined;
  say(headOf(done.output));
  return whyOf(done);
}

function whyOf(done) {
  if (done.missing) return "npm is not on the PATH";
  if (done.timedOut) return "npm ci took too long and was stopped";
  if (/code EUSAGE/.test(done.output)) return "package.json and package-lock.json do not agree: see above";
  return "npm ci failed; if the machine is offline, run the same command again when it is not";
}

function isInstalled() {
  const record = inRepo("node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  return recordMatchesLock(readJson(record), readJson(inRepo("package-lock.json")));
}

/**
 * Whether `record` (npm's list of what it installed) holds every package of `lock` in its version. Optional packages may
 * be absent, as they are for other platforms; nothing may be there that the lock does not list.
 */
export function recordMatchesLock(record, lock) {
  const installed = record.packages ?? {};
  const wanted = Object.entries(lock.packages ?? {}).filter(([path]) => path !== "");
  for (const [path, entry] of wanted) {
    const found = installed[path];
    if (
      found === undefined ? !entry.optional && !entry.devOptional && !entry.peer : found.integrity !== entry.integrity
    )
      return false;
  }
  const known = new Set(wanted.map(([path]) => path));
  return Object.keys(installed).every((path) => known.has(path));
}

/** Under `npm run` the npm that started this script, else the one on the PATH. */
function npmCommand() {
  const running = process.env.npm_execpath;
  if (running?.endsWith(".js") && existsSync(running)) return { command: process.execPath, args: [running] };
  return { command: "npm", args: [] };
}

function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}
