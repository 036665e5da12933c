import { link, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { fail, isShortage, NemosaicError } from "../model/index.ts";
import { removeLeftovers, temporaryMark } from "./atomic.ts";
import { ifMissing } from "./if-missing.ts";
import { onDisk } from "./on-disk.ts";

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly purpose: string;
  readonly since: string;
  /** Ticks since boot at which the process started, against reuse of process ids; Linux only. */
  readonly started?: string;
}

/** The lock that shuts everyone else out; others share a folder by locks of other names. */
const wholeFolder = ".nemosaic.lock";

const heldHere = new Set<string>();

/**
 * Runs `work` while holding `<folder>/<name>` as a lock; a second process gets code "locked" with the holder named.
 * A lock whose process is gone (same host) is taken over, so that a killed run never blocks the next one; under the
 * default name, what it left half-written directly in `folder` is removed.
 */
export async function withLock<T>(
  folder: string,
  purpose: string,
  work: () => Promise<T>,
  name = wholeFolder,
): Promise<T> {
  const path = join(folder, name);
  if (heldHere.has(path)) fail("locked", `"${folder}" is in use by this same process (${purpose})`);
  heldHere.add(path);
  try {
    await acquire(path, folder, purpose);
    try {
      if (name === wholeFolder) await removeLeftovers(folder);
      await removeDeadClaims(folder, name);
      return await work();
    } finally {
      await rm(path, { force: true });
    }
  } finally {
    heldHere.delete(path);
  }
}

/**
 * Removes what a run left in `folder` that was killed when its work was done, so that no later run takes it up: its lock,
 * temporary files, and those of `names` that are there. A folder that another process holds is left alone.
 */
export async function removeRemains(folder: string, names: readonly string[] = []): Promise<void> {
  const found = await readdir(folder).catch(ifMissing([]));
  const isRemains = (name: string): boolean =>
    name.includes(temporaryMark) || name.startsWith(wholeFolder) || names.includes(name);
  if (!found.some(isRemains)) return;
  const remove = async (): Promise<void> => {
    for (const name of names) await rm(join(folder, name), { recursive: true, force: true });
  };
  await withLock(folder, "tidy", remove).catch((error: unknown) => {
    if (!(error instanceof NemosaicError && error.code === "locked")) throw error;
  });
}

async function acquire(path: string, folder: string, purpose: string): Promise<void> {
  const started = await startOf(process.pid);
  const holder: Holder = {
    pid: process.pid,
    host: hostname(),
    purpose,
    since: new Date().toISOString(),
    ...(started === undefined ? {} : { started }),
  };
  // A full file linked into place: nobody ever sees a lock without its holder.
  const mine = `${path}.${hostname()}.${process.pid}`;
  await onDisk(path, () => writeFile(mine, JSON.stringify(holder)));
  try {
    for (let attempt = 0; attempt < 20; attempt++) {
      if (await tryLink(mine, path)) return;
      const other = await readHolder(path);
      if (other === undefined) continue; // released in between
      if (await isAlive(other)) {
        fail(
          "locked",
          `"${folder}" is in use by process ${other.pid} on ${other.host} (${other.purpose}, since ${other.since}); ` +
            `wait for it, or remove "${path}" if you know that it is gone`,
        );
      }
      await takeAway(path, other);
    }
    fail("locked", `"${folder}" could not be locked: "${path}" is taken again and again by other processes`);
  } finally {
    await rm(mine, { force: true });
  }
}

/** A process killed while it made its claim left it beside the lock. */
async function removeDeadClaims(folder: string, name: string): Promise<void> {
  const mark = `${name}.${hostname()}.`;
  for (const file of await readdir(folder)) {
    const pid = file.startsWith(mark) ? Number(file.slice(mark.length)) : 0;
    if (pid > 0 && pid !== process.pid && !isRunning(pid)) await rm(join(folder, file), { force: true });
  }
}

async function tryLink(from: string, to: string): Promise<boolean> {
  return link(from, to).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return false;
      throw error;
    },
  );
}

async function takeAway(path: string, dead: Holder): Promise<void> {
  const now = await readHolder(path);
  if (now !== undefined && now.pid === dead.pid && now.since === dead.since) await rm(path, { force: true });
}

async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readFile(path, "utf8").catch(ifMissing(undefined));
  if (text === undefined) return undefined;
  try {
    const { pid, host, purpose, since, started } = JSON.parse(text) as Record<string, unknown>;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || typeof host !== "string")
      throw new TypeError("no holder");
    return {
      pid,
      host: host.slice(0, 255),
      purpose: String(purpose).slice(0, 80),
      since: String(since).slice(0, 80),
      ...(typeof started === "string" ? { started } : {}),
    };
  } catch {
    return { pid: -1, host: hostname(), purpose: "unknown", since: "an unknown time" };
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  if (holder.host !== hostname()) return true; // another machine on a shared file system: cannot know
  if (!(holder.pid > 0) || !isRunning(holder.pid)) return false;
  return holder.started === undefined || holder.started === (await startOf(holder.pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Ticks since boot at which a process started; "dead" for one that has ended and only waits to be collected. */
async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch((error: unknown) => {
    if (isShortage(error)) throw error; // else a lock that is held would look like one left behind
    return undefined;
  });
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields?.[0] === "Z" || fields?.[0] === "X" ? "dead" : fields?.[19];
}
