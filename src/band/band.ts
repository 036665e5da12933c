import { fail } from "../model/index.ts";
import type { ResolvedSettings } from "../settings/index.ts";
import type { BandContext } from "./context.ts";
import { isWithinCap } from "./hub-cuts.ts";
import { verdictOf } from "./rules.ts";
import { type BandSettings, thresholdsOf } from "./thresholds.ts";

/** One expression's mined candidates, best first by the rank that was chosen when mining. Aligned columns. */
export interface CandidateRow {
  /** Image rows; no repeats. */
  readonly ids: Int32Array;
  /** Text-to-image cosine scores. */
  readonly t2i: Float32Array;
  /** Image-to-image cosine scores with the expression's own image. */
  readonly i2i: Float32Array;
  /** The highest text-to-text cosine of the candidate image's own expressions with this one; -1 where it has none. */
  readonly t2t?: Float32Array;
  /** The chance that the expression is true of the image, 0 to 1; NaN where it cannot be known. */
  readonly risk?: Float32Array;
  /** What another judge scored the pair, higher = truer; NaN where it said nothing. */
  readonly judge?: Float32Array;
  /** 1 where the image shows an object of the target's kind. */
  readonly showsKind?: ArrayLike<number>;
  /** False where images are annotated too sparsely for `risk` to say that an image lacks a thing. */
  readonly isRiskKnown?: boolean;
  /** How many images could have become candidates; default: as many as are listed. */
  readonly candidates?: number;
  /** True where the depth of mining cut candidates off. */
  readonly truncated: boolean;
  /** What the candidates are ranked by: what is known of those cut off. */
  readonly rank: "t2i" | "i2i" | "mean";
}

export interface Band {
  /** Per candidate: 0 = in the band, else 1 + index into `dropRules`. Length of the row. */
  readonly verdicts: Uint8Array;
  /** Positions in the row of all survivors, best first; the first `size` are the band. */
  readonly survivors: Int32Array;
  /** Number of candidates in the band: survivors up to K. */
  readonly size: number;
  /** True where the band is not full and the row was cut while its last candidate was still above a threshold: mine deeper. */
  readonly mineDeeper: boolean;
  /** True where an image that the row lacks could be true of the expression, so that only listed ones may be drawn. */
  readonly unlistedUnsafe: boolean;
}

/**
 * Applies every rule to one expression's candidates (§1, steps 2 and 3 of the method): filters hold together, then
 * the best K survivors are the band: by rank, or first those that show the target's kind. Pure; does not modify `row`.
 * Thresholds are strict: a score equal to τ stays.
 * Errors: "incomplete" where a rule is set and the row lacks its column.
 */
export function bandOf(
  row: CandidateRow,
  context: BandContext,
  settings: BandSettings & Partial<Pick<ResolvedSettings, "legacy">>,
): Band {
  const { ids, t2i, i2i } = row;
  const n = ids.length;
  const { tau, tauImage, tauText, margin, ratio, nearDuplicate } = thresholdsOf(context, settings);
  const { k, minScore, rankFrom, rankTo } = settings.band;
  const t2t = tauText === off ? undefined : (row.t2t ?? noTextScores());
  const riskLimit = settings.band.risk ?? off;
  const risk = riskLimit === off ? undefined : (row.risk ?? noRisk());
  const skip = riskLimit === off ? 0 : ranksSkipped(row, k);
  const judgeLimit = settings.band.judge ?? off;
  const judge = judgeLimit === off ? undefined : (row.judge ?? noJudge());
  const isRiskKnown = row.isRiskKnown !== false;
  const { ownImage, judged, sameSentence, hubs, expression = -1 } = context;
  const ownAllowed = settings.legacy?.ownImage === true;
  const least = minScore ?? Number.NEGATIVE_INFINITY;
  const last = rankTo ?? Number.POSITIVE_INFINITY;
  const verdicts = new Uint8Array(n);
  const survivors = new Int32Array(n);
  let alive = 0;
  for (let at = 0; at < n; at++) {
    const id = ids[at]!;
    const text = t2i[at]!;
    const similar = i2i[at]!;
    let verdict = 0;
    if (!ownAllowed && id === ownImage) verdict = ownImageRule;
    else if (!ownAllowed && similar >= nearDuplicate) verdict = nearDuplicateRule;
    else if (!ownAllowed && judged?.has(id)) verdict = judgedRule;
    else if (sameSentence?.has(id)) verdict = sameSentenceRule;
    else if (risk !== undefined && isRisky(risk[at]!, riskLimit, isRiskKnown, at < skip)) verdict = riskRule;
    else if (judge !== undefined && judge[at]! > judgeLimit) verdict = judgeRule;
    else if (text > tau) verdict = tauRule;
    else if (similar > tauImage) verdict = tauImageRule;
    else if (text > margin) verdict = marginRule;
    else if (text > ratio) verdict = ratioRule;
    else if (t2t !== undefined && t2t[at]! > tauText) verdict = tauTextRule;
    else if (text < least) verdict = minScoreRule;
    else if (at < rankFrom || at >= last) verdict = rankWindowRule;
    else if (hubs !== undefined && !isWithinCap(hubs, id, expression, text)) verdict = hubCapRule;
    else {
      survivors[alive] = at;
      alive++;
    }
    verdicts[at] = verdict;
  }
  const size = orderSurvivors(row, survivors.subarray(0, alive), settings.band, context.kindShare);
  for (let place = size; place < alive; place++) verdicts[survivors[place]!] = beyondKRule;
  const highest = Math.min(tau, margin, ratio);
  const lastText = n > 0 ? t2i[n - 1]! : Number.POSITIVE_INFINITY;
  const lastAboveTau = lastText > highest;
  const lastAboveTauImage = n > 0 && i2i[n - 1]! > tauImage;
  const textUnknown = highest !== off && (row.rank !== "t2i" || lastAboveTau);
  return {
    verdicts,
    survivors: survivors.subarray(0, alive),
    size,
    mineDeeper: row.truncated && n > 0 && alive < k && (lastAboveTau || lastAboveTauImage || risk !== undefined),
    unlistedUnsafe: row.truncated && (textUnknown || t2t !== undefined || risk !== undefined),
  };
}

