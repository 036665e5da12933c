/** nemosaic as a library: make a pool step by step, read settings, iterate batches; draw scenes and judge expressions of them. */
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
export { type ImportListsOptions, type ImportListsReport, importLists, type MineReport } from "./mining/index.ts";
export * from "./model/index.ts";
export { type ImportReport, importPool, Pool } from "./pool/index.ts";
export { type HubAccess, hubAccess } from "./relevance/index.ts";
export {
  type Colour,
  type DrawnScene,
  defaultSceneOptions,
  defaultSceneSettings,
  expressionsOf,
  generateScene,
  holds,
  type Judged,
  loadSprites,
  mayHold,
  type ParsedExpression,
  parseExpression,
  renderScene,
  type Scene,
  type SceneLine,
  type SceneObject,
  type SceneOptions,
  type SceneRef,
  type SceneSettings,
  type ScenesManifest,
  type SpriteSet,
  tryParseExpression,
  type WriteScenesOptions,
  writeScenes,
} from "./scenes/index.ts";
export { parseSettings, presetNames, type ResolvedSettings, type Settings } from "./settings/index.ts";
export {
  type EmbedStepOptions,
  type EmbedStepReport,
  embed,
  type ImportDatasetOptions,
  type ImportVectorsStepOptions,
  importDataset,
  importVectors,
  type Listener,
  type MakeTilesOptions,
  type MergeStepOptions,
  type MergeStepReport,
  type MineStepOptions,
  makeTiles,
  merge,
  mine,
  type TilesStepPlan,
  type TilesStepReport,
} from "./steps/index.ts";
