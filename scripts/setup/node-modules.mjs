import { existsSync, readFileSync } from "node:fs";
import { withSetupLock } from "./lock.mjs";
import { say } from "./log.mjs";
import { inRepo } from "./places.mjs";
import { runInstaller, tailOf } from "./run-command.mjs";

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
    say(tailOf(done.output));
    const why = done.missing
      ? "npm is not on the PATH"
      : done.timedOut
        ? "npm ci took over 10 minutes"
        : "npm ci failed";
    throw new Error(`${why}: the npm packages are not installed. Check the network and run the same command again.`);
  });
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
