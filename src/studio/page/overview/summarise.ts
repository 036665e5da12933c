import {
  bandOf,
  countDrops,
  type DropRule,
  dropRules,
  type NegativeMeans,
  NegativeTally,
} from "../../../band/index.ts";
import type { ResolvedSettings } from "../../../settings/index.ts";
import type { CandidateAnswer } from "../contract.ts";

/** One expression of the sample. */
export interface Sampled extends CandidateAnswer {
  /** The estimated chance that each candidate is a false negative; NaN without a target; undefined where not yet known. */
  readonly chances?: Float32Array | undefined;
}

/** Counts over bins of equal width; bin i holds scores from low + i · width. */
export interface Histogram {
  readonly low: number;
  readonly width: number;
  readonly counts: readonly number[];
}

/** How the bands of the sample look under some settings. */
export interface SampleSummary {
  readonly expressions: number;
  readonly candidates: number;
  readonly inBand: number;
  /** Expressions whose band can fill a mosaic; is empty; asks to be mined deeper. */
  readonly full: number;
  readonly empty: number;
  readonly mineDeeper: number;
  readonly drops: Readonly<Record<DropRule, number>>;
  /** Band places whose image scores above the expression's own: the first to look at. */
  readonly aboveOwn: number;
  readonly falseNegatives: FalseNegativeRate;
  /** A negative from the band, and a random image, side by side; `ownScore` is the mean score of own images, NaN without one. */
  readonly means: { readonly band: NegativeMeans; readonly random: NegativeMeans; readonly ownScore: number };
  readonly own: Histogram;
  readonly all: Histogram;
  readonly band: Histogram;
  /** Distinct images in any band, and how often the most used ones are, best first. */
  readonly imagesUsed: number;
  readonly mostUsed: readonly { readonly image: number; readonly uses: number }[];
  /** How many bands each used image stands in, by image row. */
  readonly usesOf: ReadonlyMap<number, number>;
  /** Share of all band places that the most used 1 % of images take. */
  readonly topShare: number;
  /** Images by uses: [uses from, images]. */
  readonly reuse: readonly { readonly from: number; readonly to: number; readonly images: number }[];
}

/** The chance that a negative drawn from a band is true of its expression: the mean over expressions, as `nemosaic tune` has it. */
export interface FalseNegativeRate {
  /** null where no band with a known chance has an image. */
  readonly rate: number | null;
  /** Expressions behind it. */
  readonly expressions: number;
  /** Those whose bands have the highest rates, worst first. */
  readonly worst: readonly { readonly expression: number; readonly rate: number }[];
}

/** Looks at every band of the sample. `need` = negatives per mosaic. Errors as `bandOf`. */
export function summarise(sample: readonly Sampled[], settings: ResolvedSettings, need: number): SampleSummary {
  const range = rangeOf(sample);
  const [own, all, band] = [histogram(range), histogram(range), histogram(range)];
  const uses = new Map<number, number>();
  const drops = Object.fromEntries(dropRules.map((rule) => [rule, 0])) as Record<DropRule, number>;
  const rates: { expression: number; rate: number }[] = [];
  const [inBands, atRandom] = [new NegativeTally(), new NegativeTally()];
  let [candidates, inBand, full, empty, mineDeeper, aboveOwn] = [0, 0, 0, 0, 0, 0];
  let [ownScores, owns] = [0, 0];
  for (const { expression, row, context, chances } of sample) {
    const result = bandOf(row, context, settings);
    candidates += row.ids.length;
    inBand += result.size;
    if (result.size >= need) full++;
    if (result.size === 0) empty++;
    if (result.mineDeeper) mineDeeper++;
    for (const [rule, count] of Object.entries(countDrops(result.verdicts))) drops[rule as DropRule] += count;
    if (context.ownScore !== undefined && Number.isFinite(context.ownScore)) {
      own.add(context.ownScore);
      ownScores += context.ownScore;
      owns++;
    }
    const others = Int32Array.from(row.ids.keys()).filter((at) => row.ids[at] !== context.ownImage);
    for (const at of others) all.add(row.t2i[at]!);
    inBands.add(row, result.survivors.subarray(0, result.size));
    atRandom.add(row, others, row.candidates);
    for (let member = 0; member < result.size; member++) {
      const at = result.survivors[member]!;
      const score = row.t2i[at]!;
      band.add(score);
      if (context.ownScore !== undefined && score > context.ownScore) aboveOwn++;
      const image = row.ids[at]!;
      uses.set(image, (uses.get(image) ?? 0) + 1);
    }
    const chance = meanChance(chances, result.survivors, result.size);
    if (chance !== undefined) rates.push({ expression, rate: chance });
  }
  const used = [...uses]
    .map(([image, count]) => ({ image, uses: count }))
    .sort((a, b) => b.uses - a.uses || a.image - b.image);
  const top = used.slice(0, Math.max(1, Math.ceil(used.length / 100)));
  return {
    expressions: sample.length,
    candidates,
    inBand,
    full,
    empty,
    mineDeeper,
    drops,
    aboveOwn,
    falseNegatives: {
      rate: rates.length === 0 ? null : rates.reduce((sum, { rate }) => sum + rate, 0) / rates.length,
      expressions: rates.length,
      worst: rates.sort((a, b) => b.rate - a.rate || a.expression - b.expression).slice(0, mostWorst),
    },
    means: {
      band: inBands.means(),
      random: atRandom.means(),
      ownScore: owns === 0 ? Number.NaN : ownScores / owns,
    },
    own: own.result(),
    all: all.result(),
    band: band.result(),
    imagesUsed: used.length,
    mostUsed: used.slice(0, 12),
    usesOf: uses,
    topShare: inBand === 0 ? 0 : top.reduce((sum, one) => sum + one.uses, 0) / inBand,
    reuse: reuseOf(used.map((one) => one.uses)),
  };
}

