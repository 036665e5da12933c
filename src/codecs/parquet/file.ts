import type { FileHandle } from "node:fs/promises";
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetSchema,
  type SchemaTree,
} from "hyparquet";
import { fail, NemosaicError, quoteValue } from "../../model/index.ts";
import { openForReading, readFully } from "../file.ts";
import { type ChunkFacts, checkCount, checkPages } from "./check-pages.ts";
import { boundedCompressors } from "./decompress.ts";
import { checkThrift } from "./thrift.ts";

/**
 * A Parquet file opened for reading: bounds-checked slices, in which each column chunk's pages have been checked, and
 * the parsed footer. The caller closes it.
 */
export interface ParquetFile {
  readonly path: string;
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  /** What the library decompresses with: bounded by the pages' headers. */
  readonly compressors: Compressors;
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
    const compressors = boundedCompressors();
    const buffer = bufferOf(handle, path, size);
    const { metadata, chunks } = await parquetStep(path, "its footer", async () => {
      await checkFooter(buffer);
      const parsed = await parquetMetadataAsync(buffer, { geoparquet: false });
      checkRowCounts(parsed, size);
      checkSchema(parsed);
      checkKeyValues(parsed);
      return { metadata: parsed, chunks: checkChunks(parsed, size) };
    });
    return {
      path,
      buffer: guardBuffer(buffer, chunks, compressors),
      metadata,
      compressors,
      close: () => handle.close(),
    };
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
    if (error instanceof NemosaicError && error.message.includes(quoteValue(path))) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const code = error instanceof NemosaicError ? error.code : "bad-input";
    if (code !== "bad-input") fail(code, `cannot read ${what} of ${quoteValue(path)}: ${firstLine(reason)}`, error);
    fail(
      "bad-input",
      `expected a sound Parquet file ${quoteValue(path)}, but ${what} cannot be read: ${firstLine(reason)}`,
      error,
    );
  }
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? text;
}

async function checkEnds(handle: FileHandle, path: string, size: number): Promise<void> {
  const magic = "PAR1";
  if (size < 12) fail("bad-input", `expected a Parquet file ${quoteValue(path)}, got ${size} bytes`);
  const head = Buffer.alloc(4);
  const tail = Buffer.alloc(8);
  await handle.read(head, 0, 4, 0);
  await handle.read(tail, 0, 8, size - 8);
  const end = tail.toString("latin1", 4, 8);
  if (end === "PARE") fail("unsupported", `expected a plain Parquet file ${quoteValue(path)}, got an encrypted one`);
  if (head.toString("latin1") !== magic || end !== magic) {
    fail("bad-input", `expected "PAR1" at both ends of the Parquet file ${quoteValue(path)}; it is none, or cut short`);
  }
  const footer = tail.readUInt32LE(0);
  if (footer > Math.min(size - 12, maxFooterBytes)) {
    fail(
      "bad-input",
      `expected a footer inside the Parquet file ${quoteValue(path)} of ${size} bytes, got a length of ${footer}`,
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
      fail(
        "bad-input",
        `expected bytes ${from} to ${end} inside ${quoteValue(path)} of ${size} bytes; the file is damaged`,
      );
    }
    const bytes = new Uint8Array(end - from);
    await readFully(handle, bytes, from, path);
    return bytes.buffer;
  }
}

/** The library takes memory for a list's stated length before it reads the list. */
async function checkFooter(buffer: AsyncBuffer): Promise<void> {
  const tail = new DataView(await buffer.slice(buffer.byteLength - 8, buffer.byteLength));
  const end = buffer.byteLength - 8;
  checkThrift(new Uint8Array(await buffer.slice(end - tail.getUint32(0, true), end)));
}

/** The library takes bytes, where the footer has them in place of the list, for a list of numbers. */
function checkKeyValues({ key_value_metadata: pairs }: FileMetaData): void {
  if (pairs === undefined) return;
  const isPair = ({ key, value }: { key?: unknown; value?: unknown }): boolean =>
    typeof key === "string" && (value === undefined || typeof value === "string");
  if (!Array.isArray(pairs) || !pairs.every(isPair)) throw new Error("its key-value metadata is no list of pairs");
}

/** The library believes a footer's counts: they must agree, and be credible, before memory is taken for them. */
function checkRowCounts(metadata: FileMetaData, size: number): void {
  let rows = 0n;
  for (const group of metadata.row_groups) {
    if (!(group.num_rows >= 0n)) throw new Error(`a row group has ${group.num_rows} rows`);
    rows += group.num_rows;
  }
  if (rows !== metadata.num_rows || rows > 2n ** 31n) {
    throw new Error(`it counts ${metadata.num_rows} rows, its row groups ${rows}`);
  }
  checkCount(Number(rows), size, "a file");
}

