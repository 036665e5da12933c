import { type Rle, rleArea, rleIntersectionArea } from "../kernels/index.ts";
import type { Preset } from "./presets.ts";

/** One scored sample: what enters the sums. Areas in pixels of the compared size. */
export interface Score {
  readonly iou: number;
  readonly intersection: number;
  readonly union: number;
  readonly predictedAreaPx: number;
  readonly truthAreaPx: number;
  /** The sample has no target (by the preset's rule). */
  readonly noTarget: boolean;
  /** The model says so: by its own decision, else by a mask of too few pixels. */
  readonly predictedNoTarget: boolean;
}

export interface ScoreInput {
  readonly truth: Rle;
  readonly truthAreaPx: number;
  readonly noTarget: boolean;
  /** Of the truth's size. */
  readonly predicted: Rle;
  /** The model's own decision; undefined where it has none. */
  readonly decision: boolean | undefined;
  /** Without a decision, a prediction of fewer pixels counts as "no target"; an empty one always does. */
  readonly emptyBelowPx: number;
}

/** What `score` needs of the two masks. */
export interface AreaInput extends Omit<ScoreInput, "truth" | "predicted"> {
  readonly predictedAreaPx: number;
  /** Pixels that both masks have. */
  readonly sharedAreaPx: number;
}

/** Scores one prediction by the conventions of `preset`. Throws a RangeError where the masks' sizes differ. */
export function score(input: ScoreInput, preset: Preset): Score {
  const predictedAreaPx = rleArea(input.predicted);
  const sharedAreaPx = rleIntersectionArea(input.predicted, input.truth);
  return scoreAreas({ ...input, predictedAreaPx, sharedAreaPx }, preset);
}

/** `score`, where the areas are known already. */
export function scoreAreas(input: AreaInput, preset: Preset): Score {
  const { truthAreaPx, predictedAreaPx, sharedAreaPx: shared, noTarget, decision } = input;
  const covered = predictedAreaPx + truthAreaPx - shared;
  const predictedNoTarget = decision ?? predictedAreaPx < Math.max(1, input.emptyBelowPx);
  const facts = { predictedAreaPx, truthAreaPx, noTarget, predictedNoTarget };
  if (preset.noTarget !== "ignored") {
    if (noTarget && predictedNoTarget) return { ...facts, iou: 1, intersection: 0, union: 0 };
    if (noTarget) return { ...facts, iou: 0, intersection: 0, union: covered };
    if (predictedNoTarget && preset.noTarget === "rela") return { ...facts, iou: 0, intersection: 0, union: covered };
  }
  return { ...facts, iou: intersectionOverUnion(shared, covered, preset), intersection: shared, union: covered };
}

function intersectionOverUnion(shared: number, covered: number, preset: Preset): number {
  return covered === 0 ? preset.iou.ofNothing : shared / (covered + preset.iou.epsilon);
}
