import { ticks } from "d3-array";
import { bandOf, type CandidateRow } from "../band/index.ts";
import type { AnnotationCoverage, Mined } from "../pool/index.ts";
import type { RiskEstimate } from "../risk/index.ts";
import type { ResolvedSettings } from "../settings/index.ts";
import type { BandSelection } from "./band-selection.ts";

/** The rules that are looked at, each alone: the others of them are off. "none" = all of them are off. */
export const tunedRules = ["risk", "tau", "margin", "ratio", "none"] as const;
export type TunedRule = (typeof tunedRules)[number];

/** How the bands look under one change of the settings. */
export interface TunePoint {
  readonly rule: TunedRule | "now";
  /** The limit of the rule; null where there is none. */
  readonly value: number | null;
  readonly k: number;
  /** Share of expressions whose band can fill a mosaic. */
  readonly full: number;
  /**
   * Estimated chance that a negative drawn uniformly from a band is true of the expression, the mean over expressions with
   * a target and a band; null where there are none.
   */
  readonly falseNegatives: number | null;
  /** Half of its 95 % interval over expressions; null for fewer than two. */
  readonly margin95: number | null;
  /** Estimated share of negatives that show the target's kind and are not true; null as above. */
  readonly hard: number | null;
  /** Mean text-to-image score of the band's members; null where all are empty. */
  readonly meanScore: number | null;
  /** Distinct images in any band, and the share of all places that the most used 1 % of them take. */
  readonly imagesUsed: number;
  readonly topPercentShare: number;
}

export interface TuneReport {
  readonly expressions: number;
  /** Negatives that a mosaic needs. */
  readonly need: number;
  /** The longest list of candidates: no K beyond it makes a difference. */
  readonly depth: number;
  /** How completely images are annotated; undefined where mining has not measured it. */
  readonly coverage: AnnotationCoverage | undefined;
  /** Scores of positives (own images) and of all candidates: quantiles at 0, 0.05, …, 1. */
  readonly positives: readonly number[];
  readonly candidates: readonly number[];
  /** Every rule alone, over its limits and several K. */
  readonly points: readonly TunePoint[];
  /** The settings as they are. */
  readonly now: TunePoint;
}

/** Looks at the bands of some expressions under many limits of every rule and several K; all other settings as they are. */
export function tune(
  mined: Mined,
  estimate: Pick<RiskEstimate, "fill">,
  settings: ResolvedSettings,
  { rows, need, contextOf, task }: BandSelection,
): TuneReport {
  const positives: number[] = [];
  const sample: number[] = [];
  let depth = 0;
  for (let at = 0; at < rows.length; at++) {
    const { ownImage, ownScore } = contextOf(rows[at]!);
    if (ownScore !== undefined) positives.push(ownScore);
    const { ids, t2i } = mined.row(rows[at]!);
    depth = Math.max(depth, ids.length);
    t2i.forEach((score, place) => {
      if (ids[place] !== ownImage && place % 4 === at % 4) sample.push(score);
    });
  }
  const scores = { positives: quantilesOf(positives), candidates: quantilesOf(sample) };
  const tried = settingsToTry(settings, depth, scores);
  const tallies = tried.map(() => new Tally());
  for (let at = 0; at < rows.length; at++) {
    const expression = rows[at]!;
    const rated = rate(mined.row(expression), expression, estimate);
    const context = contextOf(expression);
    tried.forEach(({ band }, index) => {
      const { survivors, size } = bandOf(rated.row, context, { ...settings, band: { ...settings.band, ...band } });
      tallies[index]!.add(rated, survivors.subarray(0, size), need);
    });
    task?.advance();
  }
  const [now, ...points] = tried.map((one, index) => tallies[index]!.point(one, settings.band.k, rows.length));
  return { expressions: rows.length, need, depth, coverage: mined.coverage, ...scores, points, now: now! };
}

/** A list of candidates with the estimates of each. */
interface RatedRow {
  readonly row: CandidateRow;
  /** The chance to be true, by position; NaN for an expression without a target. */
  readonly chances: Float32Array;
  readonly showsKind: Uint8Array;
}

/** Estimates a list; a mined set of an older version, which lacks the columns of risk, gets them here. */
function rate(row: CandidateRow, expression: number, estimate: Pick<RiskEstimate, "fill">): RatedRow {
  const { length } = row.ids;
  const columns = { risk: new Float32Array(length), showsKind: new Uint8Array(length) };
  estimate.fill(expression, row.ids, columns, 0);
  const added = row.risk === undefined ? columns : {};
  return { row: { ...row, ...added }, chances: columns.risk, showsKind: columns.showsKind };
}

