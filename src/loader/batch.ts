import { type Rle, toFloat32Chw } from "../kernels/index.ts";
import { type Plan, unknownName } from "../model/index.ts";

/** B samples, ready for a model. Typed arrays are the caller's to keep. */
export interface Batch {
  readonly epoch: number;
  /** The sample indices asked for, in order. */
  readonly indices: readonly number[];
  readonly size: number;
  /** uint8 [B, S, S, 3], RGB. */
  readonly image: Uint8Array;
  /** uint8 [B, S, S], 0 or 1. */
  readonly mask: Uint8Array;
  /** int32 [B, L]; L is 0 where settings.tokens.kind is "none". */
  readonly tokens: Int32Array;
  readonly tokenLength: number;
  readonly texts: readonly string[];
  readonly plans: readonly Plan[];
  /** Truth at original size, one a sample; only for splits without augmentation. */
  readonly truths?: readonly Rle[];
  /** Samples whose image could not be read, replaced by the plan of another index (settings.onBadImage "skip"). */
  readonly replaced: readonly Replacement[];
}

export interface Replacement {
  /** The index asked for, and the one that took its place. */
  readonly index: number;
  readonly by: number;
  readonly reason: string;
}

/** Per-channel means and deviations (R, G, B; for pixels in [0, 1]) that trained backbones expect. */
export const normalisations = {
  clip: { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] },
  imagenet: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
} as const satisfies Record<
  string,
  { mean: readonly [number, number, number]; std: readonly [number, number, number] }
>;

/** A batch's images as float32 [B, 3, S, S], (x/255 - mean) / std: what most PyTorch models take. */
export function normaliseBatch(
  batch: Pick<Batch, "image" | "size">,
  constants: keyof typeof normalisations,
): Float32Array {
  const { size, image } = batch;
  if (!Object.hasOwn(normalisations, constants))
    throw unknownName("normalisation", constants, Object.keys(normalisations));
  const { mean, std } = normalisations[constants];
  const length = 3 * size * size;
  const out = new Float32Array(image.length);
  for (let start = 0; start < image.length; start += length) {
    toFloat32Chw(image.subarray(start, start + length), size, size, mean, std, out.subarray(start, start + length));
  }
  return out;
}
