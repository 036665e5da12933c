import { producer } from "../../io/index.ts";
import { type Rle, rleToString } from "../../kernels/index.ts";
import type { Comparison } from "../compare.ts";
import type { Evaluation, Sample } from "../evaluation.ts";
import { isGeneralised, shownMetrics } from "./table.ts";

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
    metricsShown: shownMetrics(isGeneralised(evaluation), evaluation.noTargets),
    metrics,
    ...(evaluation.robustness === undefined ? {} : { robustness: evaluation.robustness }),
    breakdowns,
  };
}

/** The value that `--json` prints for two models. */
export function comparisonJson(
  a: readonly Evaluation[],
  b: readonly Evaluation[],
  comparison: Comparison,
): Readonly<Record<string, unknown>> {
  const [[firstA, ...othersA], [firstB, ...othersB]] = [a.map(evaluationJson), b.map(evaluationJson)];
  return {
    format: "nemosaic-comparison",
    version: evaluationVersion,
    producer,
    a: firstA,
    b: firstB,
    ...(othersA.length + othersB.length === 0 ? {} : { otherSeeds: { a: othersA, b: othersB } }),
    comparison,
  };
}

/** The masks of a sample, at the size compared at. */
export interface SampleMasks {
  readonly truth: Rle;
  readonly predicted: Rle;
}

/** The other model's IoU and mask of a sample, and the gain over it. */
export interface SampleAgainst {
  readonly iou: number;
  readonly gain: number;
  readonly mask: Rle;
}

/** One line of the per-sample file (`--samples`), without the line's end. */
export function sampleJson(sample: Sample, masks?: SampleMasks, against?: SampleAgainst): string {
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
    ...(against === undefined ? {} : { first_iou: against.iou, gain: against.gain }),
    ...(masks === undefined
      ? {}
      : {
          mask_size: [masks.truth.height, masks.truth.width],
          truth: rleToString(masks.truth),
          prediction: rleToString(masks.predicted),
        }),
    ...(against === undefined ? {} : { first_prediction: rleToString(against.mask) }),
  });
}
