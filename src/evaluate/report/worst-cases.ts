import { decodeImage } from "../../codecs/index.ts";
import type { Rle } from "../../kernels/index.ts";
import { isInputError } from "../../model/index.ts";
import type { Evaluation, Sample } from "../evaluation.ts";
import type { Truth } from "../truth.ts";
import { truthMasks } from "../truth-mask.ts";
import { casePicture } from "./case-picture.ts";
import type { SamplePair, ShownCase } from "./shown-case.ts";

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

/** Pairs the samples of two models' evaluations, those of several seeds by their means; in the order of a's first. */
export function pairSamples(a: readonly Evaluation[], b: readonly Evaluation[]): SamplePair[] {
  const byKey = (side: readonly Evaluation[]) =>
    side.map(({ samples }) => new Map(samples.map((sample) => [sample.truth.key, sample])));
  const [ofA, ofB] = [byKey(a), byKey(b)];
  const meanIou = (side: typeof ofA, key: string): number =>
    side.reduce((sum, samples) => sum + (samples.get(key)?.score.iou ?? Number.NaN), 0) / side.length;
  return (a[0]?.samples ?? []).flatMap((first) => {
    const { key } = first.truth;
    const second = ofB[0]?.get(key);
    const gain = meanIou(ofB, key) - meanIou(ofA, key);
    return second === undefined || Number.isNaN(gain) ? [] : [{ a: first, b: second, gain }];
  });
}

/** The pairs of largest gain (`sign` 1) or loss (-1), at most one of a ref; among equals by key. */
export function furthestPairs(pairs: readonly SamplePair[], count: number, sign: 1 | -1): SamplePair[] {
  const order = pairs
    .filter(({ gain }) => sign * gain > 0)
    .sort((x, y) => sign * (y.gain - x.gain) || (x.a.truth.key < y.a.truth.key ? -1 : 1));
  const refs = new Set<string>();
  return order
    .filter(({ a: { truth } }) => {
      const ref = `${truth.source}/${truth.refId}`;
      return refs.size < count && !refs.has(ref) && refs.add(ref);
    })
    .slice(0, count);
}

/** Pictures of samples, while the predictions are open. An image that cannot be had is told of in its place. */
export async function casesOf(
  samples: readonly (Sample | SamplePair)[],
  evaluation: Evaluation,
  loadImage: LoadImage,
): Promise<ShownCase[]> {
  const masks = truthMasks(evaluation.preset);
  const cases: ShownCase[] = [];
  for (const one of samples) {
    const pair = "gain" in one ? one : undefined;
    const sample = "gain" in one ? one.b : one;
    cases.push(await caseOf(sample, pair, masks.union(sample.truth), loadImage));
  }
  return cases;
}

async function caseOf(
  sample: Sample,
  pair: SamplePair | undefined,
  truth: Rle,
  loadImage: LoadImage,
): Promise<ShownCase> {
  const facts = { sample, ...(pair === undefined ? {} : { pair }) };
  try {
    const image = await decodeImage(await loadImage(sample.truth), { where: `the image of ${sample.truth.key}` });
    const jpeg = await casePicture(image, truth, await sample.predicted(), await pair?.a.predicted());
    return { ...facts, jpeg, problem: undefined };
  } catch (error) {
    if (!isInputError(error)) throw error;
    return { ...facts, jpeg: undefined, problem: error.message };
  }
}
