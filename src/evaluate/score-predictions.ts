import { pMapIterable } from "p-map";
import { type Progress, silentProgress } from "../io/index.ts";
import { type Rle, rleFromCounts } from "../kernels/index.ts";
import { fail, someOf } from "../model/index.ts";
import type { Sample } from "./evaluation.ts";
import {
  type Binarised,
  binarise,
  type LevelEvidence,
  type LevelReading,
  onesAreMasks,
  type PredictionEntry,
} from "./predictions/index.ts";
import type { Preset } from "./presets.ts";
import { resizeMask } from "./resize-mask.ts";
import { type Score, score } from "./score.ts";
import type { Truth } from "./truth.ts";
import { comparedSize, type TruthMask, truthMasks } from "./truth-mask.ts";

/** What to do about an expression without a prediction. */
export type MissingPolicy = "error" | "empty" | "skip";
/** What to do about a prediction of another size than the one compared at. */
export type SizePolicy = "error" | "resize" | "empty" | "skip";

export const missingPolicies: readonly MissingPolicy[] = ["error", "empty", "skip"];
export const sizePolicies: readonly SizePolicy[] = ["error", "resize", "empty", "skip"];

export interface ScoreOptions {
  readonly preset: Preset;
  readonly missing: MissingPolicy;
  readonly wrongSize: SizePolicy;
  readonly levels: LevelReading;
  /** Without a decision of the model, a prediction of fewer pixels counts as "no target"; 0 or 1: only an empty one. */
  readonly emptyBelowPx: number;
  readonly progress?: Progress;
  /** Predictions read at once. */
  readonly concurrency?: number;
}

export interface ScoredPredictions {
  /** In the order of the truths. */
  readonly samples: readonly Sample[];
  /** Predictions of another size, whatever the policy did about them. */
  readonly wrongSize: number;
  /** How rasters of whole numbers were read in the end. */
  readonly levelsRead: "masks" | "probabilities";
}

/** Reads and scores the prediction of each expression. Errors as `evaluate`. */
export async function scorePredictions(
  truths: readonly Truth[],
  entries: ReadonlyMap<string, PredictionEntry>,
  options: ScoreOptions,
): Promise<ScoredPredictions> {
  const masks = truthMasks(options.preset);
  const task = (options.progress ?? silentProgress).begin("score", truths.length, "expressions");
  const concurrency = options.concurrency ?? 4;
  const work = pMapIterable(
    truths,
    async (truth) => outcomeOf(truth, entries.get(truth.key), masks.of(truth), options),
    {
      concurrency,
      backpressure: concurrency * 2,
    },
  );
  const found: Outcome[] = [];
  try {
    for await (const outcome of work) {
      found.push(outcome);
      task.advance();
    }
  } finally {
    task.end();
  }
  return applyPolicies(found, options);
}

/** What became of one expression. A reading as 0/1 mask stays open until all predictions have been seen. */
type Outcome =
  | { readonly kind: "skipped" }
  | { readonly kind: "wrong-size"; readonly name: string }
  | {
      readonly kind: "scored";
      readonly truth: Truth;
      readonly areaShare: number;
      readonly entry: PredictionEntry | undefined;
      readonly score: Score;
      readonly asOnes: Score | undefined;
      readonly evidence: LevelEvidence;
      /** The size policy resized or emptied it. */
      readonly otherSize: boolean;
    };

async function outcomeOf(
  truth: Truth,
  entry: PredictionEntry | undefined,
  target: TruthMask,
  options: ScoreOptions,
): Promise<Outcome> {
  const [height, width] = comparedSize(truth, options.preset.size);
  const facts = { kind: "scored", truth, areaShare: target.areaShare, entry } as const;
  if (entry === undefined) {
    if (options.missing === "skip") return { kind: "skipped" };
    const empty = scoreOf(target, emptyMask(height, width), undefined, options);
    return { ...facts, score: empty, asOnes: undefined, evidence: "nothing", otherSize: false };
  }
  const { mask, noTarget } = await entry.read();
  const cut = binarise(mask, options.preset.threshold, options.levels, entry.name);
  const predicted = cut?.mask ?? emptyMask(height, width);
  const otherSize = predicted.height !== height || predicted.width !== width;
  if (otherSize && (options.wrongSize === "error" || options.wrongSize === "skip")) {
    const size = `${predicted.width} × ${predicted.height}, expected ${width} × ${height}`;
    return { kind: "wrong-size", name: `${entry.name} (${size})` };
  }
  const scored = (rle: Rle): Score => scoreOf(target, fitSize(rle, height, width, options), noTarget, options);
  return {
    ...facts,
    score: scored(predicted),
    asOnes: cut?.asOnes === undefined ? undefined : scored(cut.asOnes),
    evidence: cut?.evidence ?? "nothing",
    otherSize,
  };
}

