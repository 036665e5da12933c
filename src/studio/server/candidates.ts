import type { BandContext, HubCuts } from "../../band/index.ts";
import { CounterRandom } from "../../kernels/index.ts";
import { splitsOf } from "../../loader/index.ts";
import { fail } from "../../model/index.ts";
import type { Mined, Pool } from "../../pool/index.ts";
import type { CandidateAnswer, SampleAnswer } from "../page/contract.ts";
import type { Judged } from "./judged.ts";

/** Candidates in one sample, over all of its expressions: bounds its bytes. */
const sampleCells = 1_500_000;
const sampleExpressions = 2_000;

/** What the room `band` needs to know of an expression; the hub cap's cuts, which all bands share, are given. */
export function bandContextOf(
  pool: Pool,
  mined: Mined,
  judged: Judged,
  expression: number,
  hubs?: HubCuts,
): BandContext {
  const ref = pool.expressions.ref[expression] ?? fail("usage", `expected an expression row, got ${expression}`);
  const images = judged.of(expression);
  const targets = pool.targetsOfRef(ref).length;
  const ownScore = mined.own[expression];
  return {
    expression,
    ownImage: pool.refs.image[ref]!,
    targets,
    // NaN where an imported list lacks the own image; an answer would carry it as null.
    ...(targets === 0 || ownScore === undefined || Number.isNaN(ownScore) ? {} : { ownScore }),
    ...(images === undefined ? {} : { judged: images }),
    ...(hubs === undefined ? {} : { hubs }),
  };
}

/** One expression's candidates, as the page bands them. */
export function candidatesOf(pool: Pool, mined: Mined, judged: Judged, expression: number): CandidateAnswer {
  const context = bandContextOf(pool, mined, judged, expression);
  return { expression, row: mined.row(expression), context };
}

/** The expressions that the overview looks at. */
export interface SampleRows {
  readonly split: string;
  /** Expressions of that split. */
  readonly total: number;
  /** In the order of the draw, so that any first part of them is a fair sample, too. */
  readonly rows: Int32Array;
}

/** Expressions of the training split (else of the first), by a fixed draw; so many that their candidates stay within bounds. */
export function sampleRows(pool: Pool, mined: Mined): SampleRows {
  const splits = splitsOf(pool);
  const split = splits.includes("train") ? "train" : (splits[0] ?? "");
  const all = Int32Array.from(pool.expressions.ref.keys()).filter(
    (row) => pool.refs.split[pool.expressions.ref[row]!] === split,
  );
  const most = Math.max(1, Math.min(sampleExpressions, Math.floor(sampleCells / mined.manifest.depth)));
  const drawn = new CounterRandom(0, 0, 0, 103).sample(all.length, Math.min(most, all.length));
  return { split, total: all.length, rows: Int32Array.from(drawn, (at) => all[at]!) };
}

/** The sample's candidates. */
export function sampleOf(pool: Pool, mined: Mined, judged: Judged, { split, total, rows }: SampleRows): SampleAnswer {
  return {
    split,
    total,
    answers: Array.from(rows, (expression) => candidatesOf(pool, mined, judged, expression)),
  };
}
