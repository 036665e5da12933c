import type { Progress } from "../../io/index.ts";
import { CounterRandom, floatToHalf } from "../../kernels/index.ts";
import { type Mined, minedFolder, type Pool } from "../../pool/index.ts";
import { openRiskEstimate, type RiskEstimate } from "../../risk/index.ts";
import { makeExtra } from "./extras.ts";

export interface RiskOptions {
  readonly name: string;
  readonly force: boolean;
  readonly progress: Progress;
  /** Expressions per step: what is lost when a run is killed. Never changes a byte. */
  readonly stepExpressions?: number;
}

/**
 * Adds to mined/<name>, for each listed candidate, the columns `risk`, the estimated chance that the expression is true of
 * it (NaN for no-target expressions), and `showsKind`, 1 where it shows an object of a target's category. Both come from
 * the pool's tables alone. Steps are journalled; does nothing where they are there already.
 */
export async function mineRisk(pool: Pool, mined: Mined, options: RiskOptions): Promise<void> {
  const { name, force, progress, stepExpressions = mostExpressions } = options;
  const { depth, expressions } = mined.manifest;
  const folder = minedFolder(pool.folder, name);
  const estimate = await openRiskEstimate(pool);
  const extra = {
    mined: mined.manifest,
    shape: [expressions, depth],
    stepRows: Math.max(1, Math.min(stepExpressions, Math.floor(stepBytes / (4 * depth)))),
    force,
    progress,
    unit: "expressions",
  } as const;
  const block = (start: number, count: number, empty: number, ask: (expression: number, image: number) => number) => {
    const values = new Float32Array(count * depth).fill(empty);
    for (let row = 0; row < count; row++)
      mined.row(start + row).ids.forEach((image, at) => {
        values[row * depth + at] = ask(start + row, image);
      });
    return values;
  };
  const { coverage } = estimate;
  const random = randomRisk(pool, mined, estimate);
  await makeExtra(
    folder,
    "risk",
    { ...extra, facts: { depth, expressions, estimate: estimateVersion, coverage, random }, label: "risk" },
    async (start, count) => [floatToHalf(block(start, count, Number.NaN, estimate.chance))],
  );
  await makeExtra(
    folder,
    "showsKind",
    { ...extra, facts: { depth, expressions, estimate: estimateVersion }, label: "kinds shown" },
    async (start, count) => [
      Uint8Array.from(block(start, count, 0, (expression, image) => (estimate.showsKind(expression, image) ? 1 : 0))),
    ],
  );
}

/** What random candidates are to some of the expressions that are true of something: the baseline that bands are held against. */
function randomRisk(pool: Pool, mined: Mined, estimate: RiskEstimate): { risk: number; hard: number } | undefined {
  const splits = new Set(mined.manifest.candidates.splits);
  const isIn = (row: number): boolean => splits.has(pool.refs.split[row] ?? "");
  const refs = Array.from({ length: pool.refs.count }, (_, row) => row).filter(isIn);
  const images = [...new Set(refs.map((row) => pool.refs.image[row] as number))];
  const rows = refs.flatMap((row) => (pool.targetsOfRef(row).length > 0 ? [pool.expressionsOfRef(row)] : []));
  const expressions = rows.flatMap(([start, end]) => Array.from({ length: end - start }, (_, at) => start + at));
  if (expressions.length === 0 || images.length < 2) return undefined;
  let [risk, hard, pairs] = [0, 0, 0];
  for (let draw = 0; draw < randomExpressions; draw++) {
    const random = new CounterRandom(0, 0, draw, 105);
    const expression = expressions[random.below(expressions.length)] as number;
    const own = pool.refs.image[pool.expressions.ref[expression] as number];
    for (let at = 0; at < randomImages; at++) {
      const image = images[random.below(images.length)] as number;
      if (image === own) continue;
      const chance = estimate.chance(expression, image);
      risk += chance;
      if (estimate.showsKind(expression, image)) hard += 1 - chance;
      pairs++;
    }
  }
  return pairs === 0 ? undefined : { risk: risk / pairs, hard: hard / pairs };
}

const randomExpressions = 1000;
const randomImages = 16;

/** Changes with what is estimated, so that a killed run of an earlier version is not gone on with. */
const estimateVersion = 1;
const mostExpressions = 2048;
const stepBytes = 2 ** 25;
