export { type CellPixels, type CellSource, decodePoolImage, decodingCells } from "./cell-source.ts";
