import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { say } from "./log.mjs";
import { cacheFolder } from "./places.mjs";

const patienceMs = 20 * 60_000;

/**
 * Runs `act` while no other process of this checkout installs or builds: `npm run demo` and `npm test` may be started
 * side by side. A lock whose holder is gone is taken over.
 */
export async function withSetupLock(act) {
  const file = join(cacheFolder(), "setup.lock");
  const deadline = Date.now() + patienceMs;
  let told = false;
  while (!take(file)) {
    const holder = liveHolder(file);
    if (holder === undefined) rmSync(file, { force: true });
    else {
      if (Date.now() > deadline)
        throw new Error(`process ${holder} has held ${file} for too long: end it or remove the file`);
      if (!told) say(`waiting for process ${holder}, which installs or builds in this checkout (${file})`);
      told = true;
      await new Promise((wake) => setTimeout(wake, 300));
    }
  }
  try {
    return await act();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  }
}

/** The holder's process number; undefined where the file is gone, its process is gone, or it stayed empty. */
function liveHolder(file) {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    if (pid === 0) return Date.now() - statSync(file).mtimeMs < 10_000 ? "unknown" : undefined;
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    if (error.code === "EPERM") return "of another user";
    if (error.code === "ENOENT" || error.code === "ESRCH") return undefined;
    throw error;
  }
}
