/** The room `mining`: for each expression its candidate images in order (`dense` by embeddings, `plain` by any scores), as columns on disk. */
export {
  createDenseScorer,
  createGroupedScorer,
  type DenseScorerOptions,
  groupedQueries,
  type ImageParts,
  type VectorFile,
} from "./dense/index.ts";
export { type ExportListsOptions, exportLists, type ListsReport } from "./lists/export-lists.ts";
export { type ImportListsOptions, type ImportListsReport, importLists } from "./lists/import-lists.ts";
export type { MinedColumns, Rank, ScoreBlock, Scorer, StepMiner } from "./scorer.ts";
export { type JudgeScoreOptions, type JudgeScoreReport, mineJudgeScores, PairScores } from "./store/judge-scores.ts";
export { mergeMined } from "./store/merge-mined.ts";
export { type MinePoolOptions, type MineReport, minePool } from "./store/mine-pool.ts";
export { mineNeighbours, type NeighbourOptions } from "./store/neighbours.ts";
export { mineRisk, type RiskOptions } from "./store/risk.ts";
export { mineSentences, openCandidateSentences, type SentenceOptions } from "./store/sentences.ts";
export { expressionsByImage, mineTextScores, type TextScoreOptions } from "./store/t2t.ts";
