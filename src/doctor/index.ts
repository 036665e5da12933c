/** The room `doctor`: what is wrong with a pool, how bad it is, and what to do. */
export type { PublishedTotals, SplitTotals } from "./check-counts.ts";
export { type Examination, type ExamineOptions, examinePool } from "./examine.ts";
export { type Finding, type Severity, severities } from "./finding.ts";
export { type AlikePair, defaultAlikeBits, findSimilarPairs } from "./near-duplicates.ts";
export { greyDifference, type ImageSketch, sketchBits, sketchImage } from "./perceptual-hash.ts";
