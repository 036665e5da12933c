export {
  type EmbedPoolOptions,
  embeddingsFolder,
  embeddingsName,
  embedPool,
  embedPoolLexical,
  lexicalName,
  listEmbeddings,
  mergePoolEmbeddings,
} from "./embed-pool.ts";
export { type OpenedEmbeddings, openEmbeddings, type StoredVectors } from "./open-embeddings.ts";
