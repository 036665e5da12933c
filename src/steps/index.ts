/**
 * The room `steps`: what is done to a pool, each a function of (pool, options, listener) to a report: import a dataset, embed, mine,
 * make tiles, merge. The command line and the demo call these; so does who uses nemosaic as a library (docs/library.md).
 */
export { type EmbedStepOptions, type EmbedStepReport, embed } from "./embed.ts";
export { type ImportDatasetOptions, importDataset } from "./import-dataset.ts";
export { type ImportVectorsStepOptions, importVectors } from "./import-vectors.ts";
export { type JudgeScoresOptions, judge, judgeScores, type VerdictReport } from "./judge.ts";
export type { Listener } from "./listener.ts";
export {
  type MakeTilesOptions,
  makeTiles,
  planTilesOf,
  type TilesStepPlan,
  type TilesStepReport,
  verifyTiles,
} from "./make-tiles.ts";
export { type MergeStepOptions, type MergeStepReport, merge } from "./merge.ts";
export { type MineStepOptions, mine } from "./mine.ts";
