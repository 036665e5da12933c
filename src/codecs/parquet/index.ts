export type { ColumnType, ColumnValues, IntLists, ReadColumn, Table, TableColumn } from "./columns.ts";
export { nullableTableColumn, tableColumn } from "./columns.ts";
export type { TableOptions } from "./encode.ts";
export { writeTableTo } from "./encode.ts";
export type { ReadRowsOptions } from "./read-rows.ts";
export { readRows } from "./read-rows.ts";
export type { TableMetadata } from "./read-table.ts";
export { readTable, readTableMetadata } from "./read-table.ts";
