export type { LmdbEntry, LmdbReaderOptions } from "./reader.ts";
export { LmdbReader } from "./reader.ts";
export type { WriteLmdbOptions } from "./writer.ts";
export { writeLmdb } from "./writer.ts";
