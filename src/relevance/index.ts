/** The room `relevance`: images and expressions to embeddings or scores, by CLIP-like models, by words, or by vectors made elsewhere. */
export {
  type Device,
  type Dtype,
  dtypeNames,
  type ImageTextModel,
  openImageTextModel,
  type Preprocessing,
} from "./clip/index.ts";
export { type Crops, type CropTable, cropsText, cropTable, parseCrops } from "./crops/index.ts";
export { type Decode, embedSources, type ImageSource, mergeEmbeddings, type SkippedRow } from "./embed/index.ts";
export { type HubAccess, hubAccess } from "./hub/index.ts";
export { contentWords, lexicalScorer, transpose } from "./lexical/index.ts";
export { defaultModel, openRelevance, type Relevance, sceneClipNote } from "./open-relevance.ts";
export {
  embeddingsFolder,
  embeddingsName,
  embedPool,
  embedPoolLexical,
  lexicalName,
  listEmbeddings,
  mergePoolEmbeddings,
  type OpenedEmbeddings,
  openEmbeddings,
} from "./pool/index.ts";
export {
  type ImportedMatrix,
  type ImportVectorsReport,
  importVectors,
  readPairs,
  type VectorFiles,
} from "./vectors/index.ts";
