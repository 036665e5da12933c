/** The room `codecs`: bytes to values and back, one folder or file for each format. */
export { cocoCategories, cocoCategory, denseCocoCategory } from "./coco-categories.ts";
export type { CocoRle } from "./coco-rle.ts";
export { decodeCocoRle, encodeCocoRle } from "./coco-rle.ts";
export { type CsvRow, readCsv } from "./csv.ts";
export {
  type DecodedImage,
  type DecodedMask,
  decodeImage,
  decodeImageAtLeast,
  decodeImageTo,
  decodeMask,
  encodeJpeg,
  encodePng,
  encodeWebp,
  hasJpegTurbo,
  type ImageSize,
  imageSize,
  renderSvg,
  setImageThreads,
} from "./images/index.ts";
export { type JsonLine, parseJson, readJson, readJsonArrays, readJsonLines, readJsonList } from "./json/index.ts";
export { type LmdbEntry, LmdbReader, writeLmdb } from "./lmdb/index.ts";
export type { Npy } from "./npy.ts";
export { decodeNpy, encodeNpy, NpyReader } from "./npy.ts";
export type { NpyArray, NpyDtype, NpyHeader } from "./npy-header.ts";
export { npyHeader, npyItemSize, readNpyHeader } from "./npy-header.ts";
export {
  type ColumnType,
  type ColumnValues,
  type IntLists,
  nullableTableColumn,
  readRows,
  readTable,
  readTableMetadata,
  type Table,
  tableColumn,
  writeTableTo,
} from "./parquet/index.ts";
export {
  decodePickle,
  encodePickle,
  type Picklable,
  type PickleValue,
  pickleTuple,
} from "./pickle/index.ts";
export { readTar, type TarEntry, TarWriter } from "./tar/index.ts";
export { refuseUtf16, utf8Text, wholeUtf8Text } from "./utf8.ts";
