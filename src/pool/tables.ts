import { join } from "node:path";
import {
  type ColumnType,
  type ColumnValues,
  nullableTableColumn,
  readTable,
  type Table,
  tableColumn,
  writeTableTo,
} from "../codecs/index.ts";
import { hashFile, openAtomic } from "../io/index.ts";
import { fail } from "../model/index.ts";
import { type TableName, tableNames } from "./manifest.ts";

/** One column of a table; rows have its value under the declaration's key, files under `name` where that differs. */
interface ColumnSpec {
  readonly type: ColumnType;
  readonly nullable?: true;
  readonly name?: string;
  /** Its numbers are rows of this table. */
  readonly rowsOf?: TableName;
}

/**
 * The tables of a pool, declared once: rows, columns, writer and readers are derived. A column more is a line here, its value in
 * collect.ts or collect-refs.ts, and a row in docs/formats/pool.md.
 */
const tables = {
  images: {
    /** Index into the manifest's roots, or -1 where the bytes are in images.pack. */
    root: { type: "int32" },
    /** Path relative to the root, or the dataset's name of a packed image. */
    path: { type: "string" },
    width: { type: "int32" },
    height: { type: "int32" },
    /** Size of the encoded image, bytes. */
    bytes: { type: "int64" },
    /** Offset in images.pack, or -1. */
    offset: { type: "int64" },
    /** SHA-256 of the encoded image, hex. */
    hash: { type: "string" },
  },
  annotations: {
    image: { type: "int32", rowsOf: "images" },
    source: { type: "string" },
    id: { type: "string" },
    category: { type: "string" },
    /** Its text: see `segmentationText`. */
    segmentation: { type: "bytes" },
    /** Pixels², as the dataset states. */
    area: { type: "double", nullable: true },
    /** Box in pixels, as the dataset states. */
    x: { type: "double", nullable: true },
    y: { type: "double", nullable: true },
    boxWidth: { type: "double", nullable: true, name: "box_width" },
    boxHeight: { type: "double", nullable: true, name: "box_height" },
    isCrowd: { type: "boolean", name: "iscrowd" },
  },
  refs: {
    source: { type: "string" },
    id: { type: "string" },
    image: { type: "int32", rowsOf: "images" },
    /** Its targets: several = multi-target, none = no-target. */
    annotations: { type: "int32-list", rowsOf: "annotations" },
    split: { type: "string" },
  },
  /** The sentences of a ref are consecutive rows. */
  expressions: {
    ref: { type: "int32", rowsOf: "refs" },
    id: { type: "string" },
    raw: { type: "string" },
    sent: { type: "string" },
  },
} as const satisfies Readonly<Record<TableName, Readonly<Record<string, ColumnSpec>>>>;

type Tables = typeof tables;
type ColumnKey<Name extends TableName> = keyof Tables[Name] & string;

type Plain<Type extends ColumnType> = Type extends "string" | "bytes"
  ? string
  : Type extends "boolean"
    ? boolean
    : Type extends "int32-list"
      ? readonly number[]
      : number;
type RowValue<Spec> = Spec extends ColumnSpec
  ? Plain<Spec["type"]> | (Spec extends { readonly nullable: true } ? null : never)
  : never;

/** A row of a table in memory: numbers, text (bytes as their UTF-8), lists. Rows refer to each other by number. */
export type TableRow<Name extends TableName> = { readonly [Key in ColumnKey<Name>]: RowValue<Tables[Name][Key]> };

/** A pool's content in memory while it is written. */
export type PoolRows = { readonly [Name in TableName]: TableRow<Name>[] };

/** Columns of a table in memory; index = row. Bytes are views into the file's pages. */
export type TableColumns<Name extends TableName, Key extends ColumnKey<Name> = ColumnKey<Name>> = {
  readonly count: number;
} & {
  readonly [K in Key]: Tables[Name][K] extends ColumnSpec ? Readonly<ColumnValues[Tables[Name][K]["type"]]> : never;
};