const mostWorst = 6;

/** The mean chance over a band's members; undefined where none is known, or the band is empty. */
function meanChance(chances: Float32Array | undefined, survivors: ArrayLike<number>, size: number): number | undefined {
  if (chances === undefined || size === 0) return undefined;
  let sum = 0;
  for (let member = 0; member < size; member++) sum += chances[survivors[member]!]!;
  return Number.isNaN(sum) ? undefined : sum / size;
}

/** The rule whose limit the grid goes through: the one that is in force. */
export type GridRule = "risk" | "tau";

export interface CoverageCell {
  /** The limit of the rule. */
  readonly limit: number;
  readonly k: number;
  /** Share of expressions whose band can fill a mosaic. */
  readonly full: number;
  /** Mean text-to-image score in the bands. */
  readonly score: number;
  /** Estimated share of negatives that show the target's kind and are not true; null where it is not known. */
  readonly hard: number | null;
  /** Share of band places whose image scores above the expression's own. */
  readonly aboveOwn: number;
  /** Estimated rate of false negatives; null where it is not known. */
  readonly falseNegatives: number | null;
}

/** Bands over a grid of limits of one rule and K, all other settings as they are. `need` = negatives per mosaic. */
export function coverage(
  sample: readonly Sampled[],
  settings: ResolvedSettings,
  need: number,
  { rule, limits, ks }: { readonly rule: GridRule; readonly limits: readonly number[]; readonly ks: readonly number[] },
): CoverageCell[] {
  const deepest = Math.max(...ks);
  return limits.flatMap((limit) => {
    const sums = ks.map(() => ({ full: 0, places: 0, score: 0, above: 0, rated: 0, chance: 0, hard: 0 }));
    const loose = { ...settings, band: { ...settings.band, [rule]: limit, k: deepest } };
    for (const { row, context, chances } of sample) {
      const { survivors, size } = bandOf(row, context, loose);
      const own = context.ownScore ?? Number.POSITIVE_INFINITY;
      let [score, above, chance, hard, step] = [0, 0, 0, 0, 0];
      const close = (places: number): void => {
        const sum = sums[step];
        if (sum === undefined) return;
        sum.places += places;
        sum.score += score;
        sum.above += above;
        if (places >= need) sum.full++;
        if (places > 0 && chances !== undefined && !Number.isNaN(chance)) {
          sum.rated++;
          sum.chance += chance / places;
          sum.hard += hard / places;
        }
        step++;
      };
      // Every K is the beginning of the band of the largest.
      for (let member = 0; member < size; member++) {
        const at = survivors[member]!;
        const text = row.t2i[at]!;
        score += text;
        if (text > own) above++;
        if (chances !== undefined) {
          chance += chances[at]!;
          hard += row.showsKind?.[at] === 1 ? 1 - chances[at]! : 0;
        }
        if (member + 1 === ks[step]) close(member + 1);
      }
      while (step < ks.length) close(size);
    }
    return sums.map((sum, at) => ({
      limit,
      k: ks[at]!,
      full: sum.full / Math.max(1, sample.length),
      score: sum.score / Math.max(1, sum.places),
      hard: sum.rated === 0 ? null : sum.hard / sum.rated,
      aboveOwn: sum.above / Math.max(1, sum.places),
      falseNegatives: sum.rated === 0 ? null : sum.chance / sum.rated,
    }));
  });
}

/** K for the grid, ascending: 1-2-5 steps up to the depth, and the K in force. */
export function gridKs(depth: number, k: number): number[] {
  const steps = [3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].filter((step) => step <= depth);
  return withValue(steps, k);
}

/** Limits of the risk for the grid, ascending: what one would ask for, and the one in force. */
export function gridRisks(risk: number): number[] {
  return withValue([0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1], risk);
}

/** τ for the grid, ascending, over the scores of the sample, and the τ in force. */
export function gridTaus(sample: readonly Sampled[], count: number, tau: number | null): number[] {
  const { low, high } = rangeOf(sample);
  const steps = Array.from({ length: count }, (_, at) => low + ((at + 1) * (high - low)) / count);
  return tau === null ? steps : withValue(steps, tau);
}

function withValue(steps: readonly number[], value: number): number[] {
  return [...new Set([...steps, value])].sort((a, b) => a - b);
}

const bins = 48;

function rangeOf(sample: readonly Sampled[]): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { row, context } of sample) {
    for (const score of context.ownScore === undefined ? [] : [context.ownScore]) {
      low = Math.min(low, score);
      high = Math.max(high, score);
    }
    for (const score of row.t2i) {
      if (score < low) low = score;
      if (score > high) high = score;
    }
  }
  return low > high ? { low: 0, high: 1 } : { low, high: Math.max(high, low + 1e-4) };
}

function histogram({ low, high }: { low: number; high: number }): { add(score: number): void; result(): Histogram } {
  const counts = new Array<number>(bins).fill(0);
  const width = (high - low) / bins;
  return {
    add: (score) => {
      const bin = Math.max(0, Math.min(bins - 1, Math.floor((score - low) / width)));
      counts[bin] = (counts[bin] ?? 0) + 1;
    },
    result: () => ({ low, width, counts }),
  };
}

/** How many images are used once, 2-3 times, 4-7 times, … */
function reuseOf(uses: readonly number[]): { from: number; to: number; images: number }[] {
  const groups: { from: number; to: number; images: number }[] = [];
  const most = Math.max(0, ...uses.slice(0, 1));
  for (let from = 1; from <= most; from *= 2) {
    const to = from * 2 - 1;
    groups.push({ from, to, images: uses.filter((count) => count >= from && count <= to).length });
  }
  return groups;
}
