import { parseJson } from "../codecs/index.ts";
import { producer } from "../io/index.ts";
import { fail, quoteValue } from "../model/index.ts";
import { isObject, readText } from "./read-text.ts";
import type { Truth } from "./truth.ts";

/** What makes an expression hard. */
export type SubsetRule =
  /** Other objects of the target's category in the image: hard from `atLeast` on, easy at 0. */
  | { readonly by: "similar"; readonly atLeast: number }
  /**
   * The image-text model's margin: the score of the expression with its own image minus the best score with another
   * one. Hard: the `share` of expressions with the lowest margins; easy: that with the highest.
   */
  | { readonly by: "ambiguity"; readonly share: number };

export interface SubsetOptions {
  readonly pick: "hard" | "easy";
  readonly rule: SubsetRule;
  readonly splits?: readonly string[] | undefined;
  /** By expression key; NaN or absent: the model did not score it. Needed for "ambiguity". */
  readonly margins?: ReadonlyMap<string, number> | undefined;
}

export const subsetFormat = "nemosaic-subset";
export const subsetVersion = 1;

/** The content of ids.json; docs/formats/evaluation.md describes it. */
export interface Subset {
  readonly format: typeof subsetFormat;
  readonly version: typeof subsetVersion;
  readonly producer: string;
  readonly pick: "hard" | "easy";
  readonly rule: SubsetRule;
  readonly splits: readonly string[] | null;
  /** Expressions looked at, picked, and passed over since the rule has no value for them. */
  readonly counts: { readonly expressions: number; readonly picked: number; readonly unknown: number };
  /** Expression keys, in the truth's order. */
  readonly ids: readonly string[];
}

/** Picks expressions by a rule. Errors: a share outside 0 … 1, no margins for "ambiguity", an unknown split. */
export function pickSubset(truths: readonly Truth[], options: SubsetOptions): Subset {
  const { pick, rule, splits } = options;
  const unknown = (splits ?? []).filter((split) => !truths.some((truth) => truth.split === split));
  if (unknown.length > 0) fail("usage", `unknown split ${unknown.map(quoteValue).join(", ")}`);
  const looked = splits === undefined ? truths : truths.filter((truth) => splits.includes(truth.split));
  const { picked, unknown: without } =
    rule.by === "similar"
      ? bySimilar(looked, pick, rule.atLeast)
      : byAmbiguity(looked, pick, rule.share, options.margins);
  const ids = looked.filter((truth) => picked.has(truth.key)).map((truth) => truth.key);
  return {
    format: subsetFormat,
    version: subsetVersion,
    producer,
    pick,
    rule,
    splits: splits ?? null,
    counts: { expressions: looked.length, picked: ids.length, unknown: without },
    ids,
  };
}

/** Reads a list of expression keys: what `nemosaic subset` wrote, a JSON list, or one key a line. */
export async function readKeys(path: string): Promise<ReadonlySet<string>> {
  const text = await readText(path, "a list of ids");
  if (!/^\s*[[{]/.test(text)) {
    return new Set(
      text
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter((line) => line !== ""),
    );
  }
  const value = parseJson(text, path);
  if (isObject(value) && (value.format !== subsetFormat || value.version !== subsetVersion)) {
    fail(
      "bad-input",
      `${path}: expected format "${subsetFormat}", version ${subsetVersion}, got ${quoteValue(value.format)}, ${quoteValue(value.version)}`,
    );
  }
  const list: unknown = isObject(value) ? value.ids : value;
  if (!Array.isArray(list) || !list.every((key) => typeof key === "string")) {
    fail("bad-input", `${path}: expected a list of expression keys "source/ref/sentence", got ${quoteValue(list)}`);
  }
  return new Set(list);
}

function bySimilar(
  truths: readonly Truth[],
  pick: "hard" | "easy",
  atLeast: number,
): { picked: Set<string>; unknown: number } {
  if (!Number.isInteger(atLeast) || atLeast < 1)
    fail("usage", `expected 1 similar object or more, got ${quoteValue(atLeast)}`);
  const known = truths.filter((truth) => truth.similarObjects !== undefined);
  const fits = (count: number): boolean => (pick === "hard" ? count >= atLeast : count === 0);
  const picked = new Set(known.filter((truth) => fits(truth.similarObjects ?? 0)).map((truth) => truth.key));
  return { picked, unknown: truths.length - known.length };
}

function byAmbiguity(
  truths: readonly Truth[],
  pick: "hard" | "easy",
  share: number,
  margins: ReadonlyMap<string, number> | undefined,
): { picked: Set<string>; unknown: number } {
  if (!(share > 0 && share <= 1))
    fail("usage", `expected a share of more than 0 and at most 1, got ${quoteValue(share)}`);
  if (margins === undefined)
    fail("incomplete", `picking by ambiguity needs mined candidates; run "nemosaic mine" first`);
  const known = truths.flatMap((truth) => {
    const margin = margins.get(truth.key) ?? Number.NaN;
    return Number.isNaN(margin) ? [] : [{ key: truth.key, margin }];
  });
  const order = known.sort(
    (a, b) => (pick === "hard" ? a.margin - b.margin : b.margin - a.margin) || (a.key < b.key ? -1 : 1),
  );
  const picked = new Set(order.slice(0, Math.ceil(known.length * share)).map(({ key }) => key));
  return { picked, unknown: truths.length - known.length };
}
