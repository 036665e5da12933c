// npm run demo [-- OPTIONS]: installs and builds what is missing, then runs `nemosaic demo OPTIONS`.
import "./setup/node-version.mjs";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { ensureBuild } from "./setup/build.mjs";
import { ensureNodeModules } from "./setup/node-modules.mjs";
import { inRepo } from "./setup/places.mjs";

try {
  await ensureNodeModules();
  await ensureBuild();
  process.exitCode = await runDemo(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

/** Runs the built command with this terminal; resolves to its exit code, or 128 + the number of the signal that ended it. */
function runDemo(args) {
  const command = inRepo("dist", "cli", "main.js");
  if (!existsSync(command)) throw new Error(`the build made no ${command}`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [command, "demo", ...args], { stdio: "inherit", cwd: process.cwd() });
    // The demo ends itself cleanly; this process waits for it. Ctrl-C reaches both, the others only this one.
    process.removeAllListeners("SIGINT").on("SIGINT", () => undefined);
    for (const signal of ["SIGTERM", "SIGHUP"]) process.removeAllListeners(signal).on(signal, () => child.kill(signal));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}
