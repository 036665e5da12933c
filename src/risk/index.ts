/** The room `risk`: from annotations and sentences, the chance that an expression is true of an image that it was not said of. */
export { closeColours } from "./colours.ts";
export { measureCoverage } from "./coverage.ts";
export {
  estimateFrom,
  estimateRisk,
  openRiskEstimate,
  type PairEstimate,
  type RiskColumns,
  type RiskEstimate,
} from "./estimate.ts";
export { measureBox, type RiskFacts, unmeasuredObjects } from "./facts.ts";
export { contentWords } from "./sentences.ts";
