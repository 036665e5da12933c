import { fail, quoteValue, someOf } from "../../model/index.ts";
import type { Truth } from "../truth.ts";
import type { NamedId, PredictionEntry } from "./prediction.ts";

/** What ids that are neither keys nor said to be of sentences or refs stand for. */
export type IdReading = "auto" | "sentence" | "ref";

export const idReadings: readonly IdReading[] = ["auto", "sentence", "ref"];

/** How a second prediction of one expression is taken, where its content differs from the first. */
export type DuplicatePolicy = "error" | "first" | "last";

export const duplicatePolicies: readonly DuplicatePolicy[] = ["error", "first", "last"];

/** Which prediction belongs to which expression. */
export interface Assignment {
  /** By expression key. */
  readonly byKey: ReadonlyMap<string, PredictionEntry>;
  /** Names of predictions for which the truth knows no expression. */
  readonly extra: readonly string[];
  /** Predictions dropped since one of equal content had come: padding by a distributed sampler. */
  readonly repeated: number;
  /** Predictions dropped by the duplicate policy: same expression, other content. */
  readonly replaced: readonly string[];
  /** How ids of neither kind were read. */
  readonly idsRead: "sentence" | "ref" | undefined;
}

export interface ResolveOptions {
  readonly ids: IdReading;
  readonly duplicates: DuplicatePolicy;
}

/**
 * Assigns predictions to expressions. A prediction named by a ref serves all its sentences, one named by a sentence
 * goes before it. `truths` are all expressions of the dataset, whichever are scored. Errors, each naming ids: an id that
 * several sources have, ids that could be of sentences or of refs, and duplicates by the policy.
 */
export async function resolvePredictions(
  entries: readonly PredictionEntry[],
  truths: readonly Truth[],
  options: ResolveOptions,
): Promise<Assignment> {
  const index = indexOf(truths);
  const idsRead = entries.some((entry) => entry.id.by === "any") ? readingOf(entries, index, options.ids) : undefined;
  const exact = new Map<string, PredictionEntry>();
  const ofRefs = new Map<string, PredictionEntry>();
  const extra: string[] = [];
  const ambiguous: string[] = [];
  const clashes: string[] = [];
  const replaced: string[] = [];
  let repeated = 0;
  for (const entry of entries) {
    const by = entry.id.by === "any" ? (idsRead ?? "sentence") : entry.id.by;
    const found = lookUp(index, entry.id, by);
    if (found.length === 0) {
      extra.push(entry.name);
      continue;
    }
    if (new Set(found.map((truth) => truth.source)).size > 1) {
      ambiguous.push(entry.name);
      continue;
    }
    const taken = by === "ref" ? ofRefs : exact;
    const first = found[0];
    const earlier = first === undefined ? undefined : taken.get(first.key);
    if (earlier !== undefined) {
      if ((await earlier.fingerprint()) === (await entry.fingerprint())) {
        repeated++;
        continue;
      }
      if (options.duplicates === "error") clashes.push(`${earlier.name} and ${entry.name}`);
      else replaced.push(options.duplicates === "first" ? entry.name : earlier.name);
      if (options.duplicates !== "last") continue;
    }
    for (const truth of found) taken.set(truth.key, entry);
  }
  if (ambiguous.length > 0) {
    fail(
      "bad-input",
      `${ambiguous.length} predictions have ids that several sources share (${sourcesOf(truths)}): ${someOf(ambiguous)}; name them source/ref/sentence or source/id, or pick one with --source`,
    );
  }
  if (clashes.length > 0) {
    fail(
      "bad-input",
      `${clashes.length} expressions have several predictions of different content: ${someOf(clashes)}; remove all but one, or pass --duplicate first or last`,
    );
  }
  return { byKey: new Map([...ofRefs, ...exact]), extra, repeated, replaced, idsRead };
}

interface TruthIndex {
  readonly key: ReadonlyMap<string, readonly Truth[]>;
  readonly sentence: ReadonlyMap<string, readonly Truth[]>;
  readonly ref: ReadonlyMap<string, readonly Truth[]>;
}

function indexOf(truths: readonly Truth[]): TruthIndex {
  const by = (name: (truth: Truth) => string): ReadonlyMap<string, readonly Truth[]> => {
    const found = new Map<string, Truth[]>();
    for (const truth of truths) {
      const list = found.get(name(truth));
      if (list === undefined) found.set(name(truth), [truth]);
      else list.push(truth);
    }
    return found;
  };
  return { key: by((truth) => truth.key), sentence: by((truth) => truth.sentenceId), ref: by((truth) => truth.refId) };
}

function lookUp(index: TruthIndex, id: NamedId, by: "key" | "sentence" | "ref"): readonly Truth[] {
  const found = index[by].get(id.id) ?? [];
  return id.source === undefined ? found : found.filter((truth) => truth.source === id.source);
}

/** Sentences and refs number from 0 alike, so that one id may be either: what the whole set fits decides. */
function readingOf(entries: readonly PredictionEntry[], index: TruthIndex, asked: IdReading): "sentence" | "ref" {
  if (asked !== "auto") return asked;
  const open = entries.filter((entry) => entry.id.by === "any");
  const unmatched = { sentence: 0, ref: 0 };
  const reached = { sentence: new Set<Truth>(), ref: new Set<Truth>() };
  for (const { id } of open) {
    for (const by of ["sentence", "ref"] as const) {
      const found = lookUp(index, id, by);
      if (found.length === 0) unmatched[by]++;
      for (const truth of found) reached[by].add(truth);
    }
  }
  if (unmatched.sentence !== unmatched.ref) return unmatched.sentence < unmatched.ref ? "sentence" : "ref";
  const whole = { sentence: isWholeSplits(reached.sentence, index), ref: isWholeSplits(reached.ref, index) };
  if (whole.sentence !== whole.ref) return whole.sentence ? "sentence" : "ref";
  const same = open.every(({ id }) => sameTruths(lookUp(index, id, "sentence"), lookUp(index, id, "ref")));
  if (same) return "sentence";
  const example = open[0]?.id.id;
  return fail(
    "bad-input",
    `the ids of the predictions (${quoteValue(example)}, …) fit sentences as well as refs; say which with --ids-are sentence or ref`,
  );
}

/** Whether the expressions are all of one or more splits: what a whole evaluation run leaves. */
function isWholeSplits(reached: ReadonlySet<Truth>, index: TruthIndex): boolean {
  const splits = new Set([...reached].map((truth) => `${truth.source}/${truth.split}`));
  if (splits.size === 0) return false;
  let total = 0;
  for (const truths of index.key.values()) {
    for (const truth of truths) if (splits.has(`${truth.source}/${truth.split}`)) total++;
  }
  return total === reached.size;
}

function sameTruths(a: readonly Truth[], b: readonly Truth[]): boolean {
  return a.length === b.length && a.every((truth) => b.includes(truth));
}

function sourcesOf(truths: readonly Truth[]): string {
  return [...new Set(truths.map((truth) => truth.source))].join(", ");
}
