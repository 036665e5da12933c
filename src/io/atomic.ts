import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, type FileHandle, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fail } from "../model/index.ts";
import { makeFolder } from "./make-folder.ts";
import { onDisk } from "./on-disk.ts";

/** A file under a temporary name that becomes visible, whole and synced, at `commit`. */
export interface AtomicFile {
  readonly handle: FileHandle;
  /** Appends all of `bytes`. */
  write(bytes: Uint8Array | string): Promise<void>;
  /** Syncs and renames to the final name. */
  commit(): Promise<void>;
  /** Removes what was written; harmless after `commit`. */
  abort(): Promise<void>;
}

/** Part of every temporary name: what bears it may be removed under the folder's lock. */
export const temporaryMark = ".nemosaic-tmp-";

/**
 * Opens a file that appears at `path` only when committed; creates the folder.
 * Errors: "io" with the path where the disk is full, read-only or forbidden.
 */
export async function openAtomic(path: string): Promise<AtomicFile> {
  const temporary = `${path}${temporaryMark}${process.pid}-${randomBytes(4).toString("hex")}`;
  const handle = await onDisk(path, async () => {
    await makeFolder(dirname(path));
    return open(temporary, "wx+");
  });
  let open_ = true;
  const abort = async (): Promise<void> => {
    if (!open_) return;
    open_ = false;
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true });
  };
  return {
    handle,
    abort,
    write: (bytes) =>
      onDisk(path, async () => {
        await handle.appendFile(bytes);
      }).catch(async (error: unknown) => {
        await abort();
        throw error;
      }),
    commit: () =>
      onDisk(path, async () => {
        if (!open_) return;
        await handle.sync();
        open_ = false;
        await handle.close();
        await rename(temporary, path);
        await syncFolder(dirname(path));
      }).catch(async (error: unknown) => {
        await abort();
        await rm(temporary, { force: true });
        throw error;
      }),
  };
}

/** Writes a whole file so that a reader sees the old content or the new, never a part. */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const file = await openAtomic(path);
  await file.write(data);
  await file.commit();
}

/**
 * Writes all of `bytes` at `position`: a nearly full disk takes a part first and refuses the rest.
 * Errors: "io" where the disk is full, read-only or forbidden; `path` is for the error's line.
 */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number, path: string): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const from = done;
    const { bytesWritten } = await onDisk(path, () => handle.write(bytes, from, bytes.length - from, position + from));
    if (bytesWritten === 0)
      fail("io", `cannot write "${basename(path)}" in "${dirname(path)}": nothing more was taken`);
    done += bytesWritten;
  }
}

/** Removes temporary files that a killed run left directly in `folder`; returns how many. Call under the folder's lock. */
export async function removeLeftovers(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const leftovers = names.filter((name) => name.includes(temporaryMark));
  await Promise.all(leftovers.map((name) => rm(join(folder, name), { recursive: true, force: true })));
  return leftovers.length;
}

/** True where `path` exists, of any kind. */
export async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}

/**
 * Writes a file that the same run would make again: one with these bytes is left as it is, one with others is replaced
 * with `force` only (code "exists"; `what` names it for a person). True where it was written.
 */
export async function writeFileOnce(
  path: string,
  bytes: Uint8Array | string,
  { what, force }: { readonly what: string; readonly force: boolean },
): Promise<boolean> {
  if (!force) {
    const there = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (there?.equals(typeof bytes === "string" ? Buffer.from(bytes) : bytes)) return false;
    if (there !== undefined)
      fail(
        "exists",
        `another ${what} is at "${path}" already, and this run made other bytes. Use --force to replace it`,
      );
  }
  await writeFileAtomic(path, bytes);
  await removeDeadTemporaries(path);
  return true;
}

/** What runs that were killed left of this file beside it: temporaries whose process is gone. */
async function removeDeadTemporaries(path: string): Promise<void> {
  const start = `${basename(path)}${temporaryMark}`;
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(start)) continue;
    const pid = Number.parseInt(name.slice(start.length), 10);
    if (pid > 0 && !isAlive(pid)) await rm(join(dirname(path), name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => undefined); // some file systems refuse; the rename itself is done
  await folder?.close();
}
