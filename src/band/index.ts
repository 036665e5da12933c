/** The room `band`: an expression's candidates, settings and judgements to its band, each drop with its rule; pure. */
export { type Band, bandOf, type CandidateRow } from "./band.ts";
export type { BandContext } from "./context.ts";
export { HubCounter, type HubCuts, isWithinCap } from "./hub-cuts.ts";
export { type NegativeMeans, NegativeTally } from "./negative-means.ts";
export { type CoverageFact, limitsText, ruleInForce } from "./rule-in-force.ts";
export { countDrops, type DropRule, dropRules, dropRuleTexts, isBarred, ruleOf, verdictOf } from "./rules.ts";
export { type Thresholds, thresholdsOf } from "./thresholds.ts";
