import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { npyHeader } from "../codecs/index.ts";
import { type AtomicFile, openAtomic, producer, writeFileAtomic } from "../io/index.ts";
import { minedExtras } from "../pool/index.ts";

/** A column that is added to a mined set: its files row by row, then its manifest, which names the set. */
export interface ExtraWriter {
  /** Appends rows to the file of that place in `minedExtras`. */
  write(file: number, rows: Int32Array | Float32Array): Promise<void>;
  /** Makes all of it visible. */
  commit(): Promise<void>;
  /** Removes what was written; harmless after `commit`. */
  abort(): Promise<void>;
}

/** True where the extra is there already and of that very mined set. */
export async function hasExtra(folder: string, name: keyof typeof minedExtras, mined: string): Promise<boolean> {
  const text = await readFile(join(folder, minedExtras[name].manifest), "utf8").catch(() => "{}");
  try {
    return (JSON.parse(text) as { mined?: unknown }).mined === mined;
  } catch {
    return false; // damaged: made again
  }
}

/** Starts an extra of a mined set with hash `mined`; `facts` go into its manifest. */
export async function writeExtra(
  folder: string,
  name: keyof typeof minedExtras,
  mined: string,
  columns: readonly { readonly type: "int32" | "float32"; readonly shape: readonly [number, number] }[],
  facts: object,
): Promise<ExtraWriter> {
  const { format, version, manifest, files } = minedExtras[name];
  const opened: AtomicFile[] = [];
  for (const [at, { type, shape }] of columns.entries()) {
    const file = await openAtomic(join(folder, files[at] ?? `${name}-${at}.npy`));
    opened.push(file);
    await file.write(npyHeader(type, [...shape]));
  }
  return {
    write: async (file, rows) => {
      await opened[file]?.write(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
    },
    commit: async () => {
      for (const file of opened) await file.commit();
      await writeFileAtomic(
        join(folder, manifest),
        `${JSON.stringify({ format, version, producer, mined, ...facts }, undefined, 2)}\n`,
      );
    },
    abort: async () => {
      await Promise.all(opened.map((file) => file.abort()));
    },
  };
}
