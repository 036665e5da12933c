/** [left, top, width, height] in whole pixels. */
export type PixelRect = readonly [x: number, y: number, width: number, height: number];

/** How pixels are resampled, with the version of the kernel: tiles and drawings agree only where both are equal. */
export interface Resample {
  readonly name: "opencv" | "fast";
  readonly version: number;
}

/** The kernels' versions: raise one when its pixels change. */
export const resampleVersions: Readonly<Record<Resample["name"], number>> = { opencv: 1, fast: 1 };

/** One image's part in a sample; layers are painted in order. */
export interface Layer {
  readonly role: "target" | "negative";
  /** The image's content hash (SHA-256 of its file, hex). */
  readonly image: string;
  /** The part of the image used, in its own pixels. */
  readonly source: PixelRect;
  /** Where it lands in the sample, inside S×S. */
  readonly destination: PixelRect;
  /** stretch = the source fills the destination, whatever its aspect. */
  readonly fit: "stretch";
  /** Opacity, 0 to 1. */
  readonly alpha: number;
  /** Radius of a Gaussian blur in the sample's pixels; 0 = none. */
  readonly blur: number;
  /** Keys of this image's annotations whose union counts as truth; empty for negatives and no-target expressions. */
  readonly masks: readonly string[];
}

/** What a sample is made of. */
export type PlanKind = "single" | "random" | "mined";

/** Why a plan looks as it does: for people and for checks, never needed to draw it. */
export interface PlanReasons {
  /** Set where the kind drawn could not be had: what was wanted, and the policy that decided. */
  readonly wanted?: PlanKind;
  readonly policy?: "widen" | "single" | "random";
  /** Candidates that survived every rule, before K; -1 where no band was looked at. */
  readonly survivors: number;
  /** Size of the band (survivors up to K); -1 where no band was looked at. */
  readonly band: number;
  /** The negatives in layer order: rank among the mined candidates (0 = best; -1 = not among them) and scores. */
  readonly negatives: readonly { readonly rank: number; readonly t2i: number | null; readonly i2i: number | null }[];
}

/** One training sample, described completely: equal plans give equal pixels. docs/formats/plan.md specifies the JSON. */
export interface Plan {
  readonly version: 1;
  /** The pool's hash. */
  readonly pool: string;
  /** The hash of the resolved settings. */
  readonly settings: string;
  readonly seed: number;
  readonly epoch: number;
  readonly index: number;
  readonly kind: PlanKind;
  /** The expression's key, source/ref/sentence. */
  readonly expression: string;
  readonly text: string;
  /** S, pixels. */
  readonly size: number;
  readonly resample: Resample;
  readonly layers: readonly Layer[];
  readonly why: PlanReasons;
}
