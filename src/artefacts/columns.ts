import { type FileHandle, open, rm, stat } from "node:fs/promises";
import { type NpyArray, type NpyDtype, NpyReader, npyHeader, npyItemSize } from "../codecs/index.ts";
import { onDisk, openAtomic, writeFully } from "../io/index.ts";
import { fail } from "../model/index.ts";
import { journalEnding, openJournal, readJournal } from "./journal.ts";
import type { Staging } from "./staging.ts";

/** A column of an artefact: an .npy file whose first axis is rows. */
export interface Column {
  /** Its file's name: "ids.npy". */
  readonly file: string;
  readonly dtype: NpyDtype;
  /** All axes. */
  readonly shape: readonly number[];
}

/** Columns in the making: rows come step by step, each step is journalled. Holds open files until `close`. */
export interface ColumnsWriter<Note> {
  /** Rows that are on disk, in the order in which they were made: a resumed run goes on behind them. */
  readonly done: number;
  /** What was noted with them. */
  readonly notes: readonly Note[];
  /**
   * Writes the same rows of each column, in the columns' order, and makes them last before it settles. They go behind those
   * that are there, or row i to row `at[i]`. Does not keep `blocks`.
   */
  write(
    blocks: readonly NpyArray[],
    more?: { readonly at?: Int32Array; readonly notes?: readonly Note[] },
  ): Promise<void>;
  /** Closes files; harmless a second time. What was written stays for the next run. */
  close(): Promise<void>;
}

/**
 * Opens columns in a staging, all with `rows` rows: those that an earlier run under the same `key` (a hash of everything that
 * decides their bytes) has begun, or new ones. A journal that cannot be, or of columns that are gone or cut short: all is
 * made again. `name` is the journal's.
 */
export async function openColumns<Note = never>(
  staging: Staging,
  {
    name,
    key,
    rows,
    columns,
  }: { readonly name: string; readonly key: string; readonly rows: number; readonly columns: readonly Column[] },
): Promise<ColumnsWriter<Note>> {
  const journalPath = staging.path(`${name}${journalEnding}`);
  const layouts = columns.map((column) => layoutOf(staging.path(column.file), column));
  const known = await readJournal<Note>(journalPath, key);
  const knownRows = known.reduce((sum, step) => sum + step.rows, 0);
  const isThere = knownRows <= rows && (await Promise.all(layouts.map(isWhole))).every(Boolean);
  const afresh = !isThere || known.length === 0;
  // The journal first: one without columns starts over, columns without one do too.
  if (afresh)
    for (const path of [journalPath, ...layouts.map((layout) => layout.path)]) await rm(path, { force: true });
  const handles: FileHandle[] = [];
  const close = async (): Promise<void> => {
    await journal?.close();
    for (const handle of handles.splice(0)) await handle.close();
  };
  let journal: Awaited<ReturnType<typeof openJournal<Note>>> | undefined;
  try {
    for (const layout of layouts) handles.push(await openColumn(layout, afresh));
    journal = await openJournal<Note>(journalPath, key, afresh);
  } catch (error) {
    await close();
    throw error;
  }
  const opened = journal;
  const notes = opened.steps.flatMap((step) => step.notes);
  let done = afresh ? 0 : knownRows;
  return {
    get done() {
      return done;
    },
    notes,
    write: async (blocks, { at, notes: some = [] } = {}) => {
      let count = 0;
      for (const [index, layout] of layouts.entries()) {
        const block = blocks[index] ?? fail("internal", `no block for column ${layout.path}`);
        count = block.byteLength / layout.stride;
        const handle = handles[index] ?? fail("internal", `${layout.path} is closed`);
        await writeRows(handle, layout, block, at ?? done);
        await onDisk(layout.path, () => handle.datasync());
      }
      await opened.append({ rows: count, notes: some });
      done += count;
      notes.push(...some);
    },
    close,
  };
}

/** Where a column's rows lie in its file. */
export interface ColumnLayout {
  readonly path: string;
  readonly header: Uint8Array;
  /** Bytes of a row. */
  readonly stride: number;
  /** Bytes of the file. */
  readonly size: number;
}

/** The layout of a column in the file `path`. */
export function layoutOf(path: string, { dtype, shape }: Pick<Column, "dtype" | "shape">): ColumnLayout {
  const header = npyHeader(dtype, [...shape]);
  const stride = shape.slice(1).reduce((product, size) => product * size, npyItemSize(dtype));
  return { path, header, stride, size: header.length + (shape[0] ?? 0) * stride };
}

/** Writes rows end to end from row `at` on, or row i at row `at[i]`, consecutive rows in one go. */
export async function writeRows(
  handle: FileHandle,
  { path, header, stride }: ColumnLayout,
  block: NpyArray,
  at: number | Int32Array,
): Promise<void> {
  const bytes = new Uint8Array(block.buffer, block.byteOffset, block.byteLength);
  if (typeof at === "number") return writeFully(handle, bytes, header.length + at * stride, path);
  for (let row = 0; row < at.length; ) {
    const first = at[row] ?? 0;
    let run = 1;
    while (row + run < at.length && at[row + run] === first + run) run++;
    await writeFully(handle, bytes.subarray(row * stride, (row + run) * stride), header.length + first * stride, path);
    row += run;
  }
}

/** Writes at `to` the column whose row i is row `order[i]` of the one in the file `from`, of the same type and width. */
export async function gatherRows(from: string, to: string, order: Int32Array): Promise<void> {
  const reader = await NpyReader.open(from);
  const out = await openAtomic(to);
  try {
    const width = reader.rowLength;
    await out.write(npyHeader(reader.dtype, [order.length, ...reader.shape.slice(1)]));
    const rowBytes = width * npyItemSize(reader.dtype);
    const rowsAtOnce = Math.max(1, Math.floor(chunkBytes / Math.max(1, rowBytes)));
    for (let start = 0; start < order.length; start += rowsAtOnce) {
      const some = order.subarray(start, start + rowsAtOnce);
      const block = new Uint8Array(some.length * rowBytes);
      for (const [at, row] of some.entries()) {
        const { buffer, byteOffset, byteLength } = await reader.rows(row, 1);
        block.set(new Uint8Array(buffer, byteOffset, byteLength), at * rowBytes);
      }
      await out.write(block);
    }
    await out.commit();
  } finally {
    await out.abort();
    await reader.close();
  }
}

/** Bytes of a column that are held at a time where files are joined or put into another order. */
export const chunkBytes = 2 ** 22;

async function isWhole({ path, size }: ColumnLayout): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.size === size;
}

/** A new column has its full size at once, so that rows can be written in any order. */
async function openColumn({ path, header, size }: ColumnLayout, afresh: boolean): Promise<FileHandle> {
  const handle = await onDisk(path, () => open(path, afresh ? "w+" : "r+"));
  if (!afresh) return handle;
  try {
    await writeFully(handle, header, 0, path);
    await onDisk(path, () => handle.truncate(size));
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}
