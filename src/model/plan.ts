/** [left, top, width, height] in whole pixels. */
export type PixelRect = readonly [x: number, y: number, width: number, height: number];

/** How pixels are resampled, with the version of the kernel: tiles and drawings agree only where both are equal. */
export interface Resample {
  readonly name: "opencv" | "fast";
  readonly version: number;
}

/** The kernels' versions: raise one when its pixels change. */
export const resampleVersions: Readonly<Record<Resample["name"], number>> = { opencv: 1, fast: 2 };

/** A part of an image's version of another size: where it begins there. */
export interface LayerWindow {
  readonly of: readonly [width: number, height: number];
  readonly at: readonly [x: number, y: number];
}

/** One image's part in a sample; layers are painted in order. */
export interface Layer {
  readonly role: "target" | "negative";
  /** The image's content hash (SHA-256 of its file, hex). */
  readonly image: string;
  /** The part of the image used, in its own pixels. */
  readonly source: PixelRect;
  /** Where it lands in the sample, inside S×S. */
  readonly destination: PixelRect;
  /**
   * Where set, all of the image is stretched to `of`, and the destination shows a part of that, of its own size, from `at` on;
   * `source` then says, to whole pixels, which part of the image that is.
   */
  readonly window?: LayerWindow;
  /** How the two rectangles were chosen; whichever it is, the source fills the destination. */
  readonly fit: "stretch" | "cover" | "contain";
  /** Opacity, 0 to 1. */
  readonly alpha: number;
  /** Radius of a Gaussian blur in the sample's pixels; 0 = none. */
  readonly blur: number;
  /** Keys of this image's annotations whose union counts as truth; empty for negatives and no-target expressions. */
  readonly masks: readonly string[];
  /** Keys of this image's annotations: of the layer, only what their union covers is painted. Absent: all of it. */
  readonly clip?: readonly string[];
}

/**
 * What a sample is made of; no-target = its sentence is true of nothing in it, so without truth: a mosaic without the expression's
 * image, or a single image or mosaic with a sentence that is false there (`why.sentence`).
 */
export type PlanKind = "single" | "random" | "mined" | "no-target";

/**
 * Why the kind drawn could not be had: the band was too small (`widen`, `random`, `single`), no cell keeps the position
 * words true (`placement`), the target covers too much of its image (`large-target`), too little of it would stay
 * visible (`visibility`), no expression could be joined (`partner`), no annotated object of the target's kind is there to be
 * pasted (`no-object`), or no sentence is known to be false of the image (`no-sentence`). All but the first two give the single
 * image.
 */
export type PlanPolicy =
  | "widen"
  | "random"
  | "single"
  | "placement"
  | "large-target"
  | "visibility"
  | "partner"
  | "no-object"
  | "no-sentence";

/** A sentence that is true of nothing in its sample, and where it comes from. */
export interface FalseSentence {
  readonly source: "edited" | "mined" | "random";
  /** Key of the expression whose sentence it is; of an edited one, of the expression that was changed. */
  readonly expression: string;
  /** Edited: what was changed, the words replaced, and those in their place. */
  readonly change?: { readonly kind: string; readonly from: string; readonly to: string };
  /** Mined: its rank among the image's sentences (0 = best), its score with the image, the estimated chance that it is true. */
  readonly rank?: number;
  readonly t2i?: number;
  readonly risk?: number;
  /** Mined: the image shows an object of its target's kind. */
  readonly showsKind?: boolean;
}

/** Why a plan looks as it does: for people and for checks, never needed to draw it. */
export interface PlanReasons {
  /** Set where the kind drawn could not be had: what was wanted, and the policy that decided. */
  readonly wanted?: PlanKind;
  readonly policy?: PlanPolicy;
  /** The cells that keep the expression true, where placement minded them and not all do. */
  readonly cells?: readonly number[];
  /** Set where the sample's sentence is not its expression's own, but false of the picture. */
  readonly sentence?: FalseSentence;
  /** Key of the expression that was joined (MixGen). */
  readonly partner?: string;
  /** Candidates that survived every rule, before K; -1 where no band was looked at. */
  readonly survivors: number;
  /** Size of the band (survivors up to K); -1 where no band was looked at. */
  readonly band: number;
  /** The negatives in layer order: rank among the mined candidates (0 = best; -1 = not among them) and scores. */
  readonly negatives: readonly { readonly rank: number; readonly t2i: number | null; readonly i2i: number | null }[];
}

/** One training sample, described completely: equal plans give equal pixels. docs/formats/plan.md specifies the JSON. */
export interface Plan {
  /** 3 where a layer has a window, else 2 where one has a clip, which older renderers do not know; else 1. */
  readonly version: 1 | 2 | 3;
  /** The pool's hash. */
  readonly pool: string;
  /** The hash of the resolved settings. */
  readonly settings: string;
  readonly seed: number;
  readonly epoch: number;
  readonly index: number;
  readonly kind: PlanKind;
  /** How the images are put together (the room `styles`); absent for NeMo's grid and single images. */
  readonly style?: string;
  /** The expression's key, source/ref/sentence. */
  readonly expression: string;
  readonly text: string;
  /** S, pixels. */
  readonly size: number;
  /**
   * Where set, layers are painted on canvas × canvas pixels, and the whole is scaled to S × S as the released loader
   * does: cubic for the image, linear for the mask.
   */
  readonly canvas?: number;
  readonly resample: Resample;
  readonly layers: readonly Layer[];
  readonly why: PlanReasons;
}