/** What the manifest says of one table. */
export interface TableFacts {
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** Writes the four tables into `folder` (each atomically) and returns what the manifest says of them. */
export async function writeTables(folder: string, rows: PoolRows): Promise<Record<TableName, TableFacts>> {
  const facts = {} as Record<TableName, TableFacts>;
  for (const name of tableNames) {
    const path = join(folder, `${name}.parquet`);
    const file = await openAtomic(path);
    let bytes = 0;
    try {
      const write = async (chunk: Uint8Array): Promise<void> => {
        bytes += chunk.length;
        await file.write(chunk);
      };
      await writeTableTo(write, columnsToWrite(name, rows[name]), {
        metadata: { format: "nemosaic-pool", version: "1", table: name },
      });
      await file.commit();
    } finally {
      await file.abort();
    }
    facts[name] = { file: `${name}.parquet`, rows: rows[name].length, bytes, sha256: await hashFile(path) };
  }
  return facts;
}

/** Reads all rows of a pool's tables back, as `writeTables` took them. */
export async function readRows(folder: string): Promise<PoolRows> {
  const rows = {} as Record<TableName, unknown[]>;
  for (const name of tableNames) {
    const table = await readTable(join(folder, `${name}.parquet`));
    const readers = specsOf(name).map(([key, spec]) => [key, readerOf(table, key, spec)] as const);
    rows[name] = Array.from({ length: table.rows }, (_, row) =>
      Object.fromEntries(readers.map(([key, read]) => [key, read(row)])),
    );
  }
  return rows as PoolRows;
}

/**
 * Reads columns of a table: those of `keys`, or all. `rows` are the lengths of the tables that its numbers refer to. Errors:
 * "bad-input" for a missing column, another type, a null, and for a number that is no row there.
 */
export async function readColumns<Name extends TableName, Key extends ColumnKey<Name> = ColumnKey<Name>>(
  folder: string,
  name: Name,
  rows: Partial<Record<TableName, number>>,
  keys?: readonly Key[],
): Promise<TableColumns<Name, Key>> {
  const specs = specsOf(name).filter(([key]) => keys === undefined || keys.includes(key as Key));
  const path = join(folder, `${name}.parquet`);
  const table = await readTable(path, specs.map(fileName));
  const columns: Record<string, unknown> = { count: table.rows };
  for (const [key, spec] of specs) {
    const values = tableColumn(table, fileName([key, spec]), spec.type);
    const most = spec.rowsOf === undefined ? undefined : rows[spec.rowsOf];
    if (most !== undefined) requireRows("offsets" in values ? values.values : (values as Int32Array), most, path);
    columns[key] = values;
  }
  return columns as TableColumns<Name, Key>;
}

/** A nullable column of numbers; `valid[row]` is 0 where there is none, and undefined where all are there. */
export async function readNullable<Key extends ColumnKey<"annotations">>(
  folder: string,
  keys: readonly Key[],
): Promise<Record<Key, { readonly values: Float64Array; readonly valid: Uint8Array | undefined }>> {
  const specs = specsOf("annotations").filter(([key]) => keys.includes(key as Key));
  const table = await readTable(join(folder, "annotations.parquet"), specs.map(fileName));
  const found = specs.map((spec) => [spec[0], nullableTableColumn(table, fileName(spec), "double")] as const);
  return Object.fromEntries(found) as Record<Key, { values: Float64Array; valid: Uint8Array | undefined }>;
}

type NamedSpec = readonly [key: string, spec: ColumnSpec];

function specsOf(name: TableName): NamedSpec[] {
  return Object.entries<ColumnSpec>(tables[name]);
}

function fileName([key, { name = key }]: NamedSpec): string {
  return name;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function columnsToWrite(name: TableName, rows: readonly object[]) {
  return specsOf(name).map(([key, spec]) => {
    const values = rows.map((row) => (row as Readonly<Record<string, unknown>>)[key]);
    return {
      name: fileName([key, spec]),
      type: spec.type,
      ...(spec.nullable === true ? { nullable: true } : {}),
      values: spec.type === "bytes" ? values.map((text) => encoder.encode(text as string)) : values,
    };
  });
}

/** Gives a row's value of a column, as `TableRow` has it. */
function readerOf(table: Table, key: string, spec: ColumnSpec): (row: number) => unknown {
  const column = fileName([key, spec]);
  if (spec.nullable === true) {
    const { values, valid } = nullableTableColumn(table, column, "double");
    return (row) => (valid?.[row] === 0 ? null : values[row]);
  }
  switch (spec.type) {
    case "int32-list": {
      const { values, offsets } = tableColumn(table, column, spec.type);
      return (row) => Array.from(values.subarray(offsets[row], offsets[row + 1]));
    }
    case "bytes": {
      const values = tableColumn(table, column, spec.type);
      return (row) => decoder.decode(values[row]);
    }
    case "boolean": {
      const values = tableColumn(table, column, spec.type);
      return (row) => values[row] === 1;
    }
    case "int64": {
      const values = tableColumn(table, column, spec.type);
      return (row) => Number(values[row]);
    }
    default: {
      const values = tableColumn(table, column, spec.type);
      return (row) => values[row];
    }
  }
}

function requireRows(rows: Int32Array, count: number, path: string): void {
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    if (row < 0 || row >= count)
      fail("bad-input", `expected row numbers below ${count} in "${path}", got ${row} in row ${at}; import again`);
  }
}
