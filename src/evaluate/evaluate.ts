import { pMapIterable } from "p-map";
import { type Progress, silentProgress } from "../io/index.ts";
import { type Rle, rleFromCounts } from "../kernels/index.ts";
import { fail } from "../model/index.ts";
import { breakdowns as allBreakdowns, type Breakdown } from "./breakdowns.ts";
import type { Evaluation, Sample } from "./evaluation.ts";
import {
  binarise,
  type DuplicatePolicy,
  type IdReading,
  type LevelEvidence,
  type LevelReading,
  onesAreMasks,
  type PredictionEntry,
  type PredictionSource,
  resolvePredictions,
  someOf,
} from "./predictions/index.ts";
import type { Preset } from "./presets.ts";
import { resizeMask } from "./resize-mask.ts";
import { type Score, score } from "./score.ts";
import { selectTruths, withoutRepeats } from "./select-truths.ts";
import { summarise } from "./summarise.ts";
import type { Truth } from "./truth.ts";
import { comparedSize, type TruthMask, truthMasks } from "./truth-mask.ts";

/** What to do about an expression without a prediction. */
export type MissingPolicy = "error" | "empty" | "skip";
/** What to do about a prediction without an expression. */
export type ExtraPolicy = "error" | "ignore";
/** What to do about a prediction of another size than the one compared at. */
export type SizePolicy = "error" | "resize" | "empty" | "skip";

export const missingPolicies: readonly MissingPolicy[] = ["error", "empty", "skip"];
export const extraPolicies: readonly ExtraPolicy[] = ["error", "ignore"];
export const sizePolicies: readonly SizePolicy[] = ["error", "resize", "empty", "skip"];

export interface EvaluateOptions {
  readonly preset: Preset;
  /** Undefined: the split in which all predictions lie. */
  readonly splits?: readonly string[] | undefined;
  /** Keys of the expressions to score, as `nemosaic subset` lists them. */
  readonly keys?: ReadonlySet<string> | undefined;
  readonly missing: MissingPolicy;
  readonly extra: ExtraPolicy;
  readonly wrongSize: SizePolicy;
  readonly duplicates: DuplicatePolicy;
  readonly ids: IdReading;
  readonly levels: LevelReading;
  /** Without a decision of the model, a prediction of fewer pixels counts as "no target"; 0 or 1: only an empty one. */
  readonly emptyBelowPx: number;
  readonly seed: number;
  readonly replicates: number;
  readonly breakdowns?: readonly Breakdown[];
  readonly progress?: Progress;
  /** Predictions read at once. */
  readonly concurrency?: number;
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
  const known = withoutRepeats(truths);
  const assigned = await resolvePredictions(predictions.entries, known.truths, options);
  if (assigned.extra.length > 0 && options.extra === "error") {
    fail(
      "bad-input",
      `${assigned.extra.length} predictions are of no expression of the truth: ${someOf(assigned.extra)}; remove them, check --truth and the ids, or pass --extra ignore`,
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
  const scored = await scoreAll(selection.scored, assigned.byKey, options);
  const summary = summarise(scored.samples, options.breakdowns ?? allBreakdowns, preset, options);
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
      ignoredFiles: predictions.ignored.length,
    },
    levelsRead: scored.levelsRead,
    idsRead: assigned.idsRead,
    emptyBelowPx: options.emptyBelowPx,
    bootstrap: { seed: options.seed, replicates: options.replicates },
    samples: scored.samples,
    noTargets: scored.samples.filter((sample) => sample.score.noTarget).length,
    ...summary,
  };
}

/** A sample whose reading as probability map or 0/1 mask is open until all have been seen. */
interface OpenSample {
  readonly sample: Sample;
  readonly asOnes: Score | undefined;
  readonly evidence: LevelEvidence;
  /** The size policy resized or emptied it. */
  readonly otherSize: boolean;
}

type Outcome = OpenSample | { readonly wrongSize: string } | { readonly skipped: true };

