import { dropRules } from "../band/index.ts";

/** Colours of the sheets, shared by picture and page. */
export const colours = {
  ink: "#1b1f27",
  soft: "#6a7280",
  line: "#e3e6ea",
  paper: "#ffffff",
  band: "#0c8f7f",
  tau: "#c2410c",
  dropped: "#b8bec8",
} as const;

export interface CurveBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The scores of mined candidates over their rank (square-root axis, so that the head shows), one bar each, the band in
 * colour, and τ as a line: SVG elements inside `box`. `tauY` is where τ is, undefined where it is off or out of sight.
 */
export function scoreCurve(
  scores: Float32Array,
  verdicts: Uint8Array,
  tau: number | null,
  box: CurveBox,
): { svg: string; tauY: number | undefined } {
  if (scores.length === 0) return { svg: "", tauY: undefined };
  const high = Math.max(...scores.subarray(0, 4), tau ?? Number.NEGATIVE_INFINITY);
  const low = Math.min(scores[scores.length - 1]!, ...scores.subarray(0, 1));
  const span = Math.max(1e-6, high - low);
  const y = (score: number): number => box.y + box.height - (0.06 + 0.88 * ((score - low) / span)) * box.height;
  const x = (rank: number): number => box.x + Math.sqrt(rank / scores.length) * box.width;
  const beyondK = 1 + dropRules.indexOf("beyond-k");
  let bars = "";
  let previous = box.x - 1;
  for (let rank = 0; rank < scores.length; rank++) {
    const right = x(rank + 1);
    if (right - previous < 0.9) continue; // several ranks share a pixel
    const verdict = verdicts[rank]!;
    const fill = verdict === 0 ? colours.band : verdict === beyondK ? "#cfe8e4" : colours.dropped;
    const top = y(scores[rank]!);
    bars += `<rect x="${n(previous < box.x ? box.x : previous)}" y="${n(top)}" width="${n(Math.max(0.8, right - Math.max(previous, box.x) - 0.4))}" height="${n(box.y + box.height - top)}" fill="${fill}"/>`;
    previous = right;
  }
  const tauY = tau === null ? undefined : y(tau);
  const line =
    tauY === undefined || tauY < box.y
      ? ""
      : `<line x1="${box.x}" x2="${box.x + box.width}" y1="${n(tauY)}" y2="${n(tauY)}" stroke="${colours.tau}" stroke-width="1.5" stroke-dasharray="5 3"/>`;
  const base = `<line x1="${box.x}" x2="${box.x + box.width}" y1="${box.y + box.height}" y2="${box.y + box.height}" stroke="${colours.line}"/>`;
  return { svg: base + bars + line, tauY: line === "" ? undefined : tauY };
}

function n(value: number): string {
  return value.toFixed(1);
}
