export * from "./atomic.ts";
export * from "./hash.ts";
export * from "./lock.ts";
export * from "./paths.ts";
export * from "./producer.ts";
export * from "./progress.ts";
export * from "./shards.ts";
export * from "./timing.ts";
