/*
 * Preloaded (NODE_OPTIONS=--import) into the command under test and nothing else: brings a fault about at a counted moment.
 * NEMOSAIC_FAULT is JSON: {kind, at, …}. Kinds: "full": from the at-th operation that takes room on the disk on, each is
 * refused with ENOSPC; "descriptors": from the at-th file that is opened on, each is refused with EMFILE; "signal" {signal}: at that operation the process gets it; "gone" {path}: at the at-th file that is read, this
 * path is removed; "worker": at the at-th message to a worker thread, that thread ends; "clock": from the at-th look at it
 * on, the clock is a day behind.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { isMainThread, Worker } from "node:worker_threads";

const fault = JSON.parse(process.env.NEMOSAIC_FAULT ?? "{}");
let count = 0;

/** True from the moment that the fault asks for on. */
const isTime = () => ++count >= fault.at;

/** Operations that take room; removing and shrinking never fail for want of it. */
const growing = ["rename", "writeFile", "mkdir", "link", "appendFile", "copyFile"];
const handleGrowing = ["write", "appendFile", "sync", "datasync"];
const changes = [...growing, "rm", "unlink"];
const handleChanges = [...handleGrowing, "truncate"];
const opening = ["open", "readFile", "writeFile", "appendFile", "copyFile"];

/** Puts `before` before every call of some functions. */
function around(target, names, before) {
  for (const name of names) {
    const operation = target[name];
    if (typeof operation !== "function") continue;
    target[name] = function (...args) {
      const refusal = before(name, args);
      return refusal === undefined ? operation.apply(this, args) : Promise.reject(refusal);
    };
  }
}

async function handlePrototype() {
  const probe = await fs.promises.open(process.execPath, "r");
  await probe.close();
  return Object.getPrototypeOf(probe);
}

/** What Node itself opens to load modules does not count. */
const isModule = (path) => /[\\/](node_modules|dist|assets)[\\/]|^file:/.test(String(path));

function refused(code, syscall) {
  return Object.assign(new Error(`${code}: injected, ${syscall}`), { code, syscall });
}

const isForWriting = (flags) => /[wa+]/.test(String(flags ?? "r")) || (typeof flags === "number" && (flags & 3) !== 0);

const kinds = {
  async full() {
    const refuse = (name) => (isTime() ? refused("ENOSPC", name) : undefined);
    around(fs.promises, growing, refuse);
    around(fs.promises, ["open"], (name, [, flags]) => (isForWriting(flags) ? refuse(name) : undefined));
    around(await handlePrototype(), handleGrowing, refuse);
  },
  descriptors() {
    const refuse = (path) => (!isModule(path) && isTime() ? refused("EMFILE", "open") : undefined);
    around(fs.promises, opening, (_name, [path]) => refuse(path));
    const { openSync } = fs;
    fs.openSync = (...args) => {
      const refusal = refuse(args[0]);
      if (refusal !== undefined) throw refusal;
      return openSync(...args);
    };
  },
  async signal() {
    const send = () => {
      if (++count === fault.at) process.kill(process.pid, fault.signal);
    };
    around(fs.promises, changes, send);
    around(await handlePrototype(), handleChanges, send);
  },
  gone() {
    around(fs.promises, ["open", "readFile"], (_name, [path]) => {
      if (!isModule(path) && ++count === fault.at) fs.rmSync(fault.path, { force: true });
    });
  },
  worker() {
    const send = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (...args) {
      if (++count === fault.at) void this.terminate();
      return send.apply(this, args);
    };
  },
  clock() {
    const now = Date.now;
    Date.now = () => now() - (isTime() ? 86_400_000 : 0);
  },
};

const script = process.argv[1] ?? "";
if (isMainThread && /[\\/]dist[\\/]cli[\\/](main\.js|nemosaic\.cjs)$/.test(fs.realpathSync(script || "."))) {
  await kinds[fault.kind]?.();
  syncBuiltinESMExports();
}
