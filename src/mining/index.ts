export { createDenseScorer, type DenseScorerOptions } from "./dense-scorer.ts";
export { mergeMined } from "./merge-mined.ts";
export { BlockMiner, mineBlock } from "./mine-block.ts";
export { type MinePoolOptions, type MineReport, minePool } from "./mine-pool.ts";
export { mineNeighbours, type NeighbourOptions } from "./neighbours.ts";
export type { MinedColumns, Rank, ScoreBlock, Scorer, StepMiner } from "./scorer.ts";
export { Selection } from "./selection.ts";
export { expressionsByImage, mineTextScores, type TextScoreOptions } from "./t2t.ts";
export type { VectorFile } from "./vector-file.ts";
