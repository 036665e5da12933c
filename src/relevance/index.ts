export * from "./clip/index.ts";
export * from "./embed/index.ts";
export * from "./hub/index.ts";
export * from "./lexical/index.ts";
export * from "./open-relevance.ts";
export * from "./pool/index.ts";
export * from "./vectors/index.ts";
