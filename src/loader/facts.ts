import type { CandidateRow } from "../band/index.ts";
import { hashJson } from "../io/index.ts";
import { fail, resampleVersions, unknownName } from "../model/index.ts";
import type { PlanFacts } from "../plan/index.ts";
import type { Mined, Pool } from "../pool/index.ts";
import type { ResolvedSettings, ScoreSummary } from "../settings/index.ts";

/** The splits of a pool's refs, most refs first. */
export function splitsOf(pool: Pool): string[] {
  const counts = new Map<string, number>();
  for (const split of pool.refs.split) counts.set(split, (counts.get(split) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([split]) => split);
}

/** Rows of the images that a ref of one of `splits` is about, ascending. Errors: "usage" for a split the pool lacks. */
export function imagesOfSplits(pool: Pool, splits: readonly string[]): Int32Array {
  const known = splitsOf(pool);
  for (const split of splits) if (!known.includes(split)) throw unknownName("split", split, known);
  const wanted = new Set(splits);
  const isIn = new Uint8Array(pool.images.count);
  pool.refs.split.forEach((split, ref) => {
    if (wanted.has(split)) isIn[pool.refs.image[ref] as number] = 1;
  });
  return Int32Array.from(isIn.keys()).filter((row) => isIn[row] === 1);
}

/** The mined scores that "auto" thresholds are derived from. */
export function scoreSummary(mined: Mined | undefined): ScoreSummary | undefined {
  if (mined === undefined) return undefined;
  const { own, i2i } = mined.manifest.scores;
  return { ownMedian: own["0.5"] ?? null, i2iHigh: i2i["0.95"] ?? null };
}

/** The identity of resolved settings in plans: changes with anything that could change a sample. */
export function settingsHash(settings: ResolvedSettings): string {
  const { tokens: _tokens, onBadImage: _onBadImage, ...drawn } = settings;
  return hashJson({ ...drawn, resampleVersion: resampleVersions[settings.resample] });
}

export interface FactsOptions {
  readonly split: string;
  /** ref or expression; validation and test splits run over expressions. */
  readonly unit: "ref" | "expression";
  readonly settings: ResolvedSettings;
  readonly mined: Mined | undefined;
  /** False negatives by expression key → image hashes. */
  readonly judgements: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What planning needs to know, over an open pool. Errors: "usage" for a split the pool lacks. */
export function planFacts(pool: Pool, options: FactsOptions): PlanFacts {
  const { split, unit, mined, judgements } = options;
  const splits = splitsOf(pool);
  if (!splits.includes(split)) throw unknownName("split", split, splits);
  const refOf = pool.expressions.ref;
  const count = unit === "ref" ? pool.refs.count : pool.expressions.count;
  const refOfUnit = (row: number): number => (unit === "ref" ? row : (refOf[row] as number));
  const units = Int32Array.from({ length: count }, (_, row) => row).filter(
    (row) => pool.refs.split[refOfUnit(row)] === split,
  );
  const judgedRows = new Map<number, ReadonlySet<number>>();
  for (const [key, images] of judgements) {
    const rows = [...images].flatMap((hash) => rowOrNothing(() => pool.imageRow(hash)));
    for (const expression of rowOrNothing(() => pool.expressionRow(key))) judgedRows.set(expression, new Set(rows));
  }
  return {
    pool: pool.manifest.hash,
    settings: settingsHash(options.settings),
    units,
    unit,
    candidateImages: imagesOfSplits(pool, mined?.manifest.candidates.splits ?? [split]),
    expressionsOfRef: (ref) => pool.expressionsOfRef(ref),
    refOfExpression: (row) => refOf[row] ?? fail("internal", `no expression row ${row}`),
    expression: (row) => ({ key: pool.expressionKey(row), text: pool.expressions.sent[row] ?? "" }),
    ref: (row) => ({
      image: pool.refs.image[row] ?? 0,
      masks: Array.from(pool.targetsOfRef(row), (target) => pool.annotationKey(target)),
    }),
    image: (row) => ({
      key: pool.images.hash[row] ?? "",
      width: pool.images.width[row] ?? 0,
      height: pool.images.height[row] ?? 0,
    }),
    candidates: (row): CandidateRow | undefined => mined?.row(row),
    judged: (row) => judgedRows.get(row),
  };
}

/** Judgements outlive pools: one on an image or expression that is gone says nothing. */
function rowOrNothing(find: () => number): number[] {
  try {
    return [find()];
  } catch {
    return [];
  }
}
