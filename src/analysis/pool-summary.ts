import type { Pool } from "../pool/index.ts";

/** What a pool holds, by source and split. */
export interface PoolSummary {
  readonly images: number;
  readonly annotations: number;
  readonly refs: number;
  readonly expressions: number;
  readonly splits: readonly SplitSummary[];
  readonly multiTarget: number;
  readonly noTarget: number;
  /** Mean words per expression. */
  readonly meanWords: number;
}

export interface SplitSummary {
  readonly source: string;
  readonly split: string;
  readonly images: number;
  readonly refs: number;
  readonly expressions: number;
}

/** Counts a pool's records. */
export function summarisePool(pool: Pool): PoolSummary {
  const groups = new Map<
    string,
    { source: string; split: string; images: Set<number>; refs: number; expressions: number }
  >();
  let multiTarget = 0;
  let noTarget = 0;
  for (let ref = 0; ref < pool.refs.count; ref++) {
    const source = pool.refs.source[ref] ?? "";
    const split = pool.refs.split[ref] ?? "";
    const key = `${source}\n${split}`;
    const group = groups.get(key) ?? { source, split, images: new Set(), refs: 0, expressions: 0 };
    const [start, end] = pool.expressionsOfRef(ref);
    group.images.add(pool.refs.image[ref]!);
    group.refs++;
    group.expressions += end - start;
    groups.set(key, group);
    const targets = pool.targetsOfRef(ref).length;
    if (targets === 0) noTarget++;
    if (targets > 1) multiTarget++;
  }
  let words = 0;
  for (const sent of pool.expressions.sent) words += sent.split(/\s+/).filter((word) => word !== "").length;
  return {
    images: pool.images.count,
    annotations: pool.annotations.count,
    refs: pool.refs.count,
    expressions: pool.expressions.count,
    splits: [...groups.values()].map((group) => ({ ...group, images: group.images.size })),
    multiTarget,
    noTarget,
    meanWords: words / Math.max(1, pool.expressions.count),
  };
}
