import type { DropRule } from "../../../band/index.ts";

/** The rules in the few letters that a card has room for. */
export const shortRules: Readonly<Record<DropRule, string>> = {
  "own-image": "its own image",
  "near-duplicate": "near-duplicate",
  judged: "false negative",
  "same-sentence": "same sentence",
  risk: "probably true",
  judge: "another judge",
  tau: "above τ",
  "tau-image": "above τᵢ",
  "tau-text": "above τₜ",
  margin: "within margin",
  ratio: "above ratio",
  "min-score": "below minimum",
  "rank-window": "outside ranks",
  "hub-cap": "hub",
  "beyond-k": "beyond K",
};
