import { verdictOf } from "../../../band/index.ts";

/** Where scores and ranks land in a picture of `width` × `height` pixels. */
export interface CurveScale {
  readonly width: number;
  readonly height: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

const inset = 10;

/** The range of scores with a little air, so that τ can be dragged past all of them; `also` are scores that have to be in sight. */
export function curveScale(scores: Float32Array, also: readonly number[], width: number, height: number): CurveScale {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const score of [...scores, ...also]) {
    if (score < low) low = score;
    if (score > high) high = score;
  }
  if (low > high) [low, high] = [0, 1];
  const air = Math.max(0.01, (high - low) * 0.06);
  return { width, height, low: low - air, high: high + air, count: Math.max(1, scores.length) };
}

/** The left edge of a rank's bar: a square root, so that the head, where decisions fall, has room. */
export function xOfRank(scale: CurveScale, rank: number): number {
  return Math.sqrt(Math.max(0, rank) / scale.count) * scale.width;
}

export function rankOfX(scale: CurveScale, x: number): number {
  const share = Math.max(0, Math.min(1, x / scale.width));
  return Math.min(scale.count, Math.floor(share * share * scale.count));
}

export function yOfScore({ low, high, height }: CurveScale, score: number): number {
  return inset + (1 - (score - low) / (high - low)) * (height - inset);
}

export function scoreOfY({ low, high, height }: CurveScale, y: number): number {
  return low + (1 - (y - inset) / (height - inset)) * (high - low);
}

/** How a candidate looks: in the band, beyond K, probably true (above τ or the risk), its own image, or dropped by another rule. */
export const looks = ["band", "beyond", "tau", "own", "other"] as const;
export type Look = (typeof looks)[number];

export function lookOf(verdict: number): Look {
  if (verdict === 0) return "band";
  if (verdict === verdictOf["beyond-k"]) return "beyond";
  if (verdict === verdictOf.tau || verdict === verdictOf.risk) return "tau";
  if (verdict === verdictOf["own-image"]) return "own";
  return "other";
}

/** The bars of all candidates as one SVG path for each look. */
export function curvePaths(scale: CurveScale, scores: Float32Array, verdicts: Uint8Array): Record<Look, string> {
  const parts: Record<Look, string[]> = { band: [], beyond: [], tau: [], own: [], other: [] };
  let drawnTo = -1;
  for (let rank = 0; rank < scores.length; rank++) {
    const right = xOfRank(scale, rank + 1);
    const left = Math.max(xOfRank(scale, rank), drawnTo);
    const look = lookOf(verdicts[rank]!);
    if (right - drawnTo < 0.7 && look !== "own") continue; // several ranks share a pixel
    const gap = right - left > 3 ? 1 : 0;
    const top = yOfScore(scale, scores[rank]!);
    parts[look].push(
      `M${left.toFixed(1)} ${scale.height}V${top.toFixed(1)}H${Math.max(left + 0.6, right - gap).toFixed(1)}V${scale.height}Z`,
    );
    drawnTo = right;
  }
  return Object.fromEntries(looks.map((look) => [look, parts[look].join("")])) as Record<Look, string>;
}

/** The rank behind which the band ends: one past its last member, in whatever order the band prefers them. */
export function bandEnd(survivors: Int32Array, size: number): number {
  return survivors.subarray(0, size).reduce((end, rank) => Math.max(end, rank + 1), 0);
}

/** How many candidates survive among the first `rank`: the K that ends the band there, at least 1. */
export function kAtRank(survivors: Int32Array, rank: number): number {
  return Math.max(1, survivors.filter((at) => at < rank).length);
}
