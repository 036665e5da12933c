import { unknownName } from "../model/index.ts";

/** Which pixels of a truth made of several polygons or annotations count. */
export type OverlapRule =
  | "union" // covered by at least one part
  | "once"; // covered by exactly one part: where parts overlap, pixels are lost

/** Which sentences of a ref are scored. */
export type SentenceRule = "all" | "first" | "last";

/** The size at which masks are compared. */
export type SizeRule =
  | { readonly at: "original" }
  /** `sizePx` × `sizePx`, the truth being brought there; `by` says how a truth of polygons gets there. */
  | { readonly at: "model"; readonly sizePx: number; readonly by: "nearest" | "polygons" };

/** What a decision "there is no target" does to a sample's numbers. */
export type NoTargetRule =
  | "ignored" // only N-acc and T-acc see it
  | "rela" // a target predicted absent scores I = 0, its raw mask still counting in U
  | "gsva"; // a target predicted absent keeps the I and U of its raw mask

/** The conventions of one published evaluator, as data. docs/evaluate.md puts them side by side. */
export interface Preset {
  readonly name: string;
  /** The evaluators that count this way. */
  readonly evaluators: string;
  /** A pixel is predicted where its probability is over `value`, or equals it where `inclusive`. */
  readonly threshold: { readonly value: number; readonly inclusive: boolean };
  readonly size: SizeRule;
  readonly overlap: OverlapRule;
  /** "declared": a sample has no target where the dataset says so. "raster": where its mask has no pixel. */
  readonly noTargetTruth: "declared" | "raster";
  readonly noTarget: NoTargetRule;
  /** IoU = I / (U + epsilon); `ofNothing` where U = 0. */
  readonly iou: { readonly epsilon: number; readonly ofNothing: 0 | 1 };
  /** P@X counts IoU > X, or IoU ≥ X where `inclusive`; `singlePrecision` rounds X to float32, as a torch tensor does. */
  readonly precision: { readonly inclusive: boolean; readonly singlePrecision: boolean };
  readonly sentences: { readonly val: SentenceRule; readonly other: SentenceRule };
  /** T-acc is reported as 0 where the set holds no no-target sample, whatever was predicted. */
  readonly targetAccuracyNeedsNoTarget: boolean;
}

const half = { value: 0.5, inclusive: false };
const everySentence = { val: "all", other: "all" } as const;
const original = { at: "original" } as const;

const table = {
  cris: {
    name: "cris",
    evaluators: "CRIS, ETRIS",
    threshold: { value: 0.35, inclusive: false },
    size: original,
    overlap: "union",
    noTargetTruth: "declared",
    noTarget: "ignored",
    iou: { epsilon: 1e-6, ofNothing: 0 },
    precision: { inclusive: false, singlePrecision: true },
    sentences: { val: "first", other: "all" },
    targetAccuracyNeedsNoTarget: false,
  },
  lavt: {
    name: "lavt",
    evaluators: "LAVT, VPD, RMSIN",
    threshold: half,
    size: { at: "model", sizePx: 480, by: "nearest" },
    overlap: "once",
    noTargetTruth: "declared",
    noTarget: "ignored",
    iou: { epsilon: 0, ofNothing: 0 },
    precision: { inclusive: true, singlePrecision: false },
    sentences: everySentence,
    targetAccuracyNeedsNoTarget: false,
  },
  cgformer: {
    name: "cgformer",
    evaluators: "CGFormer",
    threshold: half,
    size: original,
    overlap: "once",
    noTargetTruth: "declared",
    noTarget: "ignored",
    iou: { epsilon: 1e-6, ofNothing: 0 },
    precision: { inclusive: false, singlePrecision: true },
    sentences: { val: "last", other: "last" },
    targetAccuracyNeedsNoTarget: false,
  },
  rela: {
    name: "rela",
    evaluators: "ReLA, GRES",
    threshold: half,
    size: { at: "model", sizePx: 480, by: "polygons" },
    overlap: "union",
    noTargetTruth: "declared",
    noTarget: "rela",
    iou: { epsilon: 0, ofNothing: 0 },
    precision: { inclusive: true, singlePrecision: false },
    sentences: everySentence,
    targetAccuracyNeedsNoTarget: true,
  },
  gsva: {
    name: "gsva",
    evaluators: "GSVA",
    threshold: { value: 0.5, inclusive: true },
    size: original,
    overlap: "once",
    noTargetTruth: "raster",
    noTarget: "gsva",
    iou: { epsilon: 1e-8, ofNothing: 0 },
    precision: { inclusive: true, singlePrecision: false },
    sentences: everySentence,
    targetAccuracyNeedsNoTarget: false,
  },
  lisa: {
    name: "lisa",
    evaluators: "LISA",
    threshold: half,
    size: original,
    overlap: "once",
    noTargetTruth: "declared",
    noTarget: "ignored",
    iou: { epsilon: 1e-5, ofNothing: 1 },
    precision: { inclusive: true, singlePrecision: false },
    sentences: everySentence,
    targetAccuracyNeedsNoTarget: false,
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof table;

/** Every preset, by name. */
export const evaluationPresets: Readonly<Record<PresetName, Preset>> = table;

/** The names of the presets, in the order of the documentation. */
export const evaluationPresetNames = Object.keys(table) as readonly PresetName[];

/** The preset of that name; a usage error that lists the names for an unknown one. */
export function evaluationPreset(name: string): Preset {
  const found = evaluationPresetNames.find((known) => known === name);
  if (found === undefined) throw unknownName("evaluation preset", name, evaluationPresetNames);
  return evaluationPresets[found];
}

/** What a user changes of a preset; undefined members leave it as it is. */
export interface PresetChanges {
  readonly threshold?: number | undefined;
  /** "original", or the side of the model's square in pixels. */
  readonly size?: "original" | number | undefined;
  readonly sentences?: SentenceRule | undefined;
}

/** A copy of `preset` with `changes` applied. A model size keeps the preset's way of bringing polygons there. */
export function withChanges(preset: Preset, changes: PresetChanges): Preset {
  const { threshold, size, sentences } = changes;
  const by = preset.size.at === "model" ? preset.size.by : "nearest";
  return {
    ...preset,
    ...(threshold === undefined ? {} : { threshold: { ...preset.threshold, value: threshold } }),
    ...(size === undefined ? {} : { size: size === "original" ? original : { at: "model", sizePx: size, by } }),
    ...(sentences === undefined ? {} : { sentences: { val: sentences, other: sentences } }),
  };
}
