// node judge-once.mjs MAIN POOL: starts the studio, marks one false negative as its page does, and ends it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const [main, pool] = process.argv.slice(2);
const child = spawn(process.execPath, [main, "studio", pool, "--port", "0", "--json", "--quiet"], {
  stdio: ["ignore", "pipe", "inherit"],
});
const ended = once(child, "close");
const line = await Promise.race([once(createInterface(child.stdout), "line"), ended.then(() => undefined)]);
let refusal;
if (line !== undefined) {
  const { url } = JSON.parse(line[0]);
  try {
    const info = await (await fetch(`${url}api/info`)).json();
    const answer = await fetch(`${url}api/judgement`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-nemosaic-token": info.token },
      body: JSON.stringify({ expression: 0, image: 3, verdict: "false-negative" }),
    });
    if (!answer.ok) refusal = (await answer.json()).error;
  } catch {
    // the studio is gone: its exit says why
  }
  child.kill("SIGTERM");
}
const [status, signal] = await ended;
if (refusal !== undefined) process.stderr.write(`nemosaic: ${refusal}\n`);
if (signal !== null) process.kill(process.pid, signal);
process.exitCode = status !== 0 ? (status ?? 1) : refusal === undefined ? 0 : 7;
