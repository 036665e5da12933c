export {
  type ImportedMatrix,
  type ImportVectorsOptions,
  type ImportVectorsReport,
  importVectors,
  type VectorFiles,
} from "./import-vectors.ts";
export { readPairs } from "./read-pairs.ts";
