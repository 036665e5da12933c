export type { DecodePickleOptions } from "./decode.ts";
export { decodePickle } from "./decode.ts";
export type { EncodePickleOptions, Picklable } from "./encode.ts";
export { encodePickle } from "./encode.ts";
export type { PickleDict, PickleSet, PickleValue } from "./values.ts";
export { PickleTuple, pickleTuple } from "./values.ts";
