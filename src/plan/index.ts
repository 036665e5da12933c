export { letterLikeness } from "./false-sentence.ts";
export type { EditedSentence, Neighbours, PlanFacts, SentenceFacts } from "./plan-facts.ts";
export { planSample, planSingle } from "./plan-sample.ts";
