export type { JsonArrayElement, JsonArrayOptions } from "./arrays.ts";
export { readJsonArrays, readJsonList } from "./arrays.ts";
export type { JsonLine } from "./lines.ts";
export { readJsonLines } from "./lines.ts";
export { parseJson, readJson } from "./whole.ts";
