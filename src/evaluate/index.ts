/** The room `evaluate`: predictions against truth in every convention of the field, with intervals, comparisons and reports. */
export type { Interval } from "./bootstrap.ts";
export { type Breakdown, breakdowns } from "./breakdowns.ts";
export { type EvaluateChoices, evaluateOptions } from "./choices.ts";
export {
  type CommandResult,
  type EvaluateRequest,
  evaluateCommand,
  type SubsetRequest,
  subsetCommand,
} from "./commands.ts";
export { type BinGain, type Comparison, compare, type Gain, type Gains } from "./compare.ts";
export { type EvaluateOptions, type ExtraPolicy, evaluate, evaluateDefaults, extraPolicies } from "./evaluate.ts";
export type {
  BinResult,
  BreakdownResult,
  Counts,
  Estimate,
  Estimates,
  Evaluation,
  Robustness,
  Sample,
} from "./evaluation.ts";
export { ambiguityMargins, type MinedScores } from "./margins.ts";
export { type MetricName, type Metrics, metricNames } from "./metrics.ts";
export {
  type DuplicatePolicy,
  duplicatePolicies,
  type IdReading,
  idReadings,
  type LevelReading,
  levelReadings,
  openPredictions,
  type PredictionEntry,
  type PredictionSource,
  type RawMask,
  type RawPrediction,
} from "./predictions/index.ts";
export {
  evaluationPreset,
  evaluationPresetNames,
  evaluationPresets,
  type Preset,
  type PresetChanges,
  type PresetName,
  type SentenceRule,
  withChanges,
} from "./presets.ts";
export {
  comparisonJson,
  evaluationFormat,
  evaluationJson,
  evaluationVersion,
  sampleJson,
} from "./report/evaluation-json.ts";
export { evaluationHtml, type Report } from "./report/html.ts";
export type { ShownCase } from "./report/shown-case.ts";
export { comparisonText, evaluationText } from "./report/table.ts";
export { casesOf, type LoadImage, worstSamples } from "./report/worst-cases.ts";
export { robustnessNames, robustnessOf } from "./robustness.ts";
export { type AreaInput, type Score, type ScoreInput, score, scoreAreas } from "./score.ts";
export { type MissingPolicy, missingPolicies, type SizePolicy, sizePolicies } from "./score-predictions.ts";
export { pickSubset, readKeys, type Subset, type SubsetOptions, type SubsetRule } from "./subset.ts";
export { type Summary, summarise } from "./summarise.ts";
export type { Truth } from "./truth.ts";
export { type TruthMask, type TruthMasks, truthMasks } from "./truth-mask.ts";
export { type SizeOfImage, truthsOfPool, truthsOfRecords } from "./truths.ts";
