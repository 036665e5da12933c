export {
  type Band,
  type BandContext,
  bandOf,
  type CandidateRow,
  countDrops,
  type DropRule,
  dropRules,
  dropRuleTexts,
  ruleOf,
  survives,
} from "./band.ts";
