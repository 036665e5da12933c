import { fail, quoteValue, unknownName } from "../../model/index.ts";

/** The types of column that `writeTableTo` writes and `readTable` reads. */
export type ColumnType = "int32" | "int64" | "double" | "float" | "string" | "boolean" | "bytes" | "int32-list";

/** Lists of integers end to end: list i is `values[offsets[i] .. offsets[i + 1]]`; `offsets` has one entry more than rows. */
export interface IntLists {
  readonly offsets: Int32Array;
  readonly values: Int32Array;
}

/** What a column of each type is read as. Booleans are 0 and 1; bytes are views into the file's pages, not copies. */
export interface ColumnValues {
  int32: Int32Array;
  int64: BigInt64Array;
  double: Float64Array;
  float: Float32Array;
  string: string[];
  boolean: Uint8Array;
  bytes: Uint8Array[];
  "int32-list": IntLists;
}

/**
 * One column as read. `valid[i]` is 0 where row i is null, and its value then 0, NaN, "" or empty; undefined where no
 * row is null.
 */
export type ReadColumn = {
  [Type in ColumnType]: {
    readonly type: Type;
    readonly values: ColumnValues[Type];
    readonly valid: Uint8Array | undefined;
  };
}[ColumnType];

/** A table in memory, or those of its columns that were asked for, in the file's order. */
export interface Table {
  readonly path: string;
  readonly rows: number;
  readonly columns: ReadonlyMap<string, ReadColumn>;
  /** The file's own key-value metadata. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** One column to write. `values` has one entry a row. */
export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
  /**
   * int32, int64 (number or bigint), double, float: numbers; boolean: booleans or 0 and 1; bytes: Uint8Array;
   * int32-list: arrays or typed arrays of integers. null or undefined where `nullable`.
   */
  readonly values: ArrayLike<unknown>;
  /** Whether rows may be null. Default false. */
  readonly nullable?: boolean;
}

/**
 * The values of column `name`, which has to be of `type` and without nulls.
 *
 * Errors: "bad-input" naming the file where the column is missing, of another type, or holds a null.
 */
export function tableColumn<Type extends ColumnType>(table: Table, name: string, type: Type): ColumnValues[Type] {
  const column = nullableTableColumn(table, name, type);
  const row = column.valid?.indexOf(0) ?? -1;
  if (row >= 0)
    fail(
      "bad-input",
      `expected a value in every row of column ${quoteValue(name)} of ${quoteValue(table.path)}, got none in row ${row}`,
    );
  return column.values;
}

/** As `tableColumn` for a column in which rows may be null. */
export function nullableTableColumn<Type extends ColumnType>(
  table: Table,
  name: string,
  type: Type,
): { readonly values: ColumnValues[Type]; readonly valid: Uint8Array | undefined } {
  const column = table.columns.get(name);
  if (column === undefined) {
    fail(
      "bad-input",
      `${unknownName("column", name, [...table.columns.keys()]).message} (in ${quoteValue(table.path)})`,
    );
  }
  if (!isOfType(column, type)) {
    fail(
      "bad-input",
      `expected column ${quoteValue(name)} of ${quoteValue(table.path)} to be ${type}, got ${column.type}`,
    );
  }
  return column;
}

function isOfType<Type extends ColumnType>(
  column: ReadColumn,
  type: Type,
): column is ReadColumn & { readonly type: Type; readonly values: ColumnValues[Type] } {
  return column.type === type;
}
