/**
 * R-RefCOCO's measures (robust referring segmentation, arXiv 2209.09554), as the authors' `utils/validation.py` counts them: each ref
 * has sentences that are true of its target and sentences that are true of nothing in its image.
 *
 *   r      of a ref's sentences about nothing, the share that is answered with an empty mask; mRR is its mean over refs
 *   rIoU   of a ref: ΣI / (ΣU + pixels answered to its sentences about nothing), sums over its true sentences; the mean over refs
 *   mIoU, oIoU   over true sentences alone: mean over refs of their mean IoU; ΣI / ΣU
 *
 * An answer that the model or its size calls empty has no pixels. Example: a target of 100 pixels, answered with 80 of them, and a
 * false sentence answered with 50 pixels: IoU 0.8, rIoU 80 / 150, r 0.
 */
import { type BootstrapOptions, drawImages, intervalOf } from "./bootstrap.ts";
import type { Estimate, Robustness, Sample } from "./evaluation.ts";

export const robustnessNames = ["mIoU", "oIoU", "mRR", "rIoU"] as const;
type Name = (typeof robustnessNames)[number];

/** What one image adds to the sums. */
interface Sums {
  refs: number;
  iou: number;
  intersection: number;
  union: number;
  r: number;
  robust: number;
}

/** Of the refs that have true and false sentences; undefined where none has, as in sets that are not made so. */
export function robustnessOf(samples: readonly Sample[], options: BootstrapOptions): Robustness | undefined {
  const refs = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = refKeyOf(sample);
    const members = refs.get(key);
    if (members === undefined) refs.set(key, [sample]);
    else members.push(sample);
  }
  const byImage = new Map<string, Sums>();
  let count = 0;
  for (const members of refs.values()) {
    const positives = members.filter(({ score }) => !score.noTarget);
    const negatives = members.filter(({ score }) => score.noTarget);
    const [first] = members;
    if (first === undefined || positives.length === 0 || negatives.length === 0) continue;
    count++;
    const sums = byImage.get(first.truth.imageKey) ?? { refs: 0, iou: 0, intersection: 0, union: 0, r: 0, robust: 0 };
    byImage.set(first.truth.imageKey, sums);
    addRef(sums, positives, negatives);
  }
  if (count === 0) return undefined;
  const images = [...byImage.values()];
  const values = valuesOf(images, () => 1);
  const replicates = replicatesOf(images, options);
  const estimate = (name: Name): Estimate => ({
    value: values[name],
    ...intervalOf(replicates[name], values[name], images.length, options),
  });
  return {
    refs: count,
    images: images.length,
    mIoU: estimate("mIoU"),
    oIoU: estimate("oIoU"),
    mRR: estimate("mRR"),
    rIoU: estimate("rIoU"),
  };
}

/** Importing keeps a ref's sentences about nothing as a ref of their own (importers/existence.ts). */
function refKeyOf({ truth }: Sample): string {
  return `${truth.source}\n${truth.refId.replace(/:no-target$/, "")}`;
}

function addRef(sums: Sums, positives: readonly Sample[], negatives: readonly Sample[]): void {
  let [iou, intersection, union] = [0, 0, 0];
  for (const { score } of positives) {
    const isEmpty = score.predictedNoTarget;
    const [shared, covered] = isEmpty ? [0, score.truthAreaPx] : [score.intersection, score.union];
    iou += covered === 0 ? 0 : shared / covered;
    intersection += shared;
    union += covered;
  }
  const answered = negatives.filter(({ score }) => !score.predictedNoTarget && score.predictedAreaPx > 0);
  const falsePixels = answered.reduce((sum, { score }) => sum + score.predictedAreaPx, 0);
  sums.refs++;
  sums.iou += iou / positives.length;
  sums.intersection += intersection;
  sums.union += union;
  sums.r += 1 - answered.length / negatives.length;
  sums.robust += union + falsePixels === 0 ? 0 : intersection / (union + falsePixels);
}

function valuesOf(images: readonly Sums[], weightOf: (image: number) => number): Record<Name, number> {
  const total: Sums = { refs: 0, iou: 0, intersection: 0, union: 0, r: 0, robust: 0 };
  images.forEach((sums, image) => {
    const weight = weightOf(image);
    for (const name of Object.keys(total) as (keyof Sums)[]) total[name] += weight * sums[name];
  });
  return {
    mIoU: total.iou / total.refs,
    oIoU: total.union === 0 ? 0 : total.intersection / total.union,
    mRR: total.r / total.refs,
    rIoU: total.robust / total.refs,
  };
}

function replicatesOf(images: readonly Sums[], { seed, replicates }: BootstrapOptions): Record<Name, Float64Array> {
  const made = Object.fromEntries(robustnessNames.map((name) => [name, new Float64Array(replicates)])) as Record<
    Name,
    Float64Array
  >;
  const times = new Uint32Array(images.length);
  for (let replicate = 0; replicate < replicates; replicate++) {
    drawImages(times, seed, replicate);
    const values = valuesOf(images, (image) => times[image] ?? 0);
    for (const name of robustnessNames) made[name][replicate] = values[name];
  }
  return made;
}
