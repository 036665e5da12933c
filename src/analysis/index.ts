export { type BandSummary, summariseBands } from "./band-summary.ts";
export { type PoolSummary, type SplitSummary, summarisePool } from "./pool-summary.ts";
export { type Recommendation, recommend, type TuneOptions, type TunePoint, type TuneReport, tune } from "./tune.ts";
