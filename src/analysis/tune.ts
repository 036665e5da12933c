import { type BandContext, bandOf } from "../band/index.ts";
import type { ProgressTask } from "../io/index.ts";
import type { Mined } from "../pool/index.ts";
import type { RiskEstimate } from "../risk/index.ts";
import type { ResolvedSettings } from "../settings/index.ts";

/** How the bands look under one change of the settings. */
export interface TunePoint {
  /** The value of the threshold; null = off. */
  readonly value: number | null;
  readonly k: number;
  /** Share of expressions whose band can fill a mosaic. */
  readonly full: number;
  /**
   * Estimated chance that a negative drawn uniformly from a band is true of the expression, over expressions with a target;
   * null where all their bands are empty.
   */
  readonly falseNegatives: number | null;
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
  /** Scores of positives (own images) and of all candidates: quantiles at 0, 0.05, …, 1. */
  readonly positives: readonly number[];
  readonly candidates: readonly number[];
  /** Over τ, for each K. */
  readonly tau: readonly TunePoint[];
  /** Over the positive-aware margin and ratio, at the settings' K, with τ off. */
  readonly margin: readonly TunePoint[];
  readonly ratio: readonly TunePoint[];
  /** The settings as they are. */
  readonly now: TunePoint;
}

export interface TuneOptions {
  /** Expression rows to look at. */
  readonly rows: ArrayLike<number>;
  readonly need: number;
  readonly contextOf: (expression: number) => BandContext;
  readonly task?: ProgressTask;
}

/** Looks at the bands of some expressions under many values of τ, K, margin and ratio; all other rules as they are set. */
export function tune(
  mined: Mined,
  estimate: Pick<RiskEstimate, "chance">,
  settings: ResolvedSettings,
  options: TuneOptions,
): TuneReport {
  const { rows, need, contextOf, task } = options;
  const positives: number[] = [];
  const sample: number[] = [];
  for (let at = 0; at < rows.length; at++) {
    const { ownImage, ownScore } = contextOf(rows[at] as number);
    if (ownScore !== undefined) positives.push(ownScore);
    const { ids, t2i } = mined.row(rows[at] as number);
    t2i.forEach((score, place) => {
      if (ids[place] !== ownImage && place % 4 === at % 4) sample.push(score);
    });
  }
  const candidateQuantiles = quantilesOf(sample);
  const points = pointsOf(settings, candidateQuantiles, positives);
  const tallies = points.map(() => new Tally());
  for (let at = 0; at < rows.length; at++) {
    const expression = rows[at] as number;
    const row = mined.row(expression);
    const context = contextOf(expression);
    const chances = new Float64Array(row.ids.length).fill(Number.NaN);
    const chanceAt = (place: number): number => {
      if (Number.isNaN(chances[place])) chances[place] = estimate.chance(expression, row.ids[place] as number);
      return chances[place] as number;
    };
    points.forEach(({ band }, index) => {
      const { survivors, size } = bandOf(row, context, { ...settings, band: { ...settings.band, ...band } });
      tallies[index]?.add(size, need, (member) => survivors[member] as number, row.ids, row.t2i, chanceAt);
    });
    task?.advance();
  }
  const made = points.map(({ group, value, band }, index) => ({
    group,
    point: (tallies[index] as Tally).point(value, band.k ?? settings.band.k, rows.length),
  }));
  const of = (wanted: string): TunePoint[] => made.filter(({ group }) => group === wanted).map(({ point }) => point);
  return {
    expressions: rows.length,
    need,
    positives: quantilesOf(positives),
    candidates: candidateQuantiles,
    tau: of("tau"),
    margin: of("margin"),
    ratio: of("ratio"),
    now: of("now")[0] as TunePoint,
  };
}

/** What a wished rate of false negatives asks for; null where no value looked at keeps to it. */
export interface Recommendation {
  readonly rate: number;
  readonly tau: TunePoint | null;
  readonly margin: TunePoint | null;
  readonly ratio: TunePoint | null;
  /** In a sentence. */
  readonly text: string;
}

/**
 * The hardest bands whose estimated false-negative rate keeps to `rate` while at least nine in ten expressions can fill
 * a mosaic: the highest τ and ratio, the smallest margin, at the settings' K.
 */
export function recommend(report: TuneReport, rate: number, k: number): Recommendation {
  const fits = (point: TunePoint): boolean =>
    point.k === k && point.falseNegatives !== null && point.falseNegatives <= rate && point.full >= leastFull;
  const hardest = (points: readonly TunePoint[], sign: 1 | -1): TunePoint | null =>
    points
      .filter(fits)
      .reduce<TunePoint | null>(
        (best, point) => (best === null || sign * order(point, sign) > sign * order(best, sign) ? point : best),
        null,
      );
  const tau = hardest(report.tau, 1);
  const margin = hardest(report.margin, -1);
  const ratio = hardest(report.ratio, 1);
  return { rate, tau, margin, ratio, text: sentence(report, rate, k, { tau, margin, ratio }) };
}

