import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { npyHeader } from "../codecs/index.ts";
import { exists, hashJson, makeFolder, onDisk, producer, withLock, writeFileAtomic, writeFully } from "../io/index.ts";
import { minedExtras } from "../pool/index.ts";

/** A column of an extra: [rows, width]. */
export interface ExtraColumn {
  readonly type: "int32" | "float32";
  readonly shape: readonly [rows: number, width: number];
}

/**
 * What is added to a mined set: its files, journalled step by step, then its manifest, which names the set. A killed run
 * goes on where it was and ends with the same bytes.
 */
export interface ExtraWriter {
  /** Rows that an earlier run has left. */
  readonly done: number;
  /** Appends the same rows to each file, in the order of `minedExtras`, and makes them last. */
  write(columns: readonly (Int32Array | Float32Array)[]): Promise<void>;
  /** Makes all of it visible. */
  commit(): Promise<void>;
  /** Closes files; what was written stays for the next run. */
  close(): Promise<void>;
}

/**
 * Calls `write` under the folder's lock unless the extra is there already, of that very mined set (hash `mined`), and
 * `force` is off. What a run left that was killed when it was done is removed then.
 */
export async function makeExtra(
  folder: string,
  name: keyof typeof minedExtras,
  mined: string,
  force: boolean,
  write: () => Promise<void>,
): Promise<void> {
  await withLock(folder, "mine", async () => {
    if (force || !(await hasExtra(folder, name, mined))) await write();
    else await rm(workFolder(folder, name), { recursive: true, force: true });
  });
}

async function hasExtra(folder: string, name: keyof typeof minedExtras, mined: string): Promise<boolean> {
  const { manifest, files } = minedExtras[name];
  const known = await readJson(join(folder, manifest));
  if (known.mined !== mined) return false;
  return (await Promise.all(files.map((file) => exists(join(folder, file))))).every(Boolean);
}

function workFolder(folder: string, name: keyof typeof minedExtras): string {
  return join(folder, `.partial-${name}`);
}

/**
 * Starts or resumes an extra of a mined set with hash `mined`; `facts` go into its manifest. The folder must be locked by
 * the caller.
 */
export async function writeExtra(
  folder: string,
  name: keyof typeof minedExtras,
  mined: string,
  columns: readonly ExtraColumn[],
  facts: object,
): Promise<ExtraWriter> {
  const { format, version, manifest, files } = minedExtras[name];
  const work = workFolder(folder, name);
  const journalPath = join(work, "journal.json");
  const key = hashJson({ format, version, mined, facts, shapes: columns.map(({ shape }) => shape) });
  const journal = await readJson(journalPath);
  const rowsOfAll = columns[0]?.shape[0] ?? 0;
  let done = journal.key === key ? Number(journal.done) : 0;
  const columnFiles = columns.map((_, at) => files[at] ?? `${name}-${at}.npy`);
  const isThere = await Promise.all(
    columnFiles.map(async (file) => (await exists(join(work, file))) || (await exists(join(folder, file)))),
  );
  // A journal that cannot be, or of files that are gone: all is made again.
  if (!Number.isSafeInteger(done) || done < 0 || done > rowsOfAll || !isThere.every(Boolean)) done = 0;
  if (done === 0) await rm(work, { recursive: true, force: true });
  await makeFolder(work);

  const opened: { readonly handle: FileHandle; readonly path: string; readonly header: number }[] = [];
  const close = async (): Promise<void> => {
    for (const { handle } of opened.splice(0)) await handle.close();
  };
  const resumedAt = done;
  try {
    for (const [at, { type, shape }] of columns.entries()) {
      const file = columnFiles[at] as string;
      const path = join(work, file);
      // Killed while the files were moved into place: those that are there already come back.
      if (done > 0 && !(await exists(path))) await onDisk(path, () => rename(join(folder, file), path));
      const handle = await onDisk(path, () => open(path, done === 0 ? "w+" : "r+"));
      const header = npyHeader(type, [...shape]);
      opened.push({ handle, path, header: header.length });
      if (done === 0) await writeFully(handle, header, 0, path);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    done: resumedAt,
    write: async (parts) => {
      let rows = 0;
      for (const [at, { handle, path, header }] of opened.entries()) {
        const part = parts[at] ?? new Int32Array(0);
        const width = columns[at]?.shape[1] ?? 1;
        rows = part.length / width;
        const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
        await writeFully(handle, bytes, header + done * width * 4, path);
        await onDisk(path, () => handle.datasync());
      }
      done += rows;
      await writeFileAtomic(journalPath, JSON.stringify({ key, done }));
    },
    commit: async () => {
      await close();
      await rm(join(folder, manifest), { force: true });
      for (const file of columnFiles) await onDisk(folder, () => rename(join(work, file), join(folder, file)));
      await writeFileAtomic(
        join(folder, manifest),
        `${JSON.stringify({ format, version, producer, mined, ...facts }, undefined, 2)}\n`,
      );
      await rm(work, { recursive: true, force: true });
    },
    close,
  };
}

async function readJson(path: string): Promise<{ readonly [key: string]: unknown }> {
  try {
    return Object(JSON.parse(await readFile(path, "utf8"))) as { readonly [key: string]: unknown };
  } catch {
    return {}; // not there or damaged: made again
  }
}
