/** nemosaic as a library: open a pool, read settings, iterate batches. */
export {
  type Evaluation,
  evaluate,
  evaluateDefaults,
  evaluationPreset,
  openPredictions,
  truthsOfPool,
} from "./evaluate/index.ts";
export {
  type Batch,
  type EpochOptions,
  Loader,
  type LoaderOptions,
  loadMosaics,
  normalisations,
  normalised,
  rankIndices,
} from "./loader/index.ts";
export * from "./model/index.ts";
export { type ImportReport, importPool, Pool } from "./pool/index.ts";
export { parseSettings, presetNames, type ResolvedSettings, type Settings } from "./settings/index.ts";
