/** The room `codecs`: bytes to values and back, one folder or file for each format. */
export { cocoCategories, cocoCategory, denseCocoCategory } from "./coco-categories.ts";
export type { CocoRle } from "./coco-rle.ts";
export { decodeCocoRle, encodeCocoRle } from "./coco-rle.ts";
export { type CsvRow, readCsv } from "./csv.ts";
export * from "./images/index.ts";
export * from "./json/index.ts";
export * from "./lmdb/index.ts";
export type { Npy } from "./npy.ts";
export { decodeNpy, encodeNpy, NpyReader } from "./npy.ts";
export type { NpyArray, NpyDtype, NpyHeader } from "./npy-header.ts";
export { npyHeader, npyItemSize, readNpyHeader } from "./npy-header.ts";
export * from "./parquet/index.ts";
export * from "./pickle/index.ts";
export * from "./tar/index.ts";
export { refuseUtf16, utf8Text } from "./utf8.ts";
