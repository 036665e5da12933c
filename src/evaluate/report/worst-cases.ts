import { decodeImage } from "../../codecs/index.ts";
import type { Rle } from "../../kernels/index.ts";
import { NemosaicError } from "../../model/index.ts";
import type { Evaluation, Sample } from "../evaluation.ts";
import type { Truth } from "../truth.ts";
import { truthMasks } from "../truth-mask.ts";
import { casePicture } from "./case-picture.ts";
import type { ShownCase } from "./html.ts";

/** Gives the encoded bytes of a truth's image. */
export type LoadImage = (truth: Truth) => Promise<Uint8Array>;

/**
 * The samples of lowest IoU, at most one of a ref; among equals the one with the largest union (a whole wrong object before
 * a missed speck), then by key.
 */
export function worstSamples(samples: readonly Sample[], count: number): Sample[] {
  const order = [...samples].sort(
    (a, b) => a.score.iou - b.score.iou || b.score.union - a.score.union || (a.truth.key < b.truth.key ? -1 : 1),
  );
  const refs = new Set<string>();
  const chosen: Sample[] = [];
  for (const sample of order) {
    if (chosen.length >= count) break;
    const ref = `${sample.truth.source}/${sample.truth.refId}`;
    if (refs.has(ref)) continue;
    refs.add(ref);
    chosen.push(sample);
  }
  return chosen;
}

/** Pictures of samples, while the predictions are open. An image that cannot be had is told of in its place. */
export async function casesOf(
  samples: readonly Sample[],
  evaluation: Evaluation,
  loadImage: LoadImage,
): Promise<ShownCase[]> {
  const masks = truthMasks(evaluation.preset);
  const cases: ShownCase[] = [];
  for (const sample of samples) {
    cases.push(await caseOf(sample, masks.union(sample.truth), loadImage));
  }
  return cases;
}

async function caseOf(sample: Sample, truth: Rle, loadImage: LoadImage): Promise<ShownCase> {
  try {
    const image = await decodeImage(await loadImage(sample.truth), { where: `the image of ${sample.truth.key}` });
    return { sample, jpeg: await casePicture(image, truth, await sample.predicted()), problem: undefined };
  } catch (error) {
    if (!(error instanceof NemosaicError)) throw error;
    return { sample, jpeg: undefined, problem: error.message };
  }
}
