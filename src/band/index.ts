export { type Band, type BandContext, bandOf, type CandidateRow } from "./band.ts";
export { HubCounter, type HubCuts, isWithinCap } from "./hub-cuts.ts";
export { countDrops, type DropRule, dropRules, dropRuleTexts, isBarred, ruleOf, survives, verdictOf } from "./rules.ts";
export { type Thresholds, thresholdsOf } from "./thresholds.ts";
