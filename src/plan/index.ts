export { gridCells } from "./grid.ts";
export { type PlanFacts, planSample, planSingle } from "./plan-sample.ts";
