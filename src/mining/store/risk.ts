import { availableParallelism } from "node:os";
import type { Progress } from "../../io/index.ts";
import { CounterRandom } from "../../kernels/index.ts";
import { type Mined, minedFolder, type Pool } from "../../pool/index.ts";
import { openRiskEstimate, type RiskEstimate } from "../../risk/index.ts";
import { type ExtraMaker, makeExtras } from "./extras.ts";
import { estimateBlock, type RiskBlock, type RiskTask } from "./risk-block.ts";
import { canStartThreads, openRiskThreads, type RiskThreads, riskWorker } from "./risk-threads.ts";

export interface RiskOptions {
  readonly name: string;
  readonly force: boolean;
  readonly progress: Progress;
  /** Expressions per step: what is lost when a run is killed. Never changes a byte. */
  readonly stepExpressions?: number | undefined;
  /** Threads that estimate; default all cores. Never changes a byte. */
  readonly threads?: number | undefined;
  /** Fewer pairs are not worth a thread. */
  readonly pairsPerThread?: number | undefined;
}

/**
 * Adds to mined/<name>, for each listed candidate, the columns `risk`, the estimated chance that the expression is true of
 * it (NaN for no-target expressions), and `showsKind`, 1 where it shows an object of a target's category. Both come from
 * the pool's tables alone, in one pass. Steps are journalled; does nothing where they are there already. Errors: "internal"
 * where a thread ends.
 */
export async function mineRisk(pool: Pool, mined: Mined, options: RiskOptions): Promise<void> {
  const { name, force, progress, stepExpressions = mostExpressions } = options;
  const { depth, expressions } = mined.manifest;
  const stepRows = Math.max(1, Math.min(stepExpressions, Math.floor(stepBytes / (4 * depth))));
  await makeExtras(
    minedFolder(pool.folder, name),
    ["risk", "showsKind"],
    {
      mined: mined.manifest,
      shape: [expressions, depth],
      stepRows,
      force,
      progress,
      label: "risk",
      unit: "expressions",
    },
    () => openMaker(pool, mined, options),
  );
}

async function openMaker(pool: Pool, mined: Mined, options: RiskOptions): Promise<ExtraMaker> {
  const { depth, expressions } = mined.manifest;
  const { threads = availableParallelism(), pairsPerThread = pairsOfASecond, progress } = options;
  const estimate = await openRiskEstimate(pool);
  const facts = (): object[] => {
    const shared = { depth, expressions, estimate: estimateVersion };
    return [{ ...shared, coverage: estimate.coverage, random: randomRisk(pool, mined, estimate) }, shared];
  };
  const count = Math.min(threads, Math.ceil((expressions * depth) / pairsPerThread));
  if (count < 2 || !canStartThreads()) {
    const make = async (start: number, rows: number) => columnsOf(estimateBlock(estimate, taskOf(mined, start, rows)));
    return { facts: facts(), make, close: async () => undefined };
  }
  const started = openRiskThreads(riskWorker(), { facts: estimate.facts, pool: pool.folder }, count);
  try {
    await started.measureBoxes(progress);
    return { facts: facts(), make: makeAhead(mined, started), close: () => started.close() };
  } catch (error) {
    await started.close();
    throw error;
  }
}

/** Has the threads make the step behind the one that is asked for, too: they go on while it is written. */
function makeAhead(mined: Mined, threads: RiskThreads): ExtraMaker["make"] {
  const { expressions, depth } = mined.manifest;
  let ahead: { readonly start: number; readonly count: number; readonly made: Promise<RiskBlock> } | undefined;
  const begin = (start: number, count: number) => {
    const made = makeInThreads(mined, threads, start, count, depth);
    made.catch(() => undefined); // told to whoever waits for it
    return { start, count, made };
  };
  return async (start, count) => {
    const now = ahead?.start === start && ahead.count === count ? ahead : begin(start, count);
    const next = start + count;
    ahead = next < expressions ? begin(next, Math.min(count, expressions - next)) : undefined;
    return columnsOf(await now.made);
  };
}

async function makeInThreads(
  mined: Mined,
  threads: RiskThreads,
  start: number,
  count: number,
  depth: number,
): Promise<RiskBlock> {
  const rows = Math.max(1, Math.floor(taskPairs / depth));
  const block = { risk: new Uint16Array(count * depth), showsKind: new Uint8Array(count * depth) };
  const parts = Array.from({ length: Math.ceil(count / rows) }, async (_, part) => {
    const first = part * rows;
    const made = await threads.estimate(taskOf(mined, start + first, Math.min(rows, count - first)));
    block.risk.set(made.risk, first * depth);
    block.showsKind.set(made.showsKind, first * depth);
  });
  await Promise.all(parts);
  return block;
}

/** The candidates of `count` expressions from `start` on; lists that are shorter end with -1. */
function taskOf(mined: Mined, start: number, count: number): RiskTask {
  const { depth } = mined.manifest;
  const ids = new Int32Array(count * depth).fill(-1);
  for (let row = 0; row < count; row++) ids.set(mined.row(start + row).ids, row * depth);
  return { start, depth, ids };
}

function columnsOf({ risk, showsKind }: RiskBlock): [[Uint16Array], [Uint8Array]] {
  return [[risk], [showsKind]];
}

/** What random candidates are to some of the expressions that are true of something: the baseline that bands are held against. */
function randomRisk(pool: Pool, mined: Mined, estimate: RiskEstimate): { risk: number; hard: number } | undefined {
  const splits = new Set(mined.manifest.candidates.splits);
  const isIn = (row: number): boolean => splits.has(pool.refs.split[row] ?? "");
  const refs = Array.from({ length: pool.refs.count }, (_, row) => row).filter(isIn);
  const images = [...new Set(refs.map((row) => pool.refs.image[row]!))];
  const rows = refs.flatMap((row) => (pool.targetsOfRef(row).length > 0 ? [pool.expressionsOfRef(row)] : []));
  const expressions = rows.flatMap(([start, end]) => Array.from({ length: end - start }, (_, at) => start + at));
  if (expressions.length === 0 || images.length < 2) return undefined;
  let [risk, hard, pairs] = [0, 0, 0];
  for (let draw = 0; draw < randomExpressions; draw++) {
    const random = new CounterRandom(0, 0, draw, 105);
    const expression = expressions[random.below(expressions.length)]!;
    const own = pool.refs.image[pool.expressions.ref[expression]!];
    for (let at = 0; at < randomImages; at++) {
      const image = images[random.below(images.length)]!;
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
/** What a thread estimates in about a second: starting it takes a third of that. */
const pairsOfASecond = 2 ** 21;
/** Pairs that a thread gets at a time. */
const taskPairs = 2 ** 16;