function applyPolicies(found: readonly Outcome[], options: ScoreOptions): ScoredPredictions {
  const scored = found.filter((outcome) => outcome.kind === "scored");
  const wrong = found.filter((outcome) => outcome.kind === "wrong-size");
  if (wrong.length > 0 && options.wrongSize === "error") {
    fail(
      "bad-input",
      `${wrong.length} predictions are of another size than preset "${options.preset.name}" compares at: ${someOf(
        wrong.map(({ name }) => name),
        2,
      )}; ${sizeAdvice(options.preset)}`,
    );
  }
  const ones = readOnesAsMasks(scored, options);
  const samples = scored.map(
    (outcome): Sample => ({
      truth: outcome.truth,
      score: ones ? (outcome.asOnes ?? outcome.score) : outcome.score,
      areaShare: outcome.areaShare,
      missing: outcome.entry === undefined,
      predicted: () => readAgain(outcome.truth, outcome.entry, ones, options),
    }),
  );
  return {
    samples,
    wrongSize: wrong.length + scored.filter((outcome) => outcome.otherSize).length,
    levelsRead: ones ? "masks" : "probabilities",
  };
}

async function readAgain(
  truth: Truth,
  entry: PredictionEntry | undefined,
  ones: boolean,
  options: ScoreOptions,
): Promise<Rle> {
  const [height, width] = comparedSize(truth, options.preset.size);
  if (entry === undefined) return emptyMask(height, width);
  const cut: Binarised | undefined = binarise(
    (await entry.read()).mask,
    options.preset.threshold,
    options.levels,
    entry.name,
  );
  const mask = ones ? (cut?.asOnes ?? cut?.mask) : cut?.mask;
  return mask === undefined ? emptyMask(height, width) : fitSize(mask, height, width, options);
}

function scoreOf(target: TruthMask, predicted: Rle, decision: boolean | undefined, options: ScoreOptions): Score {
  const { mask: truth, areaPx: truthAreaPx, noTarget } = target;
  const { emptyBelowPx, preset } = options;
  return score({ truth, truthAreaPx, noTarget, predicted, decision, emptyBelowPx }, preset);
}

function fitSize(rle: Rle, height: number, width: number, options: ScoreOptions): Rle {
  if (rle.height === height && rle.width === width) return rle;
  return options.wrongSize === "empty" ? emptyMask(height, width) : resizeMask(rle, height, width);
}

function readOnesAsMasks(
  scored: readonly { readonly evidence: LevelEvidence; readonly truth: Truth }[],
  options: ScoreOptions,
): boolean {
  if (options.levels !== "auto") return options.levels === "masks";
  const ones = onesAreMasks(new Set(scored.map(({ evidence }) => evidence)));
  if (ones !== undefined) return ones;
  const examples = scored.filter(({ evidence }) => evidence === "ones").map(({ truth }) => truth.key);
  return fail(
    "bad-input",
    `${examples.length} predictions hold 0 and 1 only, others 0 and their largest value: ${someOf(examples)}; say what they are with --values masks or probabilities`,
  );
}

function sizeAdvice(preset: Preset): string {
  const remedy = "or pass --wrong-size resize, empty or skip";
  if (preset.size.at === "original") {
    return `save them at the image's original size, name the model's with --size, ${remedy}`;
  }
  const { sizePx } = preset.size;
  return `save them at ${sizePx} × ${sizePx} as its evaluator does, name another side with --size (--size original for masks of the image's size), ${remedy}`;
}

function emptyMask(height: number, width: number): Rle {
  return rleFromCounts([height * width], height, width);
}
