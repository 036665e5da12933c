/** The rules in the few letters that a card has room for; a rule that is not here shows by its own name. */
export const shortRules: Readonly<Record<string, string>> = {
  "own-image": "its own image",
  "near-duplicate": "near-duplicate",
  judged: "false negative",
  "same-sentence": "same sentence",
  risk: "probably true",
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
