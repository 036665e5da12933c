/*
 * Preloaded (node --import) into the command under test: counts the operations that change a disk and ends the process
 * with SIGKILL at one of them. NEMOSAIC_END_AT = "<number>:<before|half|after>"; without it, operations are only
 * counted, and their number is written to the file that NEMOSAIC_COUNT_TO names.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { isMainThread } from "node:worker_threads";

const [at, moment] = (process.env.NEMOSAIC_END_AT ?? "0:").split(":");
const endAt = Number(at);
let count = 0;

function end() {
  process.kill(process.pid, "SIGKILL");
  for (;;); // the signal is on its way
}

/** Counts a call of `operation`; `half` does a part of it, where it has parts. */
function counted(operation, half) {
  return function (...args) {
    count++;
    if (count !== endAt) return operation.apply(this, args);
    if (moment === "before") end();
    if (moment === "half" && half !== undefined) half.call(this, operation, args);
    else Promise.resolve(operation.apply(this, args)).then(end, end);
    return new Promise(() => {});
  };
}

function halfWrite(operation, args) {
  const [data, offset = 0, length = data.length - offset, ...rest] = args;
  Promise.resolve(operation.call(this, data, offset, Math.floor(length / 2), ...rest)).then(end, end);
}

function halfAppend(operation, args) {
  const data = typeof args[0] === "string" ? Buffer.from(args[0]) : args[0];
  Promise.resolve(operation.call(this, data.subarray(0, Math.floor(data.length / 2)), ...args.slice(1))).then(end, end);
}

if (isMainThread) {
  const probe = await fs.promises.open(process.execPath, "r");
  const handle = Object.getPrototypeOf(probe);
  await probe.close();
  for (const name of ["rename", "rm", "writeFile", "mkdir", "link", "appendFile", "unlink", "copyFile"])
    fs.promises[name] = counted(fs.promises[name]);
  for (const name of ["sync", "datasync", "truncate"]) handle[name] = counted(handle[name]);
  handle.write = counted(handle.write, halfWrite);
  handle.appendFile = counted(handle.appendFile, halfAppend);
  syncBuiltinESMExports();
  const to = process.env.NEMOSAIC_COUNT_TO;
  if (to !== undefined) process.on("exit", () => fs.writeFileSync(to, String(count)));
}
