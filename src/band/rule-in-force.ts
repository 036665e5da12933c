import type { ResolvedSettings } from "../settings/index.ts";

/** Whether images are annotated completely enough for `band.risk`, and why, in a sentence. */
export interface CoverageFact {
  readonly isComplete: boolean;
  readonly reason: string;
}

/** What keeps false negatives out of bands, in short: "risk at most 3 %, τ 0.400"; without known risks, the ranks. */
export function limitsText({ band }: Pick<ResolvedSettings, "band">, isRiskKnown: boolean): string {
  const risk = isRiskKnown ? `risk at most ${riskText(band)}` : "without the best 5 % of ranks";
  const limits = [...(band.risk === null ? [] : [risk]), ...scoreLimits(band)];
  return limits.length === 0 ? "the guards alone" : limits.join(", ");
}

/** The rule that keeps false negatives out, and why, in a sentence. `coverage` is what mining measured of annotations. */
export function ruleInForce({ band }: Pick<ResolvedSettings, "band">, coverage: CoverageFact | undefined): string {
  const named = scoreLimits(band);
  const scores = named.length === 0 ? "" : `${band.risk === null ? "" : ", and "}scores: ${named.join(", ")}`;
  if (band.risk === null) return scores === "" ? "none: the guards alone" : scores;
  if (coverage?.isComplete === false)
    return `ranks: the best twentieth of candidates is dropped, and what is known to be true, because annotations are sparse (${coverage.reason})${scores}`;
  const why = coverage === undefined ? "" : ` (${coverage.reason})`;
  return `risk: at most ${riskText(band)} estimated chance to be true${why}${scores}`;
}

function riskText({ risk }: ResolvedSettings["band"]): string {
  return `${Number((100 * (risk ?? 0)).toPrecision(3))} %`;
}

function scoreLimits(band: ResolvedSettings["band"]): string[] {
  return [
    ...(band.tau === null ? [] : [`τ ${band.tau.toFixed(3)}`]),
    ...(band.tauImage === null ? [] : [`τᵢ ${band.tauImage.toFixed(3)}`]),
    ...(band.tauText === null ? [] : [`τₜ ${band.tauText}`]),
    ...(band.margin === null ? [] : [`margin ${band.margin}`]),
    ...(band.ratio === null ? [] : [`ratio ${band.ratio}`]),
  ];
}
