export type { Neighbours, PlanFacts } from "./plan-facts.ts";
export { planSample, planSingle } from "./plan-sample.ts";
