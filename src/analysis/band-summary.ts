import { bandOf, countDrops, type DropRule, dropRules } from "../band/index.ts";
import type { Mined, Pool } from "../pool/index.ts";
import type { ResolvedSettings } from "../settings/index.ts";
import type { BandSelection } from "./band-selection.ts";

/** How the bands of many expressions look under given settings. */
export interface BandSummary {
  /** Expressions looked at, and how many there are. */
  readonly expressions: number;
  readonly total: number;
  readonly candidates: number;
  /** Candidates by the rule that dropped them, and those in bands. */
  readonly drops: Readonly<Record<DropRule, number>>;
  readonly inBand: number;
  /** Expressions whose band can fill a mosaic, and those whose cannot (the policy decides). */
  readonly full: number;
  readonly tooFew: number;
  readonly empty: number;
  /** Expressions whose list was cut while still above a threshold: mine deeper. */
  readonly mineDeeper: number;
  /** Quartiles of the band's size. */
  readonly bandSize: readonly [min: number, lower: number, median: number, upper: number, max: number];
  /** Mean text-to-image score of positives (own images) and of the band's members. */
  readonly meanOwn: number;
  readonly meanBand: number;
  /** Distinct images in any band, and the share of all band places that the most used 1 % of them take. */
  readonly imagesUsed: number;
  readonly topPercentShare: number;
}

/** Looks at bands, by position: memory does not grow with the pool. */
export function summariseBands(
  pool: Pool,
  mined: Mined,
  settings: ResolvedSettings,
  { rows, need, contextOf, task }: BandSelection,
): BandSummary {
  const drops = Object.fromEntries(dropRules.map((rule) => [rule, 0])) as Record<DropRule, number>;
  const sizes = new Int32Array(rows.length);
  const uses = new Float64Array(pool.images.count);
  let [candidates, inBand, tooFew, empty, mineDeeper, own, positives, bandScores] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let at = 0; at < rows.length; at++) {
    const expression = rows[at]!;
    const row = mined.row(expression);
    const context = contextOf(expression);
    const band = bandOf(row, context, settings);
    for (const [rule, count] of Object.entries(countDrops(band.verdicts))) drops[rule as DropRule] += count;
    candidates += row.ids.length;
    inBand += band.size;
    sizes[at] = band.size;
    if (band.size < need) tooFew++;
    if (band.size === 0) empty++;
    if (band.mineDeeper) mineDeeper++;
    if (context.ownScore !== undefined) {
      own += context.ownScore;
      positives++;
    }
    for (let member = 0; member < band.size; member++) {
      const position = band.survivors[member]!;
      bandScores += row.t2i[position]!;
      const image = row.ids[position]!;
      uses[image] = uses[image]! + 1;
    }
    task?.advance();
  }
  sizes.sort();
  const quantile = (share: number): number => sizes[Math.min(sizes.length - 1, Math.floor(share * sizes.length))] ?? 0;
  const used = uses.filter((count) => count > 0).sort();
  const top = used.subarray(used.length - Math.max(1, Math.ceil(used.length / 100)));
  return {
    expressions: rows.length,
    total: pool.expressions.count,
    candidates,
    drops,
    inBand,
    full: rows.length - tooFew,
    tooFew,
    empty,
    mineDeeper,
    bandSize: [quantile(0), quantile(0.25), quantile(0.5), quantile(0.75), quantile(1)],
    meanOwn: own / Math.max(1, positives),
    meanBand: bandScores / Math.max(1, inBand),
    imagesUsed: used.length,
    topPercentShare: inBand === 0 ? 0 : top.reduce((sum, count) => sum + count, 0) / inBand,
  };
}
