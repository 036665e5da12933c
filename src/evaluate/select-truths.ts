import { fail, quoteValue, someOf } from "../model/index.ts";
import type { Preset, SentenceRule } from "./presets.ts";
import type { Truth } from "./truth.ts";

export interface Selection {
  /** To be scored. */
  readonly scored: readonly Truth[];
  readonly splits: readonly string[];
  readonly expressions: number;
  readonly otherSentences: number;
}

export interface SelectOptions {
  /** Names of splits; undefined: the split in which all predictions lie. */
  readonly splits: readonly string[] | undefined;
  /** Keys of expressions to keep (a subset's list); undefined: all. */
  readonly keys: ReadonlySet<string> | undefined;
}

/** Drops truths whose key has come before, keeping the first; says how many. */
export function dropRepeats(truths: readonly Truth[]): { truths: readonly Truth[]; repeated: number } {
  const kept = new Map<string, Truth>();
  for (const truth of truths) if (!kept.has(truth.key)) kept.set(truth.key, truth);
  return { truths: [...kept.values()], repeated: truths.length - kept.size };
}

/**
 * The expressions that are scored: of the splits, of the list of keys, and of each ref the sentences that the preset
 * takes. `predicted` are the keys that have a prediction. Errors: an unknown split, no split named where predictions lie
 * in several, keys that the truth does not have, nothing left.
 */
export function selectTruths(
  truths: readonly Truth[],
  predicted: ReadonlySet<string>,
  preset: Preset,
  options: SelectOptions,
): Selection {
  const splits =
    options.splits === undefined ? splitOfPredictions(truths, predicted) : knownSplits(truths, options.splits);
  const inSplits = truths.filter((truth) => splits.includes(truth.split));
  const wanted = options.keys === undefined ? inSplits : selectListed(truths, inSplits, options.keys);
  const scored = wanted.filter((truth) => isScored(truth, preset));
  if (scored.length === 0)
    fail(
      "usage",
      `no expression is left to score in ${splits.map(quoteValue).join(", ")}; check --split and the list of ids`,
    );
  return { scored, splits, expressions: wanted.length, otherSentences: wanted.length - scored.length };
}

function isScored(truth: Truth, preset: Preset): boolean {
  const rule: SentenceRule = truth.split === "val" ? preset.sentences.val : preset.sentences.other;
  switch (rule) {
    case "all":
      return true;
    case "first":
      return truth.sentenceIndex === 0;
    case "last":
      return truth.sentenceIndex === truth.sentenceCount - 1;
  }
}

function splitOfPredictions(truths: readonly Truth[], predicted: ReadonlySet<string>): readonly string[] {
  const all = new Set(truths.map((truth) => truth.split));
  const found = new Set(truths.filter((truth) => predicted.has(truth.key)).map((truth) => truth.split));
  if (all.size === 1 || found.size === 1) return found.size === 1 ? [...found] : [...all];
  if (found.size === 0)
    return fail("bad-input", "no prediction has the id of an expression of the truth; check the names and --truth");
  return fail(
    "usage",
    `the predictions are in the splits ${[...found].sort().join(", ")}; pick one or more with --split`,
  );
}

function knownSplits(truths: readonly Truth[], splits: readonly string[]): readonly string[] {
  const known = new Set(truths.map((truth) => truth.split));
  const unknown = splits.filter((split) => !known.has(split));
  if (unknown.length > 0) {
    fail("usage", `unknown split ${unknown.map(quoteValue).join(", ")}; the truth has ${[...known].sort().join(", ")}`);
  }
  return splits;
}

function selectListed(
  truths: readonly Truth[],
  inSplits: readonly Truth[],
  keys: ReadonlySet<string>,
): readonly Truth[] {
  const known = new Set(truths.map((truth) => truth.key));
  const unknown = [...keys].filter((key) => !known.has(key));
  if (unknown.length > 0) {
    fail(
      "bad-input",
      `${unknown.length} keys of the list are not in the truth: ${someOf(unknown)}; was the list made from another dataset?`,
    );
  }
  return inSplits.filter((truth) => keys.has(truth.key));
}
