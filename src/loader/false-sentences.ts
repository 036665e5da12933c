import { openRiskEstimate, type PairEstimate } from "../risk/index.ts";
import type { Loader } from "./loader.ts";

/** What the sentences of an epoch are that are to be true of nothing. */
export interface FalseSentenceSummary {
  /** Samples looked at, and those of them that have such a sentence. */
  readonly samples: number;
  readonly drawn: number;
  /** Samples that were to have one, and of whose image none is known to be false. */
  readonly lacking: number;
  /** By where they come from. */
  readonly sources: Readonly<Record<string, number>>;
  /** Edited ones by what was changed. */
  readonly changes: Readonly<Record<string, number>>;
  /** Mean estimated chance that a sentence of the pool is true after all; NaN where none is drawn. Edited ones are checked. */
  readonly risk: number;
  /** Share of the pool's sentences whose target's kind the image shows; NaN likewise. */
  readonly showsKind: number;
}

/** Looks at the plans of some samples of an epoch; undefined where none has such a sentence, or lacks one. */
export async function summariseFalseSentences(
  loader: Loader,
  epoch: number,
  indices: Iterable<number>,
): Promise<FalseSentenceSummary | undefined> {
  const { pool, settings } = loader;
  if (!loader.augmented || settings.gres.negativeSentence === 0) return undefined;
  let estimate: PairEstimate | undefined;
  const sources: Record<string, number> = {};
  const changes: Record<string, number> = {};
  let [samples, drawn, lacking, pooled, risk, shown] = [0, 0, 0, 0, 0, 0];
  for (const index of indices) {
    const { why, layers } = loader.plan(epoch, index);
    samples++;
    if (why.policy === "no-sentence") lacking++;
    const { sentence } = why;
    if (sentence === undefined) continue;
    drawn++;
    sources[sentence.source] = (sources[sentence.source] ?? 0) + 1;
    if (sentence.change !== undefined) {
      changes[sentence.change.kind] = (changes[sentence.change.kind] ?? 0) + 1;
      continue;
    }
    const image = pool.imageRow(layers.find(({ role }) => role === "target")?.image ?? "");
    const expression = pool.expressionRow(sentence.expression);
    estimate ??= await openRiskEstimate(pool);
    const chance = sentence.risk ?? estimate.chance(expression, image);
    if (Number.isNaN(chance)) continue; // of a no-target expression nothing is known
    pooled++;
    risk += chance;
    if (estimate.showsKind(expression, image)) shown++;
  }
  return {
    samples,
    drawn,
    lacking,
    sources,
    changes,
    risk: pooled === 0 ? Number.NaN : risk / pooled,
    showsKind: pooled === 0 ? Number.NaN : shown / pooled,
  };
}
