export {
  type EmbedOptions,
  type EmbedReport,
  embedSources,
  type ImageSource,
  type MatrixReport,
} from "./embed.ts";
export {
  embeddingsFormat,
  embeddingsVersion,
  type MatrixManifest,
  type MatrixName,
  readMatrixManifest,
  type SkippedRow,
} from "./manifest.ts";
export { mergeEmbeddings } from "./merge-embeddings.ts";
export type { Decode } from "./preparation.ts";
