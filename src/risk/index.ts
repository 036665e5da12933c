/** The room `risk`: from annotations and sentences, the chance that an expression is true of an image that it was not said of. */
export { measureCoverage } from "./coverage.ts";
export { estimateRisk, openRiskEstimate, type RiskEstimate } from "./estimate.ts";
export { contentWords } from "./sentences.ts";
