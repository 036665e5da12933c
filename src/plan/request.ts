import { CounterRandom } from "../kernels/index.ts";
import type { Layer, PlanKind, PlanPolicy, PlanReasons } from "../model/index.ts";
import type { ResolvedSettings } from "../settings/index.ts";
import type { PlanFacts } from "./plan-facts.ts";

/** Independent random streams of one sample: changing one option never disturbs the draws of another. */
const streams = {
  kind: 1,
  sentence: 2,
  grid: 3,
  negatives: 4,
  placement: 5,
  leaveOut: 6,
  lines: 7,
  window: 8,
  partner: 9,
} as const;
export type Stream = keyof typeof streams;

/** Everything that making one mosaic depends on. */
export interface Request {
  readonly facts: PlanFacts;
  /** As this epoch has them. */
  readonly settings: ResolvedSettings;
  readonly expression: number;
  readonly ref: number;
  /** Where negatives come from. */
  readonly kind: "random" | "mined";
  /** True where the expression's own image is left out. */
  readonly leavesOut: boolean;
  random(stream: Stream): CounterRandom;
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

/** The random numbers of one sample for one purpose. */
export function randomOf(seed: number, epoch: number, index: number, stream: Stream): CounterRandom {
  return new CounterRandom(seed, epoch, index, streams[stream]);
}

/** The kind that a request asks for, as plans name it. */
export function wantedKind({ leavesOut, kind }: Pick<Request, "leavesOut" | "kind">): PlanKind {
  return leavesOut ? "no-target" : kind;
}

/** No mosaic, and why. */
export function noMosaic(request: Request, policy: PlanPolicy, why: Partial<PlanReasons> = {}): Mosaic {
  return { kind: "single", why: { ...noBand, ...why, wanted: wantedKind(request), policy, negatives: [] } };
}

/** The reasons of a sample that looked at no band. */
export const noBand: PlanReasons = { survivors: -1, band: -1, negatives: [] };
