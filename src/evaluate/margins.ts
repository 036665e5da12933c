import type { Pool } from "../pool/index.ts";

/** What is read of a mined set (`Mined` of the room pool): own scores, and candidates with their text-to-image scores. */
export interface MinedScores {
  readonly own: Float32Array;
  row(expression: number): { readonly ids: Int32Array; readonly t2i: Float32Array };
}

/**
 * The margin of every expression, by key: its score with its own image minus the best score among its mined candidates,
 * its own image left out. Negative: the image-text model takes another image for the better match. NaN where the
 * expression was not scored.
 */
export function ambiguityMargins(pool: Pool, mined: MinedScores): ReadonlyMap<string, number> {
  const margins = new Map<string, number>();
  for (let row = 0; row < pool.expressions.count; row++) {
    const image = pool.refs.image[pool.expressions.ref[row] ?? 0];
    const { ids, t2i } = mined.row(row);
    let best = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] ?? -1;
      const value = t2i[i] ?? Number.NaN;
      if (id >= 0 && id !== image && value > best) best = value;
    }
    const own = mined.own[row] ?? Number.NaN;
    margins.set(pool.expressionKey(row), best === Number.NEGATIVE_INFINITY ? Number.NaN : own - best);
  }
  return margins;
}