async function scoreAll(
  truths: readonly Truth[],
  entries: ReadonlyMap<string, PredictionEntry>,
  options: EvaluateOptions,
): Promise<{ samples: Sample[]; wrongSize: number; levelsRead: "masks" | "probabilities" }> {
  const masks = truthMasks(options.preset);
  const task = (options.progress ?? silentProgress).begin("score", truths.length, "expressions");
  const open: OpenSample[] = [];
  const wrongSizes: string[] = [];
  const work = pMapIterable(
    truths,
    async (truth) => scoreOne(truth, entries.get(truth.key), masks.of(truth), options),
    {
      concurrency: options.concurrency ?? 4,
      backpressure: (options.concurrency ?? 4) * 2,
    },
  );
  for await (const outcome of work) {
    task.advance();
    if ("wrongSize" in outcome) wrongSizes.push(outcome.wrongSize);
    else if ("sample" in outcome) open.push(outcome);
  }
  task.end();
  if (wrongSizes.length > 0 && options.wrongSize === "error") {
    fail(
      "bad-input",
      `${wrongSizes.length} predictions are of another size than preset "${options.preset.name}" compares at: ${someOf(wrongSizes)}; ${sizeAdvice(options.preset)}`,
    );
  }
  const ones = readingOfOnes(open, options);
  return {
    samples: open.map(({ sample, asOnes }) => (ones && asOnes !== undefined ? { ...sample, score: asOnes } : sample)),
    wrongSize: wrongSizes.length + open.filter((item) => item.otherSize).length,
    levelsRead: ones ? "masks" : "probabilities",
  };
}

async function scoreOne(
  truth: Truth,
  entry: PredictionEntry | undefined,
  target: TruthMask,
  options: EvaluateOptions,
): Promise<Outcome> {
  const { preset } = options;
  const [height, width] = comparedSize(truth, preset.size);
  if (entry === undefined) {
    if (options.missing === "skip") return { skipped: true };
    const sample = sampleOf(truth, target, emptyMask(height, width), undefined, true, options);
    return { sample, asOnes: undefined, evidence: "nothing", otherSize: false };
  }
  const { mask, noTarget } = await entry.read();
  const cut = binarise(mask, preset.threshold, options.levels, entry.name);
  const predicted = cut?.mask ?? emptyMask(height, width);
  const fits = predicted.height === height && predicted.width === width;
  if (!fits && (options.wrongSize === "error" || options.wrongSize === "skip")) {
    return { wrongSize: `${entry.name} (${predicted.width} × ${predicted.height}, expected ${width} × ${height})` };
  }
  const fitted = (rle: Rle): Rle => {
    if (fits) return rle;
    return options.wrongSize === "empty" ? emptyMask(height, width) : resizeMask(rle, height, width);
  };
  return {
    sample: sampleOf(truth, target, fitted(predicted), noTarget, false, options),
    asOnes: cut?.asOnes === undefined ? undefined : scoreOf(target, fitted(cut.asOnes), noTarget, options),
    evidence: cut?.evidence ?? "nothing",
    otherSize: !fits,
  };
}

function sampleOf(
  truth: Truth,
  target: TruthMask,
  predicted: Rle,
  decision: boolean | undefined,
  missing: boolean,
  options: EvaluateOptions,
): Sample {
  return { truth, score: scoreOf(target, predicted, decision, options), areaShare: target.areaShare, missing };
}

function scoreOf(target: TruthMask, predicted: Rle, decision: boolean | undefined, options: EvaluateOptions): Score {
  return score(
    {
      truth: target.mask,
      truthAreaPx: target.areaPx,
      noTarget: target.noTarget,
      predicted,
      decision,
      emptyBelowPx: options.emptyBelowPx,
    },
    options.preset,
  );
}

function readingOfOnes(open: readonly OpenSample[], options: EvaluateOptions): boolean {
  if (options.levels !== "auto") return options.levels === "masks";
  const ones = onesAreMasks(new Set(open.map((item) => item.evidence)));
  if (ones !== undefined) return ones;
  const examples = open.filter((item) => item.evidence === "ones").map((item) => item.sample.truth.key);
  return fail(
    "bad-input",
    `${examples.length} predictions hold 0 and 1 only, others 0 and their largest value: ${someOf(examples)}; say what they are with --values masks or probabilities`,
  );
}

function sizeAdvice(preset: Preset): string {
  const remedy = "or pass --wrong-size resize, empty or skip";
  if (preset.size.at === "original")
    return `save them at the image's original size, name the model's with --size, ${remedy}`;
  return `save them at ${preset.size.sizePx} × ${preset.size.sizePx} as its evaluator does, name another side with --size (--size original for masks of the image's size), ${remedy}`;
}

function emptyMask(height: number, width: number): Rle {
  return rleFromCounts([height * width], height, width);
}
