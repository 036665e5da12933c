import { z } from "zod";
import { fail, nearest, quoteValue, unknownName } from "../model/index.ts";
import { findContradiction } from "./check-settings.ts";
import { defaults, presetNames, presets, scoreRules } from "./presets.ts";
import { releasedNames } from "./released-names.ts";
import { usesMined } from "./schedule.ts";
import { type ResolvedSettings, type Settings, settingsSchema } from "./schema.ts";

type Tree = { readonly [key: string]: unknown };

/**
 * Settings from a file's content (any JSON value): the keys it has, over its `preset`, over the defaults.
 * `where` names the origin in errors. Errors: "settings", with the key's path, what was expected, and for an unknown
 * key the nearest valid one.
 */
export function parseSettings(value: unknown, where: string): Settings {
  if (!isTree(value)) fail("settings", `expected a JSON object of settings in ${where}, got ${quoteValue(value)}`);
  const { preset = "nemo", $schema: _schema, ...own } = value;
  if (typeof preset !== "string")
    fail("settings", `expected a preset's name for "preset" in ${where}, got ${quoteValue(preset)}`);
  const base = presets[preset];
  if (base === undefined || !Object.hasOwn(presets, preset)) throw unknownName("preset", preset, presetNames);
  const named = merge(base.settings, own);
  const merged = merge(merge(defaults, namesScoreRule(named) ? { band: scoreRules } : {}), named);
  const result = settingsSchema.safeParse(merged);
  if (!result.success) fail("settings", explain(result.error, merged, where));
  const wrong = findContradiction(result.data);
  if (wrong !== undefined) fail("settings", `${wrong} (in ${where})`);
  return result.data;
}

/** The tree that a settings file's text holds; `path` names it in errors. Errors: "settings" where it is no JSON object. */
export function settingsTree(text: string, path: string): Tree {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    fail("settings", `expected JSON in the settings file "${path}": ${(error as Error).message}`, error);
  }
  if (!isTree(value)) fail("settings", `expected a JSON object of settings in "${path}", got ${quoteValue(value)}`);
  return value;
}

/** True where a rule over scores is named and `band.risk` is not. */
function namesScoreRule({ band, schedule }: Tree): boolean {
  const ramp = isTree(schedule) ? (schedule.tau ?? null) : null;
  const names = isTree(band) ? Object.keys(band) : [];
  return !names.includes("risk") && (ramp !== null || scoreRuleNames.some((name) => names.includes(name)));
}

const scoreRuleNames = ["tau", "tauImage", "tauText", "margin", "ratio"];

/**
 * The tree that `--set key=value` words describe (dotted keys; a value is read as JSON where it parses, else as text),
 * merged over `base`. Errors: "settings" for a word without "=" .
 */
export function withSets(base: Tree, words: readonly string[]): Tree {
  let tree = base;
  for (const word of words) {
    const at = word.indexOf("=");
    const keys = word.slice(0, Math.max(0, at)).split(".");
    if (keys.includes("")) fail("settings", `expected --set key=value, such as band.k=50, got ${quoteValue(word)}`);
    let value: unknown = word.slice(at + 1);
    try {
      value = JSON.parse(word.slice(at + 1));
    } catch {
      // plain text such as 2x2 or opencv
    }
    tree = merge(tree, keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Tree);
  }
  return tree;
}

/** Scores that "auto" thresholds are derived from; mining records them, never a threshold. */
export interface ScoreSummary {
  /** Median over expressions of the text-to-image score with their own image; null where unknown. */
  readonly ownMedian: number | null;
  /** The lower quartile of the same scores; null where unknown. */
  readonly ownLower?: number | null;
  /** 95th percentile of the mined candidates' image-to-image scores; null where unknown. */
  readonly i2iHigh: number | null;
}

/**
 * Replaces "auto" thresholds by numbers. `isAugmented` false = nothing will be drawn from the band, as in validation.
 * Errors: "settings" where "auto" is asked for and the scores are not known.
 */
export function resolveSettings(
  settings: Settings,
  scores: ScoreSummary | undefined,
  isAugmented = true,
): ResolvedSettings {
  const usesBand = isAugmented && usesMined(settings);
  const resolve = (key: string, value: number | "auto" | null, automatic: number | null | undefined): number | null => {
    if (value !== "auto") return value;
    if (automatic !== null && automatic !== undefined) return automatic;
    if (!usesBand) return null;
    return fail(
      "settings",
      `band.${key} is "auto", which needs mined scores; run "nemosaic mine" first or set a number`,
    );
  };
  return {
    ...settings,
    band: {
      ...settings.band,
      tau: resolve("tau", settings.band.tau, scores?.ownLower ?? scores?.ownMedian),
      tauImage: resolve("tauImage", settings.band.tauImage, scores?.i2iHigh),
    },
    gres: { ...settings.gres, tighten: tightening(settings.gres.tighten, scores) },
  };
}

