export { fitted } from "./fit.ts";
export { gridCells, movedCells } from "./grid.ts";
export type { Neighbours, PlanFacts } from "./plan-facts.ts";
export { planSample, planSingle } from "./plan-sample.ts";
