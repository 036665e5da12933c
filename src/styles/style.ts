import type { CounterRandom, Rle } from "../kernels/index.ts";
import type { Layer, PixelRect, PlanKind, PlanPolicy, PlanReasons } from "../model/index.ts";

/**
 * A way to put a mosaic together: one file of this room, and one entry in the registry. Settings, presets, checks and
 * documents of the command line read from there what they need to know of it.
 */
export interface Style {
  /** As `mosaic.style` names it: lower case, words joined by "-". */
  readonly name: string;
  /** What it does, in a few words that follow its name and a colon. */
  readonly about: string;
  /** The most negatives that one mosaic asks for. */
  mostNegatives(options: Pick<MosaicOptions, "grid">, makesNoTarget: boolean): number;
  /** True where it is a grid of whole images, from which the target's may be left out. */
  readonly isGrid: boolean;
  /** Named starting points of settings with this style, by their names. */
  readonly presets: Readonly<Record<string, StylePreset>>;
  /** Puts a mosaic together, or says why there is none. */
  make(request: StyleRequest): Mosaic;
}

/** A preset that a style brings: what it changes of the defaults. */
export interface StylePreset {
  readonly about: string;
  readonly mosaic: Partial<MosaicOptions> & { readonly randomShare?: number };
}

/** The settings of a mosaic, as docs/settings.md has them under `mosaic`. */
export interface MosaicOptions {
  readonly grid: string;
  readonly crossPoint: number | "free";
  readonly minCell: number;
  readonly fit: "stretch" | "cover" | "contain";
  readonly blur: number;
  readonly placement: "uniform" | "position-aware" | "position-free";
  readonly minVisible: number;
}

/** What a style may know of a pool: random access by dense rows, no pixels. */
export interface StyleFacts {
  /** The half-open range of expression rows of a ref. */
  expressionsOfRef(ref: number): readonly [start: number, end: number];
  /** Refs of the split that are about an image. */
  refsOfImage(image: number): ArrayLike<number>;
  expression(row: number): { readonly key: string; readonly text: string };
  ref(row: number): { readonly image: number; readonly masks: readonly string[] };
  image(row: number): { readonly key: string; readonly width: number; readonly height: number };
  /** The union of a ref's targets over its image; undefined where it has none. */
  targetMask(ref: number): Rle | undefined;
  /** Every annotated object of an image, crowds and empty regions left out. */
  objectsOfImage(image: number): readonly PictureObject[];
}

/** An annotated object of an image. */
export interface PictureObject {
  /** Its annotation's key. */
  readonly key: string;
  /** As its dataset names it; may be empty. */
  readonly category: string;
  /** The box of its pixels in the image. */
  readonly box: PixelRect;
  /** How many pixels it has. */
  readonly area: number;
}

/** Everything that making one mosaic depends on. */
export interface StyleRequest {
  readonly facts: StyleFacts;
  /** As this epoch has them. */
  readonly settings: {
    readonly size: number;
    readonly mosaic: MosaicOptions;
    readonly legacy: { readonly canvas: boolean };
  };
  readonly expression: number;
  readonly ref: number;
  /** Where negatives come from. */
  readonly kind: "random" | "mined";
  /** The sentence, as placement reads it: the expression's, or one that is false of its image. */
  readonly text: string;
  /** True where the expression's own image is left out. */
  readonly leavesOut: boolean;
  /** True where the sentence is true of nothing in the ref's image, which is shown, but without a mask. */
  readonly isFalse: boolean;
  /** Independent random streams of one sample: changing one option never disturbs the draws of another. */
  random(stream: StyleStream): CounterRandom;
  /** Draws other images by the rules of the settings. */
  negatives(need: number, options?: NegativeOptions): Negatives;
}

/** Which other images may be drawn. */
export interface NegativeOptions {
  /** Only those that it takes. */
  readonly accepts?: (image: number) => boolean;
  /** False: only mined ones that show nothing of the target's kind; true: mined ones that do, as far as there are enough. */
  readonly showsKind?: boolean;
}

/** What a style draws by chance. */
export type StyleStream = "grid" | "placement" | "lines" | "window" | "partner" | "paste";

/** Images drawn for a mosaic. */
export interface Negatives {
  readonly kind: PlanKind;
  /** Image rows in the order of cells; fewer than asked for = no mosaic. */
  readonly images: readonly number[];
  readonly why: PlanReasons;
}

/** A mosaic of some style, or why there is none and the single image is given. */
export type Mosaic =
  | {
      readonly kind: PlanKind;
      readonly layers: readonly Layer[];
      readonly why: PlanReasons;
      /** Where it differs from the expression's own. */
      readonly text?: string;
      /** Where layers are painted on another size than S. */
      readonly canvas?: number;
    }
  | { readonly kind: "single"; readonly layers?: never; readonly why: PlanReasons };

/** The kind that a request asks for, as plans name it. */
export function wantedKind({
  leavesOut,
  isFalse,
  kind,
}: Pick<StyleRequest, "leavesOut" | "isFalse" | "kind">): PlanKind {
  return leavesOut || isFalse ? "no-target" : kind;
}

/** No mosaic, and why. */
export function noMosaic(
  request: Pick<StyleRequest, "leavesOut" | "isFalse" | "kind">,
  policy: PlanPolicy,
  why: Partial<PlanReasons> = {},
): Mosaic {
  return { kind: "single", why: { ...noBand, ...why, wanted: wantedKind(request), policy, negatives: [] } };
}

/** The reasons of a sample that looked at no band. */
export const noBand: PlanReasons = { survivors: -1, band: -1, negatives: [] };
