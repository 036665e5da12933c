/** The room `loader`: joins pool, settings and split to plans and batches, by random access. */
export type { NegativeMeans } from "../band/index.ts";
export type { Canvas } from "../mosaic/index.ts";
export { type Batch, normalisations, normaliseBatch, type Replacement } from "./batch.ts";
export { countPlans, type PlanCounts } from "./count-plans.ts";
export {
  type Difficulty,
  difficultyWarnings,
  measureDifficulty,
  warningsOf,
} from "./difficulty.ts";
export { imagesOfSplits, planFacts, scoreSummary, settingsHash, splitsOf } from "./facts.ts";
export { type FalseSentenceSummary, summariseFalseSentences } from "./false-sentences.ts";
export {
  type BatchFacts,
  type BatchMemory,
  type EpochOptions,
  Loader,
  loadMosaics,
  type SampleSink,
} from "./loader.ts";
export type { LoaderOptions } from "./open-parts.ts";
export { parsePlan } from "./parse-plan.ts";
export { rankIndices, type SamplerOptions } from "./sampler.ts";
export { countDemand, type LoaderDemand, tileDemand } from "./tile-demand.ts";
