import { producer } from "../../io/index.ts";
import type { Comparison } from "../compare.ts";
import type { Evaluation, Sample } from "../evaluation.ts";

export const evaluationFormat = "nemosaic-evaluation";
export const evaluationVersion = 1;

/** The value that `--json` prints; docs/formats/evaluation.md describes each member. Shares are 0 … 1. */
export function evaluationJson(evaluation: Evaluation): Readonly<Record<string, unknown>> {
  const { preset, counts, bootstrap, metrics, breakdowns } = evaluation;
  return {
    format: evaluationFormat,
    version: evaluationVersion,
    producer,
    preset,
    splits: evaluation.splits,
    levelsRead: evaluation.levelsRead,
    idsRead: evaluation.idsRead ?? null,
    emptyBelowPx: evaluation.emptyBelowPx,
    bootstrap: { ...bootstrap, unit: "image", confidence: 0.95 },
    counts,
    samples: evaluation.samples.length,
    images: evaluation.images,
    noTargets: evaluation.noTargets,
    metrics,
    breakdowns,
  };
}

/** The value that `--json` prints for two models. */
export function comparisonJson(
  a: Evaluation,
  b: Evaluation,
  comparison: Comparison,
): Readonly<Record<string, unknown>> {
  return {
    format: "nemosaic-comparison",
    version: evaluationVersion,
    producer,
    a: evaluationJson(a),
    b: evaluationJson(b),
    comparison,
  };
}

/** One line of the per-sample file (`--samples`), without the line's end. */
export function sampleJson(sample: Sample): string {
  const { truth, score } = sample;
  return JSON.stringify({
    key: truth.key,
    split: truth.split,
    text: truth.text,
    category: truth.category ?? null,
    similar_objects: truth.similarObjects ?? null,
    area_share: sample.areaShare,
    iou: score.iou,
    intersection: score.intersection,
    union: score.union,
    predicted_area: score.predictedAreaPx,
    truth_area: score.truthAreaPx,
    no_target: score.noTarget,
    predicted_no_target: score.predictedNoTarget,
    missing: sample.missing,
  });
}