/** Without scores there is no text filter that could tighten. */
function tightening(value: number | "auto", scores: ScoreSummary | undefined): number {
  if (value !== "auto") return value;
  const { ownMedian, ownLower } = scores ?? {};
  return ownMedian === null || ownMedian === undefined ? 0 : Math.max(0, ownMedian - (ownLower ?? ownMedian));
}

/** The JSON Schema (2020-12) of nemosaic.json, for editors. */
export function settingsJsonSchema(): Tree {
  const schema = z.toJSONSchema(settingsSchema) as { properties: Record<string, Tree>; [key: string]: unknown };
  const withDefaults = (properties: Record<string, Tree>, values: Tree): Record<string, Tree> =>
    Object.fromEntries(
      Object.entries(properties).map(([key, property]) => {
        const { required: _required, ...rest } = property;
        const inner = rest.properties as Record<string, Tree> | undefined;
        const value = values[key];
        return [
          key,
          inner !== undefined && isTree(value)
            ? { ...rest, properties: withDefaults(inner, value) }
            : { ...rest, default: value },
        ];
      }),
    );
  const { required: _required, properties, ...rest } = schema;
  return {
    ...rest,
    title: "nemosaic settings",
    properties: {
      $schema: { type: "string" },
      preset: {
        enum: presetNames,
        default: "nemo",
        description: "the named starting point that the other keys change",
      },
      ...withDefaults(properties, defaults),
    },
  };
}

function merge(base: unknown, over: unknown): Tree {
  const result: Record<string, unknown> = { ...(base as Tree) };
  for (const [key, value] of Object.entries(over as Tree)) {
    const below = Object.hasOwn(result, key) ? result[key] : undefined;
    const merged = isTree(value) && isTree(below) ? merge(below, value) : value;
    Object.defineProperty(result, key, { value: merged, enumerable: true, configurable: true, writable: true });
  }
  return result;
}

function isTree(value: unknown): value is Tree {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function explain(error: z.ZodError, value: Tree, where: string): string {
  const issue = error.issues[0];
  if (issue === undefined) return `invalid settings in ${where}`;
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    const valid = Object.keys(at(defaults, path) as Tree);
    if (path.length === 0) valid.push("preset", "$schema");
    const isCut = (name: string): boolean => key.length > 2 && name.toLowerCase().startsWith(key.toLowerCase());
    const sibling = nearest(key, valid) ?? valid.find(isCut);
    const near = sibling === undefined ? nearestLeaf(key) : [...path, sibling].join(".");
    const name = [...path, key].join(".");
    if (near === name) return `unknown setting "${name}" in ${where}. Groups are nested: ${nested(name)}`;
    const hint = near === undefined ? `Valid here: ${valid.join(", ")}` : `Did you mean "${near}"?`;
    return `unknown setting "${name}" in ${where}. ${hint}`;
  }
  const came = quoteValue(at(value, path));
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : "";
  return `setting "${path.join(".")}" in ${where}: ${expectation(issue)}, got ${came}${more}`;
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_value":
      return `expected one of ${issue.values.map((value) => String(value)).join(", ")}`;
    case "too_small":
      return issue.origin === "array"
        ? `expected at least ${issue.minimum} [epoch, value]`
        : `expected at least ${issue.minimum}`;
    case "too_big":
      return `expected at most ${issue.maximum}`;
    case "invalid_type":
      return issue.expected === "int" ? "expected a whole number" : `expected ${article(issue.expected)}`;
    case "invalid_union":
      return issue.message.startsWith("Invalid") ? "expected one of the forms in docs/settings.md" : issue.message;
    case "invalid_format":
      return issue.message.startsWith("Invalid")
        ? 'expected columns x rows such as "2x2", up to "8x8", or "mixed"'
        : issue.message;
    default:
      return issue.message;
  }
}

function article(noun: string): string {
  return /^[aeio]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}

function at(tree: unknown, path: readonly string[]): unknown {
  const inside = (node: unknown, key: string): unknown =>
    isTree(node) ? node[key] : Array.isArray(node) ? node[Number(key)] : undefined;
  return path.reduce(inside, tree);
}

/** "tau" at the top level is "band.tau": people forget the group, or bring the released loader's name. */
function nearestLeaf(key: string): string | undefined {
  const released = Object.hasOwn(releasedNames, key) ? releasedNames[key] : undefined;
  if (released !== undefined) return released;
  const leaves = Object.entries(defaults).flatMap(([group, value]) =>
    isTree(value) ? Object.keys(value).map((leaf): [group: string, leaf: string] => [group, leaf]) : [],
  );
  const near = nearest(
    key,
    leaves.map(([, leaf]) => leaf),
  );
  const found =
    leaves.find(([group, leaf]) => leaf === key || `${group}.${leaf}` === key) ??
    leaves.find(([, leaf]) => leaf === near);
  return found?.join(".");
}

/** "band.tau" as a file holds it. */
function nested(name: string): string {
  const [group, leaf] = name.split(".");
  return `{"${group}": {"${leaf}": …}}`;
}
