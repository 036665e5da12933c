/**
 * The rules in the order in which they are asked; a candidate is dropped by the first that holds. The first group says
 * that an image is the target's or could be true of the expression: it holds for every draw. The second says that an
 * image is too easy, too hard or used too often: it shapes the band only.
 */
export const dropRules = [
  "own-image",
  "near-duplicate",
  "judged",
  "same-sentence",
  "risk",
  "judge",
  "tau",
  "tau-image",
  "margin",
  "ratio",
  "tau-text",
  "min-score",
  "rank-window",
  "hub-cap",
  "beyond-k",
] as const;
export type DropRule = (typeof dropRules)[number];

/** What each rule means, for people. */
export const dropRuleTexts: Readonly<Record<DropRule, string>> = {
  "own-image": "the expression's own image",
  "near-duplicate": "a near-duplicate of its own image",
  judged: "judged a false negative by a person",
  "same-sentence": "the same sentence is said of it",
  risk: "probably true (risk or rank)",
  judge: "scored above band.judge by another judge: probably true",
  tau: "text-to-image score above τ: probably true",
  "tau-image": "image-to-image score above τᵢ: too similar to the target image",
  margin: "text-to-image score within the margin of the own image's: probably true",
  ratio: "text-to-image score above the ratio of the own image's: probably true",
  "tau-text": "one of its own expressions is more similar to this one than τₜ: probably true",
  "min-score": "text-to-image score below band.minScore: too easy",
  "rank-window": "outside the window of ranks",
  "hub-cap": "used too often (band.hubCap): kept for the expressions that score it best",
  "beyond-k": "beyond K: too easy",
};

/** A rule's number in `Band.verdicts`; 0 there means that no rule holds. */
export const verdictOf: Readonly<Record<DropRule, number>> = Object.fromEntries(
  dropRules.map((rule, at) => [rule, at + 1]),
) as Record<DropRule, number>;

/** The rule that dropped a candidate, or undefined where it is in the band. */
export function ruleOf(verdict: number): DropRule | undefined {
  return verdict === 0 ? undefined : dropRules[verdict - 1];
}

/** True where the candidate is the target's image or could be true of the expression: never drawn, also not at random. */
export function isBarred(verdict: number): boolean {
  return verdict > 0 && verdict < verdictOf["min-score"];
}

/** How many candidates each rule dropped. */
export function countDrops(verdicts: Uint8Array): Record<DropRule, number> {
  const counts = new Array<number>(dropRules.length + 1).fill(0);
  for (const verdict of verdicts) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return Object.fromEntries(dropRules.map((rule, at) => [rule, counts[at + 1] ?? 0])) as Record<DropRule, number>;
}
