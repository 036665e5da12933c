import type { FileHandle } from "node:fs/promises";
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync } from "hyparquet";
import { fail, NemosaicError, shown } from "../../model/index.ts";
import { openForReading, readFully } from "../file.ts";

/** A Parquet file opened for reading: bounds-checked slices and the parsed footer. The caller closes it. */
export interface ParquetFile {
  readonly path: string;
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  close(): Promise<void>;
}

/** A footer beyond this is damage, or a file of millions of row groups: refused before it is read. */
const maxFooterBytes = 512 * 2 ** 20;

/**
 * Opens `path` and reads its footer.
 *
 * Errors: "not-found", "bad-input" (not Parquet, cut short, damaged footer), "unsupported" (encrypted).
 */
export async function openParquet(path: string): Promise<ParquetFile> {
  const handle = await openForReading(path, "Parquet file");
  try {
    const { size } = await handle.stat();
    await checkEnds(handle, path, size);
    const buffer = bufferOf(handle, path, size);
    const metadata = await parquetStep(path, "its footer", async () => {
      const parsed = await parquetMetadataAsync(buffer, { geoparquet: false });
      checkRowCounts(parsed);
      checkChunks(parsed, size);
      return parsed;
    });
    return { path, buffer, metadata, close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Runs a step of the Parquet library, whose errors become "bad-input" with the file and `what` it was reading. */
export async function parquetStep<T>(path: string, what: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof NemosaicError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    fail(
      "bad-input",
      `expected a sound Parquet file ${shown(path)}, but ${what} cannot be read: ${firstLine(reason)}`,
      error,
    );
  }
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? text;
}

async function checkEnds(handle: FileHandle, path: string, size: number): Promise<void> {
  const magic = "PAR1";
  if (size < 12) fail("bad-input", `expected a Parquet file ${shown(path)}, got ${size} bytes`);
  const head = Buffer.alloc(4);
  const tail = Buffer.alloc(8);
  await handle.read(head, 0, 4, 0);
  await handle.read(tail, 0, 8, size - 8);
  const end = tail.toString("latin1", 4, 8);
  if (end === "PARE") fail("unsupported", `expected a plain Parquet file ${shown(path)}, got an encrypted one`);
  if (head.toString("latin1") !== magic || end !== magic) {
    fail("bad-input", `expected "PAR1" at both ends of the Parquet file ${shown(path)}; it is none, or cut short`);
  }
  const footer = tail.readUInt32LE(0);
  if (footer > Math.min(size - 12, maxFooterBytes)) {
    fail(
      "bad-input",
      `expected a footer inside the Parquet file ${shown(path)} of ${size} bytes, got a length of ${footer}`,
    );
  }
}

function bufferOf(handle: FileHandle, path: string, size: number): AsyncBuffer {
  return {
    byteLength: size,
    slice(start: number, end: number = size): Promise<ArrayBuffer> {
      const bytes = read(start, end);
      // The library may drop a promise when another read has failed; a dropped rejection would end the process.
      bytes.catch(() => undefined);
      return bytes;
    },
  };

  async function read(start: number, end: number): Promise<ArrayBuffer> {
    const from = start < 0 ? size + start : start;
    if (!(from >= 0 && end >= from && end <= size)) {
      fail("bad-input", `expected bytes ${from} to ${end} inside ${shown(path)} of ${size} bytes; the file is damaged`);
    }
    const bytes = new Uint8Array(end - from);
    await readFully(handle, bytes, from, path);
    return bytes.buffer;
  }
}

/** The library believes a footer's counts: they must agree before memory is taken for them. */
function checkRowCounts(metadata: FileMetaData): void {
  let rows = 0n;
  for (const group of metadata.row_groups) {
    if (!(group.num_rows >= 0n)) throw new Error(`a row group has ${group.num_rows} rows`);
    rows += group.num_rows;
  }
  if (rows !== metadata.num_rows || rows > 2n ** 31n) {
    throw new Error(`it counts ${metadata.num_rows} rows, its row groups ${rows}`);
  }
}

/**
 * Every column chunk has to lie inside the file. Checked here, since the library starts reads that it no longer waits
 * for when another one has failed.
 */
function checkChunks(metadata: FileMetaData, size: number): void {
  for (const [index, group] of metadata.row_groups.entries()) {
    for (const { meta_data: chunk, file_path: elsewhere } of group.columns) {
      if (chunk === undefined || elsewhere !== undefined)
        throw new Error(`row group ${index} keeps a column elsewhere`);
      const first = Number(chunk.data_page_offset);
      // Some writers state a dictionary at byte 0 where there is none.
      const start = Number(chunk.dictionary_page_offset ?? 0) || first;
      const end = start + Number(chunk.total_compressed_size);
      if (!(start >= 4 && first >= start && end >= first && end <= size) || !Array.isArray(chunk.path_in_schema)) {
        throw new Error(`row group ${index} has a column at bytes ${start} to ${end} of ${size}`);
      }
    }
  }
}
