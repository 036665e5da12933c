/** The room `analysis`: statistics of pools, bands and settings, and the advice that follows from them. */
export type { BandSelection } from "./band-selection.ts";
export { type BandSummary, summariseBands } from "./band-summary.ts";
export { type WorthJudging, type WorthJudgingOptions, worthJudging } from "./pairs.ts";
export { type PoolSummary, type SplitSummary, summarisePool } from "./pool-summary.ts";
export { type Recommendation, recommend } from "./recommend.ts";
export { type TunedRule, type TunePoint, type TuneReport, tune, tunedRules } from "./tune.ts";
