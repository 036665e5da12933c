import type { Progress } from "../io/index.ts";
import { fail, quoteValue, unknownName } from "../model/index.ts";
import { leastImages } from "./bootstrap.ts";
import { type EvaluateOptions, evaluateDefaults, extraPolicies } from "./evaluate.ts";
import { duplicatePolicies, idReadings, levelReadings } from "./predictions/index.ts";
import { evaluationPreset, type SentenceRule, withChanges } from "./presets.ts";
import { missingPolicies, sizePolicies } from "./score-predictions.ts";

/** The options of `nemosaic evaluate` as a person gave them; undefined: the default. */
export interface EvaluateChoices {
  readonly preset: string;
  readonly threshold?: number | undefined;
  /** "original" or a side in pixels. */
  readonly size?: string | undefined;
  readonly sentences?: string | undefined;
  readonly split?: readonly string[] | undefined;
  readonly missing?: string | undefined;
  readonly extra?: string | undefined;
  readonly wrongSize?: string | undefined;
  readonly duplicate?: string | undefined;
  readonly idsAre?: string | undefined;
  readonly values?: string | undefined;
  readonly emptyBelow?: number | undefined;
  readonly seed?: number | undefined;
  readonly bootstrap?: number | undefined;
  readonly least?: number | undefined;
}

const sentenceRules: readonly SentenceRule[] = ["all", "first", "last"];

/** Checks what a person chose and fills in the defaults. Errors: "usage", each naming the option and its valid values. */
export function evaluateOptions(
  choices: EvaluateChoices,
  keys?: ReadonlySet<string>,
  progress?: Progress,
): EvaluateOptions {
  const { threshold, seed = evaluateDefaults.seed } = choices;
  if (threshold !== undefined && !(threshold >= 0 && threshold <= 1)) {
    fail("usage", `expected --threshold to be a probability of 0 … 1, got ${quoteValue(threshold)}`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0)
    fail("usage", `expected --seed to be a whole number of 0 or more, got ${quoteValue(seed)}`);
  return {
    preset: withChanges(evaluationPreset(choices.preset), {
      threshold,
      size: sizeOf(choices.size),
      sentences: choices.sentences === undefined ? undefined : oneOf("--sentences", choices.sentences, sentenceRules),
    }),
    splits: choices.split,
    keys,
    missing: oneOf("--missing", choices.missing ?? evaluateDefaults.missing, missingPolicies),
    extra: oneOf("--extra", choices.extra ?? evaluateDefaults.extra, extraPolicies),
    wrongSize: oneOf("--wrong-size", choices.wrongSize ?? evaluateDefaults.wrongSize, sizePolicies),
    duplicates: oneOf("--duplicate", choices.duplicate ?? evaluateDefaults.duplicates, duplicatePolicies),
    ids: oneOf("--ids-are", choices.idsAre ?? evaluateDefaults.ids, idReadings),
    levels: oneOf("--values", choices.values ?? evaluateDefaults.levels, levelReadings),
    emptyBelowPx: wholeNumber("--empty-below", choices.emptyBelow ?? evaluateDefaults.emptyBelowPx, 0),
    seed,
    replicates: wholeNumber("--bootstrap", choices.bootstrap ?? evaluateDefaults.replicates, 1),
    leastImages: wholeNumber("--least", choices.least ?? leastImages, 1),
    ...(progress === undefined ? {} : { progress }),
  };
}

function sizeOf(size: string | undefined): "original" | number | undefined {
  if (size === undefined || size === "original") return size;
  const sidePx = Number(size);
  if (!Number.isInteger(sidePx) || sidePx < 1 || sidePx > 16384) {
    fail("usage", `expected --size to be "original" or a side of 1 to 16384 pixels, got ${quoteValue(size)}`);
  }
  return sidePx;
}

function wholeNumber(option: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least && value <= 1e6) return value;
  return fail("usage", `expected ${option} to be a whole number of ${least} to 1000000, got ${quoteValue(value)}`);
}

function oneOf<T extends string>(option: string, value: string, valid: readonly T[]): T {
  const found = valid.find((name) => name === value);
  if (found === undefined) throw unknownName(`value of ${option}`, value, valid);
  return found;
}
