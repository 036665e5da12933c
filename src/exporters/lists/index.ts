export { type ExportListsOptions, exportLists, type ListsReport } from "./export-lists.ts";
export { type ImportListsOptions, type ImportListsReport, importLists } from "./import-lists.ts";
export { pythonSetOrder } from "./set-order.ts";
