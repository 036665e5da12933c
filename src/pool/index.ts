/** The room `pool`: a dataset's records as tables in a folder, written, opened and read; judgements and mined sets beside them. */

export { type ImportPoolOptions, type ImportReport, importPool, type RecordSource } from "./import-pool.ts";
export { appendJudgement, appendJudgements, type Judgement, readJudgements, readVerdicts } from "./judgements.ts";
export { isTrainingSplit, photographNumber } from "./leave-leaks-out.ts";
export type { BadPolicy } from "./ledger.ts";
export { type PoolManifest, type PoolSource, readManifest } from "./manifest.ts";
export {
  type AnnotationCoverage,
  Mined,
  type MinedExtra,
  type MinedManifest,
  type MinedNeighbours,
  type MinedRow,
  type MinedSentences,
  minedExtras,
  minedFolder,
  minedFormat,
  minedSchema,
  minedVersion,
  type RandomRisk,
  readExtraManifest,
} from "./mined.ts";
export { chooseMined, minedNames, suggestNames } from "./mined-names.ts";
export { firstDrawnId, imageNumber, ownNumber } from "./own-numbers.ts";
export { type AnnotationMeasures, Pool, readMeasures } from "./pool.ts";
export { type Relocation, relocatePool } from "./relocate.ts";
