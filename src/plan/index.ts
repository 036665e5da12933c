/** The room `plan`: facts, band, settings, seed, epoch and index to a plan; the only place where chance decides. */
export { letterLikeness } from "./false-sentence.ts";
export type { EditedSentence, Neighbours, PlanFacts, SentenceFacts } from "./plan-facts.ts";
export { planSample, planSingle } from "./plan-sample.ts";
