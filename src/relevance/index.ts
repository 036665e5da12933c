export * from "./clip/index.ts";
export * from "./hub/index.ts";
