// node serve-once.mjs MAIN POOL OUT: starts the server, waits until it is ready, writes what it said, and ends it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [main, pool, out] = process.argv.slice(2);
const socket = join(process.env.XDG_RUNTIME_DIR, "serve.sock");
const child = spawn(process.execPath, [main, "serve", pool, "--socket", socket, "--owned", "--quiet"], {
  stdio: ["pipe", "pipe", "inherit"],
});
const ended = once(child, "close");
const line = await Promise.race([once(createInterface(child.stdout), "line"), ended.then(() => undefined)]);
if (line !== undefined) {
  const { pool: hash } = JSON.parse(line[0]);
  child.stdin.end();
  const [status] = await ended;
  if (status === 0) writeFileSync(out, hash);
}
const [status, signal] = await ended;
if (signal !== null) process.kill(process.pid, signal);
process.exitCode = status ?? 1;
