export {
  type EmbedOptions,
  type EmbedReport,
  embedSources,
  type ImageSource,
  type MatrixReport,
} from "./embed.ts";
export {
  embeddingsFormat,
  embeddingsKey,
  embeddingsStaging,
  embeddingsVersion,
  type MatrixManifest,
  type MatrixName,
  type MatrixSettings,
  readMatrixManifest,
  type SkippedRow,
} from "./manifest.ts";
export { mergeEmbeddings } from "./merge-embeddings.ts";
export type { Decode } from "./preparation.ts";
