export type { TarEntry } from "./reader.ts";
export { readTar } from "./reader.ts";
export type { TarEntryOptions } from "./writer.ts";
export { TarWriter } from "./writer.ts";
