import type { TunedRule, TunePoint, TuneReport } from "./tune.ts";
import { tunedRules } from "./tune.ts";

/** What a wished rate of false negatives asks for. */
export interface Recommendation {
  readonly rate: number;
  /** The hardest of all bands that keep to the rate; null where none does, or where the estimate cannot tell. */
  readonly best: TunePoint | null;
  /** The hardest of each rule; null where none keeps to the rate. */
  readonly byRule: Readonly<Record<TunedRule, TunePoint | null>>;
  /** Members of the group "band" of the settings that give `best`; null without it. */
  readonly band: Readonly<Record<string, number | string | null>> | null;
  /** Why there is no advice: the estimate is noise here. */
  readonly refused?: string;
  /** In a sentence or two. */
  readonly text: string;
}

const leastFull = 0.9;
/** Fewer expressions with a target say nothing of a rate of a few per cent. */
const leastExpressions = 30;

/**
 * The hardest bands whose rate of false negatives keeps to `rate` while nine in ten expressions can fill a mosaic, at the K
 * given (at most the lists' length). Harder = more negatives show the target's kind without being true; at equal shares, the
 * higher mean score. `prefer` is how bands were ordered.
 */
export function recommend(report: TuneReport, rate: number, k: number, prefer: string): Recommendation {
  const at = Math.min(k, Math.max(1, report.depth));
  const fits = (point: TunePoint): boolean => point.k === at && point.full >= leastFull && highestRate(point) <= rate;
  const refused = findRefusal(report);
  const hardest = (points: readonly TunePoint[]): TunePoint | null =>
    points.reduce<TunePoint | null>((best, one) => (best === null || isHarder(one, best) ? one : best), null);
  const byRule = Object.fromEntries(
    tunedRules.map((rule) => [
      rule,
      refused === undefined ? hardest(report.points.filter((point) => point.rule === rule && fits(point))) : null,
    ]),
  ) as Record<TunedRule, TunePoint | null>;
  const best = hardest(Object.values(byRule).filter((point) => point !== null));
  const band = best === null ? null : bandSettings(best, prefer);
  const text = sentences(report, rate, at, best, refused);
  return { rate, best, byRule, band, ...(refused === undefined ? {} : { refused }), text };
}

/**
 * What a point's rate may be: the estimate and half its interval. Where the estimate itself chose the band, what gets
 * through is what it rates too low: there the limit counts, which is what was measured to come out (docs/tune.md).
 */
function highestRate({ rule, value, falseNegatives, margin95 }: TunePoint): number {
  if (falseNegatives === null || margin95 === null) return Number.POSITIVE_INFINITY;
  return Math.max(falseNegatives + margin95, rule === "risk" && value !== null ? value : 0);
}

function isHarder(one: TunePoint, other: TunePoint): boolean {
  const [a, b] = [one.hard ?? 0, other.hard ?? 0];
  if (Math.abs(a - b) > 1e-9) return a > b;
  return (one.meanScore ?? Number.NEGATIVE_INFINITY) > (other.meanScore ?? Number.NEGATIVE_INFINITY);
}

/** The settings of a point: its rule alone, whatever the file had. */
function bandSettings(point: TunePoint, prefer: string): Record<string, number | string | null> {
  const off = { risk: null, tau: null, margin: null, ratio: null };
  return { ...off, ...(point.rule === "none" ? {} : { [point.rule]: point.value }), k: point.k, prefer };
}

/** Why the estimate cannot advise; undefined where it can. */
function findRefusal({ coverage, now, expressions, points }: TuneReport): string | undefined {
  if (coverage?.isComplete === false)
    return `annotations are too sparse to say what is not in an image (${coverage.reason})`;
  if (points.every((point) => point.falseNegatives === null) && now.falseNegatives === null)
    return "no expression with a target has a band";
  if (expressions < leastExpressions)
    return `too few expressions to measure a rate of some per cent: ${expressions}, of at least ${leastExpressions}`;
  return undefined;
}

function sentences(
  report: TuneReport,
  rate: number,
  k: number,
  best: TunePoint | null,
  refused: string | undefined,
): string {
  const { now, coverage } = report;
  if (refused !== undefined) {
    const instead =
      coverage?.isComplete === false
        ? "band.risk drops the best twentieth of candidates instead, which needs no estimate; look at the bands (nemosaic preview, nemosaic studio) and judge some."
        : "Look at the bands (nemosaic preview, nemosaic studio) and judge some.";
    return `No advice: ${refused}. ${instead}`;
  }
  const present = `the settings as they are: ${describePoint(now)}`;
  if (best === null)
    return `No rule keeps false negatives to ${percent(rate)} at K = ${k} with nine in ten bands full; ${present}. Mine deeper, raise K, or allow a higher rate.`;
  return `For at most ${percent(rate)} false negatives at K = ${k}, the hardest bands come from ${nameRule(best)}: ${describePoint(best)}; ${present}.`;
}

function nameRule({ rule, value }: TunePoint): string {
  return rule === "none" ? "the guards alone" : `band.${rule} ${value}`;
}

function describePoint({ falseNegatives, hard, full }: TunePoint): string {
  const rates =
    falseNegatives === null
      ? "nothing known, because all bands are empty"
      : `estimated ${percent(falseNegatives)} true, ${percent(hard ?? 0)} hard`;
  return `${rates}, ${percent(full)} of bands full`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
