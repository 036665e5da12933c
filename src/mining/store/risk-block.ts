import { floatToHalf } from "../../kernels/index.ts";
import type { PairEstimate } from "../../risk/index.ts";

/** Some expressions, consecutive from `start` on, and their candidates: [expressions, depth] image rows, -1 for none. */
export interface RiskTask {
  readonly start: number;
  readonly depth: number;
  readonly ids: Int32Array;
}

/** Both columns for them: [expressions, depth]; risk as float16 bits. Where there is no candidate, NaN and 0. */
export interface RiskBlock {
  readonly risk: Uint16Array;
  readonly showsKind: Uint8Array;
}

export function estimateBlock(estimate: PairEstimate, { start, depth, ids }: RiskTask): RiskBlock {
  const columns = { risk: new Float32Array(ids.length).fill(Number.NaN), showsKind: new Uint8Array(ids.length) };
  for (let at = 0; at < ids.length; at += depth) {
    const list = ids.subarray(at, at + depth);
    const end = list.indexOf(-1);
    estimate.fill(start + at / depth, end < 0 ? list : list.subarray(0, end), columns, at);
  }
  return { risk: floatToHalf(columns.risk), showsKind: columns.showsKind };
}
