import type { ResolvedSettings } from "../settings/index.ts";

/** One expression's mined candidates, best first by the rank that was chosen when mining. Aligned columns. */
export interface CandidateRow {
  /** Image rows; no repeats. */
  readonly ids: Int32Array;
  /** Text-to-image cosine scores. */
  readonly t2i: Float32Array;
  /** Image-to-image cosine scores with the expression's own image. */
  readonly i2i: Float32Array;
  /** True where the depth of mining cut candidates off. */
  readonly truncated: boolean;
  /** What the candidates are ranked by: what is known of those cut off. */
  readonly rank: "t2i" | "i2i" | "mean";
}

/** What the rules need to know of the expression itself. */
export interface BandContext {
  /** Row of the expression's own image. */
  readonly ownImage: number;
  /** Image rows that a person judged to be false negatives of this expression. */
  readonly judged?: ReadonlySet<number>;
}

/** The rules in the order in which they are asked; a candidate is dropped by the first that holds. */
export const dropRules = ["own-image", "near-duplicate", "judged", "tau", "tau-image", "beyond-k"] as const;
export type DropRule = (typeof dropRules)[number];

/** What each rule means, for people. */
export const dropRuleTexts: Readonly<Record<DropRule, string>> = {
  "own-image": "the expression's own image",
  "near-duplicate": "a near-duplicate of its own image",
  judged: "judged a false negative by a person",
  tau: "text-to-image score above τ: probably true",
  "tau-image": "image-to-image score above τᵢ: too similar to the target image",
  "beyond-k": "survived, but beyond K: too easy",
};

export interface Band {
  /** Per candidate: 0 = in the band, else 1 + index into `dropRules`. Length of the row. */
  readonly verdicts: Uint8Array;
  /** Positions in the row of all survivors, best first; the first `size` are the band. */
  readonly survivors: Int32Array;
  /** Number of candidates in the band: survivors up to K. */
  readonly size: number;
  /** True where the band is not full and the row was cut while its last candidate was still above τ or τᵢ: mine deeper. */
  readonly mineDeeper: boolean;
  /** True where an image that the row lacks could be above τ, so that only listed survivors may be drawn. */
  readonly unlistedUnsafe: boolean;
}

/**
 * Applies every rule to one expression's candidates (§1, steps 2 and 3 of the method): filters hold together, then
 * the best K survivors are the band. Pure; does not modify `row`. Thresholds are strict: a score equal to τ stays.
 */
export function bandOf(
  row: CandidateRow,
  context: BandContext,
  settings: Pick<ResolvedSettings, "band" | "guards">,
): Band {
  const { ids, t2i, i2i } = row;
  const n = ids.length;
  const tau = settings.band.tau ?? Number.POSITIVE_INFINITY;
  const tauImage = settings.band.tauImage ?? Number.POSITIVE_INFINITY;
  const nearDuplicate = settings.guards.nearDuplicate ?? Number.POSITIVE_INFINITY;
  const judged = context.judged;
  const verdicts = new Uint8Array(n);
  const survivors = new Int32Array(n);
  let alive = 0;
  for (let at = 0; at < n; at++) {
    const id = ids[at] as number;
    const similar = i2i[at] as number;
    let verdict = 0;
    if (id === context.ownImage) verdict = ownImage;
    else if (similar >= nearDuplicate) verdict = nearDuplicateRule;
    else if (judged?.has(id)) verdict = judgedRule;
    else if ((t2i[at] as number) > tau) verdict = tauRule;
    else if (similar > tauImage) verdict = tauImageRule;
    else {
      survivors[alive] = at;
      if (alive >= settings.band.k) verdict = beyondK;
      alive++;
    }
    verdicts[at] = verdict;
  }
  const lastAboveTau = n > 0 && (t2i[n - 1] as number) > tau;
  const lastAboveTauImage = n > 0 && (i2i[n - 1] as number) > tauImage;
  return {
    verdicts,
    survivors: survivors.subarray(0, alive),
    size: Math.min(alive, settings.band.k),
    mineDeeper: row.truncated && alive < settings.band.k && (lastAboveTau || lastAboveTauImage),
    unlistedUnsafe: row.truncated && settings.band.tau !== null && (row.rank !== "t2i" || lastAboveTau),
  };
}

/** The rule that dropped a candidate, or undefined where it is in the band. */
export function ruleOf(verdict: number): DropRule | undefined {
  return verdict === 0 ? undefined : dropRules[verdict - 1];
}

/** True where no rule dropped the candidate, or K alone did: it may be drawn when the band has to be widened. */
export function survives(verdict: number): boolean {
  return verdict === 0 || verdict === beyondK;
}

/** How many candidates each rule dropped. */
export function countDrops(verdicts: Uint8Array): Record<DropRule, number> {
  const counts = new Array<number>(dropRules.length + 1).fill(0);
  for (const verdict of verdicts) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return Object.fromEntries(dropRules.map((rule, at) => [rule, counts[at + 1] ?? 0])) as Record<DropRule, number>;
}

const ownImage = 1 + dropRules.indexOf("own-image");
const nearDuplicateRule = 1 + dropRules.indexOf("near-duplicate");
const judgedRule = 1 + dropRules.indexOf("judged");
const tauRule = 1 + dropRules.indexOf("tau");
const tauImageRule = 1 + dropRules.indexOf("tau-image");
const beyondK = 1 + dropRules.indexOf("beyond-k");