function isRisky(chance: number, limit: number, isKnown: boolean, isSkipped: boolean): boolean {
  return chance > limit || (isSkipped && (!isKnown || Number.isNaN(chance)));
}

/**
 * Where the chance cannot be known, the best ranks are dropped instead: those a twentieth of all candidate images takes,
 * as far as the list still fills the band.
 */
function ranksSkipped(row: CandidateRow, k: number): number {
  const wanted = Math.ceil(skippedShare * (row.candidates ?? row.ids.length));
  return Math.max(0, Math.min(wanted, row.ids.length - k));
}

/** On photographs with truth that know their refs' objects only (docs/tune.md). */
const skippedShare = 0.05;

/**
 * Orders survivors, best first, and returns how many of them are the band. By rank these are the first K. Where images
 * that show the target's kind come first, the band holds as many others at most, so that half of it is hard, but not
 * fewer than 10 in all.
 */
function orderSurvivors(
  row: CandidateRow,
  survivors: Int32Array,
  { k, prefer }: ResolvedSettings["band"],
  { least, times } = mosaicShare,
): number {
  const { showsKind } = row;
  if (prefer === "score" || showsKind === undefined || row.isRiskKnown === false) return Math.min(survivors.length, k);
  const hard = survivors.filter((at) => showsKind[at] === 1);
  if (hard.length === 0) return Math.min(survivors.length, k);
  survivors.set([...hard, ...survivors.filter((at) => showsKind[at] !== 1)]);
  return Math.min(survivors.length, k, Math.max(least, times * hard.length));
}

const mosaicShare = { least: 10, times: 2 };

const off = Number.POSITIVE_INFINITY;
// Looked up once: the loop above runs over every candidate of every plan.
const ownImageRule = verdictOf["own-image"];
const nearDuplicateRule = verdictOf["near-duplicate"];
const judgedRule = verdictOf.judged;
const sameSentenceRule = verdictOf["same-sentence"];
const riskRule = verdictOf.risk;
const judgeRule = verdictOf.judge;
const tauRule = verdictOf.tau;
const tauImageRule = verdictOf["tau-image"];
const marginRule = verdictOf.margin;
const ratioRule = verdictOf.ratio;
const tauTextRule = verdictOf["tau-text"];
const minScoreRule = verdictOf["min-score"];
const rankWindowRule = verdictOf["rank-window"];
const hubCapRule = verdictOf["hub-cap"];
const beyondKRule = verdictOf["beyond-k"];

function noTextScores(): never {
  return fail(
    "incomplete",
    'band.tauText needs text-to-text scores, and this mined set has none; run "nemosaic mine --t2t"',
  );
}

function noJudge(): never {
  return fail(
    "incomplete",
    'band.judge needs scores of another judge, and this mined set has none; run "nemosaic judge POOL --scores FILE"',
  );
}

function noRisk(): never {
  return fail(
    "incomplete",
    'band.risk needs estimates, and this mined set has none; run "nemosaic mine", which adds them, or set band.risk=null',
  );
}
