import type { ResolvedSettings } from "../settings/index.ts";
import type { BandContext } from "./context.ts";

/** The settings that rules look at. */
export type BandSettings = Pick<ResolvedSettings, "band" | "gres"> & {
  readonly guards: Pick<ResolvedSettings["guards"], "nearDuplicate">;
};

/** The scores above which one expression's candidates are dropped; +∞ where a filter is off. */
export interface Thresholds {
  readonly tau: number;
  readonly tauImage: number;
  readonly tauText: number;
  readonly margin: number;
  readonly ratio: number;
  readonly nearDuplicate: number;
}

/**
 * Thresholds of one expression. Positive-aware ones follow its own image's score s⁺ and are off without one; the ratio
 * counts down from s⁺ by (1 - ratio)·|s⁺|, so that it stays below s⁺ where that is negative. Both text filters are
 * lower by `gres.tighten` for several targets and for none.
 */
export function thresholdsOf(context: Pick<BandContext, "ownScore" | "targets">, settings: BandSettings): Thresholds {
  const { tau, tauImage, tauText, margin, ratio } = settings.band;
  const { ownScore, targets = 1 } = context;
  const hasOwn = ownScore !== undefined && !Number.isNaN(ownScore); // imported lists may lack the own image
  const tighten = targets === 1 ? 0 : settings.gres.tighten;
  return {
    tau: tau === null ? off : tau - tighten,
    tauImage: tauImage ?? off,
    tauText: tauText === null ? off : tauText - tighten,
    margin: margin === null || !hasOwn ? off : ownScore - margin,
    ratio: ratio === null || !hasOwn ? off : ownScore - (1 - ratio) * Math.abs(ownScore),
    nearDuplicate: settings.guards.nearDuplicate ?? off,
  };
}

const off = Number.POSITIVE_INFINITY;
