import { type ColumnData, parquetRead, parquetSchema, type SchemaTree } from "hyparquet";
import { fail, quoteValue, unknownName } from "../../model/index.ts";
import type { ColumnType, ReadColumn, Table } from "./columns.ts";
import { openParquet, type ParquetFile, parquetStep } from "./file.ts";

/** What a Parquet file says about itself. */
export interface TableMetadata {
  readonly rows: number;
  /** Rows of each row group. */
  readonly rowGroups: readonly number[];
  /** Top-level columns; type undefined for those that `readTable` does not read (structs, dates, lists of text, …). */
  readonly columns: readonly {
    readonly name: string;
    readonly type: ColumnType | undefined;
    readonly nullable: boolean;
  }[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads the footer of the Parquet file at `path`. Errors as `readTable`. */
export async function readTableMetadata(path: string): Promise<TableMetadata> {
  const file = await openParquet(path);
  try {
    return {
      rows: Number(file.metadata.num_rows),
      rowGroups: file.metadata.row_groups.map((group) => Number(group.num_rows)),
      columns: topLevel(file).map((node) => ({
        name: node.element.name,
        type: columnType(node),
        nullable: node.element.repetition_type !== "REQUIRED",
      })),
      metadata: keyValues(file),
    };
  } finally {
    await file.close();
  }
}

/**
 * Reads the Parquet file at `path`, or those columns of it that are named, into typed columns. Reads files of any
 * producer whose columns are of the types of `ColumnType` (also with nulls); others are left out unless named.
 *
 * Errors: "not-found"; "bad-input" for a damaged file or an unknown column; "unsupported" for a named column of
 * another type, which `readRows` can read.
 */
export async function readTable(path: string, columnNames?: readonly string[]): Promise<Table> {
  const file = await openParquet(path);
  try {
    const rows = Number(file.metadata.num_rows);
    const wanted = choose(file, columnNames);
    const builders = new Map(wanted.map(({ name, type }) => [name, columnBuilder(type, rows, path, name)]));
    let start = 0;
    for (const group of file.metadata.row_groups) {
      const end = start + Number(group.num_rows);
      if (end > start && wanted.length > 0) await readGroup(file, start, end, builders);
      start = end;
    }
    return {
      path,
      rows,
      columns: new Map([...builders].map(([name, builder]) => [name, builder.finish()])),
      metadata: keyValues(file),
    };
  } finally {
    await file.close();
  }
}

interface ColumnBuilder {
  /** Takes the values of rows from `row` on; a null is null or undefined. */
  add(row: number, values: ArrayLike<unknown>): void;
  finish(): ReadColumn;
}

async function readGroup(
  file: ParquetFile,
  start: number,
  end: number,
  builders: ReadonlyMap<string, ColumnBuilder>,
): Promise<void> {
  const filled = new Map<string, number>();
  const chunks: ColumnData[] = [];
  await parquetStep(file.path, `its rows ${start} to ${end}`, async () => {
    await parquetRead({
      file: file.buffer,
      metadata: file.metadata,
      columns: [...builders.keys()],
      rowStart: start,
      rowEnd: end,
      compressors: file.compressors,
      utf8: false,
      geoparquet: false,
      onChunk: (chunk) => chunks.push(chunk),
    });
    for (const { columnName, columnData, rowStart } of chunks) {
      const rows = Math.min(columnData.length, end - rowStart);
      builders.get(columnName)?.add(rowStart, rows === columnData.length ? columnData : columnData.slice(0, rows));
      filled.set(columnName, (filled.get(columnName) ?? 0) + rows);
    }
  });
  for (const name of builders.keys()) {
    const got = filled.get(name) ?? 0;
    if (got !== end - start) {
      fail(
        "bad-input",
        `expected ${end - start} values of column ${quoteValue(name)} from row ${start} of ${quoteValue(file.path)}, got ${got}`,
      );
    }
  }
}

function choose(file: ParquetFile, names: readonly string[] | undefined): { name: string; type: ColumnType }[] {
  const nodes = topLevel(file);
  const known = new Map(nodes.map((node) => [node.element.name, columnType(node)]));
  for (const name of names ?? []) {
    if (!known.has(name)) {
      fail("bad-input", `${unknownName("column", name, [...known.keys()]).message} (in ${quoteValue(file.path)})`);
    }
    if (known.get(name) === undefined) {
      fail(
        "unsupported",
        `expected a column of numbers, text, bytes or lists of int32 in ${quoteValue(file.path)}, but ${quoteValue(name)} is not`,
      );
    }
  }
  return [...known].flatMap(([name, type]) =>
    type === undefined || (names !== undefined && !names.includes(name)) ? [] : [{ name, type }],
  );
}

function topLevel(file: ParquetFile): SchemaTree[] {
  return parquetSchema(file.metadata).children;
}

function keyValues(file: ParquetFile): Record<string, string> {
  return Object.fromEntries((file.metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? ""]));
}

function columnType(node: SchemaTree): ColumnType | undefined {
  const { element, children } = node;
  if (element.repetition_type === "REPEATED") return undefined;
  if (children.length === 0) return leafType(node);
  const [repeated] = children;
  const [item] = repeated?.children ?? [];
  const isList = element.converted_type === "LIST" || element.logical_type?.type === "LIST";
  const single =
    children.length === 1 && repeated?.element.repetition_type === "REPEATED" && repeated.children.length === 1;
  return isList && single && item !== undefined && leafType(item) === "int32" ? "int32-list" : undefined;
}

function leafType({ element, children }: SchemaTree): ColumnType | undefined {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (children.length > 0) return undefined;
  switch (type) {
    case "INT32":
      return isPlainInteger(converted, logical?.type) && !isUnsigned(element, 32) ? "int32" : undefined;
    case "INT64":
      return isPlainInteger(converted, logical?.type) && !isUnsigned(element, 64) ? "int64" : undefined;
    case "DOUBLE":
      return "double";
    case "FLOAT":
      return "float";
    case "BOOLEAN":
      return "boolean";
    case "BYTE_ARRAY":
      if (converted === "UTF8" || converted === "ENUM" || logical?.type === "STRING") return "string";
      return converted === undefined && logical === undefined ? "bytes" : undefined;
    default:
      return undefined;
  }
}

function isPlainInteger(converted: string | undefined, logical: string | undefined): boolean {
  return (converted === undefined || /^U?INT_/.test(converted)) && (logical === undefined || logical === "INTEGER");
}

function isUnsigned(element: SchemaTree["element"], bits: number): boolean {
  const { converted_type: converted, logical_type: logical } = element;
  return (
    converted === `UINT_${bits}` || (logical?.type === "INTEGER" && !logical.isSigned && logical.bitWidth === bits)
  );
}

function columnBuilder(type: ColumnType, rows: number, path: string, name: string): ColumnBuilder {
  switch (type) {
    case "int32":
      return numberBuilder("int32", new Int32Array(rows));
    case "double":
      return numberBuilder("double", new Float64Array(rows), Number.NaN);
    case "float":
      return numberBuilder("float", new Float32Array(rows), Number.NaN);
    case "int64":
      return scalarBuilder(rows, new BigInt64Array(rows), 0n, isBigint, (values, valid) => ({ type, values, valid }));
    case "boolean":
      return scalarBuilder(rows, new Uint8Array(rows), 0, toBit, (values, valid) => ({ type, values, valid }));
    case "string":
      return scalarBuilder(rows, new Array<string>(rows), "", toText, (values, valid) => ({ type, values, valid }));
    case "bytes":
      return scalarBuilder(rows, new Array<Uint8Array>(rows), empty, toBytes, (values, valid) => ({
        type,
        values,
        valid,
      }));
    case "int32-list":
      return listBuilder(rows, path, name);
  }
}

const empty = new Uint8Array(0);
const isBigint = (value: unknown): bigint | undefined =>
  typeof value === "bigint" ? value : typeof value === "number" ? BigInt(value) : undefined;
const toBit = (value: unknown): number | undefined => (typeof value === "boolean" ? Number(value) : undefined);
const toText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const toBytes = (value: unknown): Uint8Array | undefined => (value instanceof Uint8Array ? value : undefined);

function numberBuilder(type: "int32", target: Int32Array): ColumnBuilder;
function numberBuilder(type: "double", target: Float64Array, none: number): ColumnBuilder;
function numberBuilder(type: "float", target: Float32Array, none: number): ColumnBuilder;
function numberBuilder(type: string, target: Int32Array | Float64Array | Float32Array, none = 0): ColumnBuilder {
  const nulls = new Nulls(target.length);
  return {
    add(row, values) {
      if (values instanceof Int32Array || values instanceof Float64Array || values instanceof Float32Array) {
        target.set(values, row);
        return;
      }
      for (let i = 0; i < values.length; i++) {
        const value = values[i];
        if (value === null || value === undefined) nulls.mark(row + i);
        target[row + i] = typeof value === "number" ? value : none;
      }
    },
    finish: () => ({ type, values: target, valid: nulls.valid }) as ReadColumn,
  };
}

function scalarBuilder<Value, Target extends { [index: number]: Value }>(
  rows: number,
  target: Target,
  none: Value,
  convert: (value: unknown) => Value | undefined,
  finish: (target: Target, valid: Uint8Array | undefined) => ReadColumn,
): ColumnBuilder {
  const nulls = new Nulls(rows);
  return {
    add(row, values) {
      for (let i = 0; i < values.length; i++) {
        const value = values[i];
        if (value === null || value === undefined) {
          nulls.mark(row + i);
          target[row + i] = none;
          continue;
        }
        const converted = convert(value);
        if (converted === undefined) throw new Error(`row ${row + i} holds ${quoteValue(value)}`);
        target[row + i] = converted;
      }
    },
    finish: () => finish(target, nulls.valid),
  };
}

function listBuilder(rows: number, path: string, name: string): ColumnBuilder {
  const nulls = new Nulls(rows);
  const offsets = new Int32Array(rows + 1);
  let values = new Int32Array(1024);
  let used = 0;
  return {
    add(row, lists) {
      for (let i = 0; i < lists.length; i++) {
        const list = lists[i];
        if (list === null || list === undefined) nulls.mark(row + i);
        const items: readonly unknown[] = Array.isArray(list) ? list : [];
        if (used + items.length > values.length) {
          const grown = new Int32Array(Math.max(values.length * 2, used + items.length));
          grown.set(values);
          values = grown;
        }
        for (const item of items) {
          if (typeof item !== "number") {
            fail(
              "bad-input",
              `expected whole numbers in the lists of column ${quoteValue(name)} of ${quoteValue(path)}, got ${quoteValue(item)} in row ${row + i}`,
            );
          }
          values[used++] = item;
        }
        offsets[row + i + 1] = used;
      }
    },
    finish: () => ({ type: "int32-list", values: { offsets, values: values.slice(0, used) }, valid: nulls.valid }),
  };
}

/** Which rows are null, made only when the first one is. */
class Nulls {
  valid: Uint8Array | undefined;
  readonly #rows: number;

  constructor(rows: number) {
    this.#rows = rows;
  }

  mark(row: number): void {
    this.valid ??= new Uint8Array(this.#rows).fill(1);
    this.valid[row] = 0;
  }
}
