export { type BandSummary, summariseBands } from "./band-summary.ts";
export { type PoolSummary, type SplitSummary, summarisePool } from "./pool-summary.ts";