interface TriedSettings {
  readonly rule: TunedRule | "now";
  readonly value: number | null;
  readonly band: Partial<ResolvedSettings["band"]>;
}

/** First the settings as they are, then every rule alone over its limits, for each K. */
function settingsToTry(
  settings: ResolvedSettings,
  depth: number,
  scores: Pick<TuneReport, "positives" | "candidates">,
): TriedSettings[] {
  const { k } = settings.band;
  const most = Math.max(1, depth);
  const ks = [...new Set([...baseKs, k].map((one) => Math.min(one, most)))].sort((a, b) => a - b);
  const limits = limitsOf(settings, scores);
  const off = { risk: null, tau: null, margin: null, ratio: null };
  const alone = tunedRules.flatMap((rule) =>
    limits[rule].flatMap((value) =>
      ks.map(
        (one): TriedSettings => ({
          rule,
          value,
          band: { ...off, ...(rule === "none" ? {} : { [rule]: value }), k: one },
        }),
      ),
    ),
  );
  return [{ rule: "now", value: settings.band.risk ?? settings.band.tau, band: {} }, ...alone];
}

/** The limits of each rule: round numbers, and the one in force. */
function limitsOf(
  { band }: ResolvedSettings,
  { positives, candidates }: Pick<TuneReport, "positives" | "candidates">,
): Readonly<Record<TunedRule, readonly (number | null)[]>> {
  const low = candidates[4] ?? 0;
  const high = Math.max(candidates[20] ?? 1, positives[20] ?? 1);
  const gap = Math.max(1e-3, (positives[10] ?? 0) - low);
  return {
    risk: withValue([0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5], band.risk),
    tau: withValue(ticks(low, high, 20), band.tau),
    margin: withValue(ticks(0, gap, 20), band.margin),
    ratio: withValue(ticks(0.5, 1, 20), band.ratio),
    none: [null],
  };
}

function withValue(values: readonly number[], value: number | null): number[] {
  return [...new Set(value === null ? values : [...values, value])].sort((a, b) => a - b);
}

const baseKs = [10, 30, 100, 300];

/** Sums over expressions for one choice of settings. Rates are means over expressions: each is drawn equally often. */
class Tally {
  readonly #uses = new Map<number, number>();
  #bands = 0;
  #rated = 0;
  #full = 0;
  #chance = 0;
  #squares = 0;
  #hard = 0;
  #score = 0;
  #places = 0;

  add({ row, chances, showsKind }: RatedRow, members: Int32Array, need: number): void {
    const { length } = members;
    if (length >= need) this.#full++;
    if (length === 0) return;
    this.#bands++;
    this.#places += length;
    let [chance, hard, score] = [0, 0, 0];
    for (const at of members) {
      const image = row.ids[at]!;
      chance += chances[at]!;
      hard += showsKind[at]! * (1 - chances[at]!);
      score += row.t2i[at]!;
      this.#uses.set(image, (this.#uses.get(image) ?? 0) + 1);
    }
    this.#score += score / length;
    if (Number.isNaN(chance)) return;
    this.#rated++;
    this.#chance += chance / length;
    this.#squares += (chance / length) ** 2;
    this.#hard += hard / length;
  }

  point({ rule, value, band }: TriedSettings, k: number, expressions: number): TunePoint {
    const used = Float64Array.from(this.#uses.values()).sort();
    const top = used.subarray(used.length - Math.max(1, Math.ceil(used.length / 100)));
    const n = this.#rated;
    const variance = n < 2 ? Number.NaN : Math.max(0, (this.#squares - this.#chance ** 2 / n) / (n - 1));
    return {
      rule,
      value,
      k: band.k ?? k,
      full: this.#full / Math.max(1, expressions),
      falseNegatives: n === 0 ? null : this.#chance / n,
      margin95: n < 2 ? null : 1.96 * Math.sqrt(variance / n),
      hard: n === 0 ? null : this.#hard / n,
      meanScore: this.#bands === 0 ? null : this.#score / this.#bands,
      imagesUsed: used.length,
      topPercentShare: this.#places === 0 ? 0 : top.reduce((sum, count) => sum + count, 0) / this.#places,
    };
  }
}

/** Values at the shares 0, 0.05, …, 1; empty where there are none. */
function quantilesOf(values: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return [];
  return Array.from({ length: 21 }, (_, at) => sorted[Math.round(((sorted.length - 1) * at) / 20)]!);
}