const leastFull = 0.9;

/** A threshold that is off is beyond any. */
function order({ value }: TunePoint, sign: 1 | -1): number {
  return value ?? sign * Number.POSITIVE_INFINITY;
}

function sentence(
  report: TuneReport,
  rate: number,
  k: number,
  found: Pick<Recommendation, "tau" | "margin" | "ratio">,
): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const said = (name: string, point: TunePoint | null): string[] =>
    point === null
      ? []
      : [
          `${name} ${point.value === null ? "off" : point.value.toFixed(3)} (estimated ${percent(point.falseNegatives ?? 0)}, ${percent(point.full)} of bands full)`,
        ];
  const all = [
    ...said("band.tau", found.tau),
    ...said("band.margin", found.margin),
    ...said("band.ratio", found.ratio),
  ];
  const now = `${report.now.falseNegatives === null ? "unknown, for all bands are empty" : percent(report.now.falseNegatives)}`;
  if (all.length === 0)
    return `No threshold looked at keeps false negatives to ${percent(rate)} at K = ${k} with nine in ten bands full; the settings as they are have an estimated ${now}. Mine deeper, raise K, or allow a higher rate.`;
  return `For at most ${percent(rate)} false negatives at K = ${k}, the hardest bands come from ${all.join(", or ")}; the settings as they are have an estimated ${now}.`;
}

interface PointSettings {
  readonly group: "tau" | "margin" | "ratio" | "now";
  readonly value: number | null;
  readonly band: Partial<ResolvedSettings["band"]>;
}

function pointsOf(
  settings: ResolvedSettings,
  candidates: readonly number[],
  positives: readonly number[],
): PointSettings[] {
  const plain = { margin: null, ratio: null };
  const ks = [...new Set([...baseKs, settings.band.k])].sort((a, b) => a - b);
  const [low, high] = [candidates[4] ?? 0, Math.max(candidates[20] ?? 1, positives[20] ?? 1)];
  const taus = Array.from({ length: steps + 1 }, (_, at) => low + ((high - low) * at) / steps);
  const median = positives[10] ?? 0;
  const margins = Array.from({ length: steps + 1 }, (_, at) => (Math.max(1e-3, median - low) * at) / steps);
  const ratios = Array.from({ length: steps + 1 }, (_, at) => 0.5 + (0.5 * at) / steps);
  return [
    { group: "now", value: settings.band.tau, band: {} },
    ...ks.flatMap((k) =>
      [...taus, null].map((tau): PointSettings => ({ group: "tau", value: tau, band: { ...plain, tau, k } })),
    ),
    ...margins.map(
      (margin): PointSettings => ({ group: "margin", value: margin, band: { ...plain, tau: null, margin } }),
    ),
    ...ratios.map((ratio): PointSettings => ({ group: "ratio", value: ratio, band: { ...plain, tau: null, ratio } })),
  ];
}

const baseKs = [10, 30, 100, 300];
const steps = 20;

/** Sums over expressions for one point. Rates are means over expressions: each is drawn equally often. */
class Tally {
  readonly #uses = new Map<number, number>();
  #bands = 0;
  #rated = 0;
  #full = 0;
  #chance = 0;
  #score = 0;
  #places = 0;

  add(
    size: number,
    need: number,
    placeOf: (member: number) => number,
    ids: Int32Array,
    scores: Float32Array,
    chanceAt: (place: number) => number,
  ): void {
    if (size >= need) this.#full++;
    if (size === 0) return;
    this.#bands++;
    this.#places += size;
    let [chance, score] = [0, 0];
    for (let member = 0; member < size; member++) {
      const place = placeOf(member);
      const image = ids[place] as number;
      chance += chanceAt(place);
      score += scores[place] as number;
      this.#uses.set(image, (this.#uses.get(image) ?? 0) + 1);
    }
    if (!Number.isNaN(chance)) {
      this.#rated++;
      this.#chance += chance / size;
    }
    this.#score += score / size;
  }

  point(value: number | null, k: number, expressions: number): TunePoint {
    const used = Float64Array.from(this.#uses.values()).sort();
    const top = used.subarray(used.length - Math.max(1, Math.ceil(used.length / 100)));
    return {
      value,
      k,
      full: this.#full / Math.max(1, expressions),
      falseNegatives: this.#rated === 0 ? null : this.#chance / this.#rated,
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
  return Array.from({ length: 21 }, (_, at) => sorted[Math.round(((sorted.length - 1) * at) / 20)] as number);
}
