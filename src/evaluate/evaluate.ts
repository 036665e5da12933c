import { fail, someOf } from "../model/index.ts";
import { leastImages } from "./bootstrap.ts";
import { breakdowns as allBreakdowns, type Breakdown } from "./breakdowns.ts";
import type { Evaluation } from "./evaluation.ts";
import {
  type Assignment,
  type DuplicatePolicy,
  type IdReading,
  type PredictionSource,
  resolvePredictions,
} from "./predictions/index.ts";
import { robustnessOf } from "./robustness.ts";
import { type ScoreOptions, scorePredictions } from "./score-predictions.ts";
import { dropRepeats, selectTruths } from "./select-truths.ts";
import { summarise } from "./summarise.ts";
import type { Truth } from "./truth.ts";

/** What to do about a prediction without an expression. */
export type ExtraPolicy = "error" | "ignore";

export const extraPolicies: readonly ExtraPolicy[] = ["error", "ignore"];

export interface EvaluateOptions extends ScoreOptions {
  /** Undefined: the split in which all predictions lie. */
  readonly splits?: readonly string[] | undefined;
  /** Keys of the expressions to score, as `nemosaic subset` lists them. */
  readonly keys?: ReadonlySet<string> | undefined;
  readonly extra: ExtraPolicy;
  readonly duplicates: DuplicatePolicy;
  readonly ids: IdReading;
  readonly seed: number;
  readonly replicates: number;
  readonly leastImages?: number | undefined;
  readonly breakdowns?: readonly Breakdown[];
}

/** The defaults of every option but the preset. */
export const evaluateDefaults = {
  missing: "error",
  extra: "error",
  wrongSize: "error",
  duplicates: "error",
  ids: "auto",
  levels: "auto",
  emptyBelowPx: 50,
  seed: 0,
  replicates: 1000,
} as const satisfies Omit<EvaluateOptions, "preset">;

/**
 * Scores `predictions` (which stay open) against `truths` (all expressions of the dataset: those that are not scored still
 * tell a prediction of another split from one of nothing). Reads one mask at a time per unit of concurrency.
 * Errors name the ids: missing, extra, duplicate, wrongly sized, unreadable predictions.
 */
export async function evaluate(
  truths: readonly Truth[],
  predictions: PredictionSource,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { preset } = options;
  const known = dropRepeats(truths);
  const assigned = await resolvePredictions(predictions.entries, known.truths, options);
  if (assigned.extra.length > 0 && options.extra === "error") {
    fail(
      "bad-input",
      `${assigned.extra.length} predictions match no expression of the truth: ${someOf(assigned.extra)}; remove them, check --truth and the ids, or pass --extra ignore`,
    );
  }
  const selection = selectTruths(known.truths, new Set(assigned.byKey.keys()), preset, {
    splits: options.splits,
    keys: options.keys,
  });
  const lacking = selection.scored.filter((truth) => !assigned.byKey.has(truth.key)).map((truth) => truth.key);
  if (lacking.length > 0 && options.missing === "error") {
    fail(
      "bad-input",
      `${lacking.length} of ${selection.scored.length} expressions have no prediction: ${someOf(lacking)}; add them, or pass --missing empty or skip`,
    );
  }
  const scored = await scorePredictions(selection.scored, assigned.byKey, options);
  if (scored.samples.length === 0) fail("bad-input", "every expression was skipped: nothing is left to score");
  const summary = summarise(scored.samples, options.breakdowns ?? allBreakdowns, preset, options);
  const robustness = robustnessOf(scored.samples, options);
  return {
    preset,
    splits: selection.splits,
    counts: {
      expressions: selection.expressions,
      otherSentences: selection.otherSentences,
      repeatedTruths: known.repeated,
      predictions: predictions.entries.length,
      repeatedPredictions: assigned.repeated,
      replacedPredictions: assigned.replaced.length,
      missing: lacking.length,
      extra: assigned.extra.length,
      wrongSize: scored.wrongSize,
      unused: unusedOf(assigned, selection.scored, predictions.entries.length),
      ignoredFiles: predictions.ignored.length,
    },
    levelsRead: scored.levelsRead,
    idsRead: assigned.idsRead,
    emptyBelowPx: options.emptyBelowPx,
    bootstrap: {
      seed: options.seed,
      replicates: options.replicates,
      leastImages: options.leastImages ?? leastImages,
    },
    samples: scored.samples,
    noTargets: scored.samples.filter((sample) => sample.score.noTarget).length,
    ...summary,
    ...(robustness === undefined ? {} : { robustness }),
  };
}

/** Predictions that were neither scored nor are counted under another heading. */
function unusedOf(assigned: Assignment, scored: readonly Truth[], predictions: number): number {
  const used = new Set(scored.flatMap(({ key }) => assigned.byKey.get(key) ?? []));
  const dropped = assigned.extra.length + assigned.repeated + assigned.replaced.length;
  return predictions - dropped - used.size;
}
