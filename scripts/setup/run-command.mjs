import { spawn, spawnSync } from "node:child_process";
import { beginAction } from "./log.mjs";
import { root } from "./places.mjs";

const networkFailures =
  /ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN|ERR_SOCKET|network|Temporary failure|timed out|Could not (resolve|connect)|connection (error|broken|reset|refused)|Failed to fetch|\b(429|50[234])\b/i;

const running = new Set();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    for (const child of running) killGroup(child, "SIGTERM");
    process.exit(signal === "SIGINT" ? 130 : signal === "SIGTERM" ? 143 : 129);
  });
}

/**
 * Runs a command in its own process group, without standard input, for `timeoutMs` at most. Resolves to
 * {ok, code, output, timedOut, missing}: `output` is standard output and error together, empty with `show: true`, which
 * passes them through instead; `missing` tells that there is no such program. Never rejects.
 * A signal that ends this process ends the command and its children too.
 */
export function runCommand(command, args, { timeoutMs, env = {}, cwd = root, show = false, onLine } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: show ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
      detached: true,
    });
    running.add(child);
    let output = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child, "SIGTERM");
      setTimeout(() => killGroup(child, "SIGKILL"), 5_000).unref();
    }, timeoutMs);
    for (const stream of show ? [] : [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (chunk) => {
        output += chunk;
        const line = chunk
          .trimEnd()
          .split(/[\r\n]/)
          .pop();
        if (onLine && line) onLine(line);
      });
    }
    const finish = (result) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ ok: false, code: null, output, timedOut, missing: false, ...result });
    };
    child.on("error", (error) => finish({ output: error.message, missing: error.code === "ENOENT" }));
    child.on("close", (code) => finish({ ok: code === 0 && !timedOut, code }));
  });
}

/**
 * As `runCommand`, reported under `label`, and tried once more when its output looks like a network failure.
 */
export async function runInstaller(label, command, args, options) {
  let result;
  for (const attempt of [1, 2]) {
    const action = beginAction(attempt === 1 ? label : `${label}, once more`);
    result = await runCommand(command, args, { ...options, onLine: action.note });
    action.end(result.ok ? "done" : result.timedOut ? "stopped, it took too long" : "failed");
    if (result.ok || result.timedOut || result.missing || !networkFailures.test(result.output)) break;
  }
  return result;
}

/** Runs a short command and returns its trimmed standard output, or undefined where it fails or takes over 30 s. */
export function answerOf(command, args, env = {}) {
  const done = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 30_000,
    env: { ...process.env, ...env },
  });
  return done.status === 0 ? done.stdout.trim() : undefined;
}

/** The first lines of a command's output that are worth a person's look, without npm's notes on its own settings. */
export function headOf(output, lines = 10) {
  return indented(tellingLinesOf(output).slice(0, lines));
}

/** The last ones. */
export function tailOf(output, lines = 10) {
  return indented(tellingLinesOf(output).slice(-lines));
}

function tellingLinesOf(output) {
  return output
    .split(/[\r\n]+/)
    .filter((line) => !/^\s*(npm (error|warn)\s*|npm warn Unknown .* config.*)?$/.test(line));
}

function indented(lines) {
  return lines.map((line) => `    ${line.length > 300 ? `${line.slice(0, 300)} ...` : line}`).join("\n");
}

function killGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
