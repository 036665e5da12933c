import type { Segmentation } from "../model/index.ts";

/** One expression and what it refers to: the unit that is scored. Nothing here is modified by the evaluator. */
export interface Truth {
  /** `source/ref/sentence`, the expression's stable name. */
  readonly key: string;
  readonly source: string;
  readonly refId: string;
  readonly sentenceId: string;
  /** The image's stable name: equal for all expressions of one image, whichever the source. The bootstrap's unit. */
  readonly imageKey: string;
  readonly split: string;
  /** Pixels of the original image. */
  readonly height: number;
  readonly width: number;
  /**
   * One per annotation that the ref names, as its dataset gave it (polygons in parts, never united): some evaluators
   * lose the pixels where parts overlap. Sentences of one ref should share the array: masks are kept by it.
   */
  readonly segmentations: readonly Segmentation[];
  /** The dataset declares that nothing in the image is meant. */
  readonly noTarget: boolean;
  /** The category's name; undefined where there is no target, or where targets are of several categories. */
  readonly category: string | undefined;
  /** Other annotated objects of the targets' categories in the image; undefined where there is no target. */
  readonly similarObjects: number | undefined;
  readonly text: string;
  /** The sentence's place among the sentences of its ref, from 0, and their number. */
  readonly sentenceIndex: number;
  readonly sentenceCount: number;
}
