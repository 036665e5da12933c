export { type EmbedReport, embedSources, type MatrixReport } from "./embed.ts";
export type { EmbedOptions, ImageCrops, ImageSource } from "./embed-options.ts";
export {
  type CropFacts,
  cropFacts,
  embeddingsFormat,
  embeddingsKey,
  embeddingsStaging,
  embeddingsVersion,
  type MatrixManifest,
  type MatrixName,
  type MatrixSettings,
  partFiles,
  readMatrixManifest,
  type SkippedRow,
} from "./manifest.ts";
export { mergeEmbeddings } from "./merge-embeddings.ts";
export type { Decode } from "./preparation.ts";
