export {
  type EmbedOptions,
  type EmbedReport,
  embeddingsFormat,
  embeddingsVersion,
  embedSources,
  type ImageSource,
  type MatrixReport,
} from "./embed.ts";
export { mergeEmbeddings } from "./merge-embeddings.ts";
export type { SkippedRow } from "./partial-rows.ts";
export type { Decode } from "./preparer.ts";
