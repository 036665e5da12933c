import { type FileHandle, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { npyHeader } from "../codecs/index.ts";
import { exists, hashJson, onDisk, producer, writeFileAtomic, writeFully } from "../io/index.ts";
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

/** True where the extra is there already and of that very mined set. */
export async function hasExtra(folder: string, name: keyof typeof minedExtras, mined: string): Promise<boolean> {
  const { manifest, files } = minedExtras[name];
  const known = await readJson(join(folder, manifest));
  if (known.mined !== mined) return false;
  return (await Promise.all(files.map((file) => exists(join(folder, file))))).every((there) => there);
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
  const work = join(folder, `.partial-${name}`);
  const journalPath = join(work, "journal.json");
  const key = hashJson({ format, version, mined, facts, shapes: columns.map(({ shape }) => shape) });
  const journal = await readJson(journalPath);
  let done = journal.key === key && typeof journal.done === "number" ? journal.done : 0;
  if (done === 0) await rm(work, { recursive: true, force: true });
  await onDisk(work, () => mkdir(work, { recursive: true }));

  const opened: { readonly handle: FileHandle; readonly path: string; readonly header: number }[] = [];
  const close = async (): Promise<void> => {
    for (const { handle } of opened.splice(0)) await handle.close();
  };
  const resumedAt = done;
  try {
    for (const [at, { type, shape }] of columns.entries()) {
      const file = files[at] ?? `${name}-${at}.npy`;
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
      for (const [at] of columns.entries()) {
        const file = files[at] ?? `${name}-${at}.npy`;
        await onDisk(folder, () => rename(join(work, file), join(folder, file)));
      }
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
    return JSON.parse(await readFile(path, "utf8")) as { readonly [key: string]: unknown };
  } catch {
    return {}; // not there or damaged: made again
  }
}