/** Schemas nested deeper than this are made to exhaust the stack. */
const deepestSchema = 64;

function checkSchema({ schema }: FileMetaData): void {
  let open = 1;
  const left: number[] = [];
  for (const { num_children: children = 0, name } of schema) {
    if (!(children >= 0 && children < schema.length)) throw new Error(`a schema element claims ${children} children`);
    if (typeof name !== "string") throw new Error("a schema element has no name");
    if (open-- === 0) throw new Error("its schema has elements outside the tree");
    open += children;
    if (left.length > 0) left.push((left.pop() ?? 0) - 1);
    if (children > 0) left.push(children);
    else while (left.at(-1) === 0) left.pop();
    if (left.length > deepestSchema) throw new Error(`its schema is nested more than ${deepestSchema} deep`);
  }
  if (open !== 0) throw new Error("its schema lacks elements");
}

interface Chunk {
  readonly start: number;
  readonly end: number;
  readonly facts: ChunkFacts;
}

/**
 * Every column chunk has to lie inside the file. Checked here, since the library starts reads that it no longer waits
 * for when another one has failed.
 */
function checkChunks(metadata: FileMetaData, size: number): Chunk[] {
  const tree = parquetSchema(metadata);
  return metadata.row_groups.flatMap((group, index) =>
    group.columns.map(({ meta_data: meta, file_path: elsewhere }): Chunk => {
      if (meta === undefined || elsewhere !== undefined) throw new Error(`row group ${index} keeps a column elsewhere`);
      const first = Number(meta.data_page_offset);
      // Some writers state a dictionary at byte 0 where there is none.
      const start = Number(meta.dictionary_page_offset ?? 0) || first;
      const end = start + Number(meta.total_compressed_size);
      if (!(start >= 4 && first >= start && end >= first && end <= size) || !Array.isArray(meta.path_in_schema)) {
        throw new Error(`row group ${index} has a column at bytes ${start} to ${end} of ${size}`);
      }
      const path = pathOf(tree, meta.path_in_schema);
      const [values, rows] = [Number(meta.num_values), Number(group.num_rows)];
      const isFlat = path.every(({ element }, depth) => depth === 0 || element.repetition_type !== "REPEATED");
      if (isFlat && values !== rows)
        throw new Error(`row group ${index} has ${rows} rows and a column of ${values} values`);
      checkCount(values, Math.max(end - start, Number(meta.total_uncompressed_size)), "a column");
      return { start, end, facts: { meta, path, values } };
    }),
  );
}

function pathOf(root: SchemaTree, names: readonly string[]): SchemaTree[] {
  const path = [root];
  for (const name of names) {
    const child = path.at(-1)?.children.find(({ element }) => element.name === name);
    if (child === undefined) throw new Error(`the schema has no column ${quoteValue(names.join("."))}`);
    path.push(child);
  }
  return path;
}

/** Checks the pages of column chunks as their bytes are read, before the library sees them. */
function guardBuffer(buffer: AsyncBuffer, chunks: readonly Chunk[], compressors: Compressors): AsyncBuffer {
  const unchecked = new Set(chunks);
  return {
    byteLength: buffer.byteLength,
    slice(start: number, end: number = buffer.byteLength): Promise<ArrayBuffer> {
      const checked = read(start, end);
      checked.catch(() => undefined); // see bufferOf
      return checked;
    },
  };

  async function read(start: number, end: number): Promise<ArrayBuffer> {
    const bytes = await buffer.slice(start, end);
    for (const chunk of unchecked) {
      if (chunk.end <= start || chunk.start >= end) continue;
      const isInside = chunk.start >= start && chunk.end <= end;
      const whole = isInside
        ? new Uint8Array(bytes, chunk.start - start, chunk.end - chunk.start)
        : new Uint8Array(await buffer.slice(chunk.start, chunk.end));
      try {
        checkPages(whole, chunk.facts, compressors);
      } catch (error) {
        const column = chunk.facts.path.slice(1).map(({ element }) => element.name);
        if (error instanceof NemosaicError)
          fail(error.code, `column ${quoteValue(column.join("."))}: ${error.message}`, error);
        throw error;
      }
      unchecked.delete(chunk);
    }
    return bytes;
  }
}
