export { createDenseScorer, type DenseScorerOptions } from "./dense-scorer.ts";
export { BlockMiner, type MinedColumns, mineBlock, type Rank } from "./mine-block.ts";
export { type MinePoolOptions, type MineReport, minePool } from "./mine-pool.ts";
export type { ScoreBlock, Scorer } from "./scorer.ts";
export { Selection } from "./selection.ts";
export type { VectorFile } from "./vector-file.ts";
