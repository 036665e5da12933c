import type { SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { fail, NemosaicError, quoteValue } from "../../model/index.ts";
import type { TableColumn } from "./columns.ts";

/** How a table is written. */
export interface TableOptions {
  /** Key-value metadata of the file, written in the order of its keys. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Rows of a row group, the unit that a reader holds in memory. Default 100,000. */
  readonly rowGroupSize?: number;
  /** Default "snappy". Bytes that are compressed already (JPEG) go faster with "none". */
  readonly compression?: "snappy" | "none";
}

type Values = readonly unknown[] | Int32Array | Float32Array | Float64Array | BigInt64Array;

const defaultRowGroup = 100_000;
/** Bytes gathered before `write` is called, about: large writes, bounded memory. */
const flushBytes = 8 * 2 ** 20;

/**
 * Writes columns as one Parquet file, handed on piece by piece while it is made: at most a row group and some MB are
 * held beside `columns`, which are not modified. `write` gets bytes that it may keep; the same columns give the same
 * bytes. Zero rows are fine.
 *
 * Errors: "usage" for columns of different lengths, of the same name, or with a value that its type cannot hold.
 */
export async function writeTableTo(
  write: (bytes: Uint8Array) => Promise<void>,
  columns: readonly TableColumn[],
  options: TableOptions = {},
): Promise<void> {
  const sink = new ByteWriter(2 ** 16);
  const flush = async (): Promise<void> => {
    const bytes = sink.getBytes().slice();
    sink.index = 0;
    if (bytes.length > 0) await write(bytes);
  };
  for (const _group of encodeGroups(sink, columns, options)) if (sink.index >= flushBytes) await flush();
  await flush();
}

/** Yields after each row group, and ends when the footer is in `sink`. */
function* encodeGroups(sink: ByteWriter, columns: readonly TableColumn[], options: TableOptions): Generator<void> {
  const rows = checkColumns(columns);
  const group = options.rowGroupSize ?? defaultRowGroup;
  if (!Number.isInteger(group) || group < 1)
    fail("usage", `expected rowGroupSize to be 1 or more, got ${quoteValue(group)}`);
  const codec = options.compression === "none" ? "UNCOMPRESSED" : "SNAPPY";
  const writer = new ParquetWriter({
    writer: sink,
    schema: [{ name: "schema", num_children: columns.length }, ...columns.flatMap(schemaOf)],
    codec,
    kvMetadata: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
    createdBy: "nemosaic",
  });
  for (let start = 0; start < rows; start += group) {
    const end = Math.min(rows, start + group);
    const columnData = columns.map((column) => ({
      name: column.name,
      data: physicalValues(column, start, end) as unknown[],
      // Byte columns hold blobs: a dictionary or bounds of them cost time and save nothing.
      ...(column.type === "bytes" ? { encoding: "PLAIN" as const, statistics: false } : {}),
    }));
    try {
      writer.write({ columnData, rowGroupSize: end - start });
    } catch (error) {
      if (error instanceof NemosaicError) throw error;
      fail(
        "usage",
        `cannot write rows ${start} to ${end} as Parquet: ${error instanceof Error ? error.message : error}`,
        error,
      );
    }
    yield;
  }
  writer.finish();
}

function checkColumns(columns: readonly TableColumn[]): number {
  const [first] = columns;
  if (first === undefined) fail("usage", "expected at least one column to write as Parquet");
  const seen = new Set<string>();
  for (const column of columns) {
    if (seen.has(column.name))
      fail("usage", `expected columns of different names, got ${quoteValue(column.name)} twice`);
    seen.add(column.name);
    if (column.values.length !== first.values.length) {
      fail(
        "usage",
        `expected ${first.values.length} rows in column ${quoteValue(column.name)} as in ${quoteValue(first.name)}, got ${column.values.length}`,
      );
    }
  }
  return first.values.length;
}

function schemaOf(column: TableColumn): SchemaElement[] {
  const { name } = column;
  const repetition_type = column.nullable === true ? "OPTIONAL" : "REQUIRED";
  switch (column.type) {
    case "int32":
      return [{ name, type: "INT32", repetition_type }];
    case "int64":
      return [{ name, type: "INT64", repetition_type }];
    case "double":
      return [{ name, type: "DOUBLE", repetition_type }];
    case "float":
      return [{ name, type: "FLOAT", repetition_type }];
    case "boolean":
      return [{ name, type: "BOOLEAN", repetition_type }];
    case "bytes":
      return [{ name, type: "BYTE_ARRAY", repetition_type }];
    case "string":
      return [{ name, type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" }, repetition_type }];
    case "int32-list":
      return [
        { name, repetition_type, num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" } },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        { name: "element", type: "INT32", repetition_type: "REQUIRED" },
      ];
  }
}

/** Rows [start, end) as the library takes them, each value checked. */
function physicalValues(column: TableColumn, start: number, end: number): Values {
  const { values, type } = column;
  if (type === "int32" && values instanceof Int32Array) return values.slice(start, end);
  if (type === "float" && values instanceof Float32Array) return values.slice(start, end);
  if (type === "double" && values instanceof Float64Array) return values.slice(start, end);
  if (type === "int64" && values instanceof BigInt64Array) return values.slice(start, end);
  const out = new Array<unknown>(end - start);
  for (let row = start; row < end; row++) {
    const value = values[row];
    if (value === null || value === undefined) {
      if (column.nullable !== true) wrongValue(column, row, value);
      out[row - start] = undefined;
    } else {
      out[row - start] = physicalValue(column, row, value);
    }
  }
  return out;
}

function physicalValue(column: TableColumn, row: number, value: unknown): unknown {
  switch (column.type) {
    case "int32":
      return isInt32(value) ? value : wrongValue(column, row, value);
    case "int64":
      if (typeof value === "bigint" && BigInt.asIntN(64, value) === value) return value;
      return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : wrongValue(column, row, value);
    case "double":
    case "float":
      return typeof value === "number" ? value : wrongValue(column, row, value);
    case "string":
      return typeof value === "string" ? value : wrongValue(column, row, value);
    case "boolean":
      if (typeof value === "boolean") return value;
      return value === 0 || value === 1 ? value === 1 : wrongValue(column, row, value);
    case "bytes":
      return value instanceof Uint8Array ? value : wrongValue(column, row, value);
    case "int32-list": {
      if (value instanceof Int32Array) return Array.from(value);
      const list: unknown[] | undefined = Array.isArray(value)
        ? value
        : isTypedArray(value)
          ? Array.from(value)
          : undefined;
      return list?.every(isInt32) === true ? list : wrongValue(column, row, value);
    }
  }
}

function isTypedArray(value: unknown): value is Uint8Array | Uint16Array | Int16Array | Int8Array | Uint32Array {
  return ArrayBuffer.isView(value) && !(value instanceof DataView) && !(value instanceof BigInt64Array);
}

function isInt32(value: unknown): value is number {
  return typeof value === "number" && value === (value | 0);
}

function wrongValue(column: TableColumn, row: number, value: unknown): never {
  fail("usage", `expected ${column.type} in row ${row} of column ${quoteValue(column.name)}, got ${quoteValue(value)}`);
}
