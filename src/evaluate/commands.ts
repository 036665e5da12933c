import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { pMapIterable } from "p-map";
import { ifMissing, type Progress, writeFileOnce } from "../io/index.ts";
import { fail, NemosaicError, quoteValue } from "../model/index.ts";
import { type EvaluateChoices, evaluateOptions } from "./choices.ts";
import { type Comparison, compare } from "./compare.ts";
import { type EvaluateOptions, evaluate } from "./evaluate.ts";
import type { Evaluation, Sample } from "./evaluation.ts";
import { openPredictions, type PredictionSource } from "./predictions/index.ts";
import type { Preset } from "./presets.ts";
import { comparisonJson, evaluationJson, sampleJson } from "./report/evaluation-json.ts";
import { tableFormat } from "./report/format-table.ts";
import { completesReport, evaluationHtml } from "./report/html.ts";
import type { SamplePair, ShownCase } from "./report/shown-case.ts";
import { comparisonText, evaluationText } from "./report/table.ts";
import { casesOf, furthestPairs, type LoadImage, pairSamples, worstSamples } from "./report/worst-cases.ts";
import { pickSubset, readKeys, type Subset, type SubsetOptions } from "./subset.ts";
import type { Truth } from "./truth.ts";
import { truthMasks } from "./truth-mask.ts";

/** What `nemosaic evaluate` does, with everything outside the room given by the caller. */
export interface EvaluateRequest {
  /** Every expression of the dataset: `truthsOfPool` or `truthsOfRecords`. */
  readonly truths: readonly Truth[];
  /** Of one model; in a comparison those of several training seeds may stand together. */
  readonly predictions: string | readonly string[];
  /** The ids of a .npy stack, where they do not lie beside it: one file for all, or one for each of `predictions`. */
  readonly idsFile?: string | readonly string[] | undefined;
  /** A second model's predictions: its gain over the first is told. */
  readonly compareWith?: string | readonly string[] | undefined;
  readonly compareIdsFile?: string | readonly string[] | undefined;
  /** How `text` is written: text, markdown, latex or csv. */
  readonly format?: string | undefined;
  readonly choices: EvaluateChoices;
  /** A list of expression keys to score (`readKeys`' forms). */
  readonly only?: string | undefined;
  /** Where to write the report, and one JSON line a sample of the first model. */
  readonly htmlFile?: string | undefined;
  readonly samplesFile?: string | undefined;
  readonly force?: boolean;
  /** Pictures of the worst cases in the report, and half as many of the largest gains and of the largest losses. */
  readonly worst?: number | undefined;
  readonly loadImage: LoadImage;
  readonly progress?: Progress;
}

export interface CommandResult {
  /** For a terminal, without colours. */
  readonly text: string;
  /** For --json. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Why a file was not written: to be thrown once the result has been printed. */
  readonly unwritten?: NemosaicError;
}

/**
 * Evaluates one model, or compares two, and writes the files that were asked for. With two, the report and the samples are
 * the second one's (the model that is hoped to be better), and its gain over the first.
 */
export async function evaluateCommand(request: EvaluateRequest): Promise<CommandResult> {
  const format = tableFormat(request.format ?? "text");
  const keys = request.only === undefined ? undefined : await readKeys(request.only);
  const options = evaluateOptions(request.choices, keys, request.progress);
  const pathsA = listOf(request.predictions);
  if (request.compareWith === undefined) {
    const [path] = pathsA;
    if (path === undefined || pathsA.length > 1)
      fail("usage", `expected one model's predictions, got ${pathsA.length}; several seeds are for --compare`);
    return withPredictions([path], request.idsFile, request, options, async ([evaluation]) => {
      if (evaluation === undefined) fail("internal", "nothing was evaluated");
      const unwritten = await kept(() => writeFiles(request, evaluation, basename(path), undefined));
      return { text: evaluationText(evaluation, format), json: evaluationJson(evaluation), ...unwritten };
    });
  }
  const pathsB = listOf(request.compareWith);
  const [nameA, nameB] = namesOf(pathsA, pathsB);
  return withPredictions(pathsA, request.idsFile, request, options, async (a) =>
    withPredictions(pathsB, request.compareIdsFile, request, options, async (b) => {
      const comparison = compare(a, b, options, options.breakdowns);
      const [best] = b;
      if (best === undefined) fail("internal", "nothing was evaluated");
      const rivals = { nameA, nameB, comparison, pairs: pairSamples(a, b) };
      const unwritten = await kept(() => writeFiles(request, best, nameB, rivals));
      const text = comparisonText(comparison, nameA, nameB, format);
      return { text, json: comparisonJson(a, b, comparison), ...unwritten };
    }),
  );
}

export interface SubsetRequest extends SubsetOptions {
  readonly truths: readonly Truth[];
  /** Where ids.json is written. */
  readonly file: string;
  readonly force?: boolean;
}

/** Picks hard or easy expressions and writes their list, which `evaluate` takes with --only. */
export async function subsetCommand(request: SubsetRequest): Promise<CommandResult> {
  const subset = pickSubset(request.truths, request);
  const text = `${JSON.stringify(subset, undefined, 1)}\n`;
  await writeFileOnce(request.file, text, { what: "list of ids", force: request.force ?? false });
  return { text: `${subsetText(subset)}\n`, json: { ...subset } };
}

/** Evaluates the predictions at some paths, one after the other, and closes them when they have been used. */
async function withPredictions<T>(
  paths: readonly string[],
  idsFile: string | readonly string[] | undefined,
  request: EvaluateRequest,
  options: EvaluateOptions,
  use: (evaluations: readonly Evaluation[]) => Promise<T>,
): Promise<T> {
  const places = paths.map((path) => resolve(path));
  const twice = paths.find((_, seed) => places.indexOf(places[seed]!) < seed);
  if (twice !== undefined)
    fail("usage", `expected other predictions for every seed of a model, got ${quoteValue(twice)} twice`);
  const ids = listOf(idsFile ?? []);
  if (ids.length > 1 && ids.length !== paths.length)
    fail("usage", `expected one file of ids, or one for each of ${paths.length} stacks, got ${ids.length}`);
  const opened: PredictionSource[] = [];
  try {
    const evaluations: Evaluation[] = [];
    for (const [at, path] of paths.entries()) {
      const predictions = await openPredictions(path, ids.length > 1 ? ids[at] : ids[0]);
      opened.push(predictions);
      evaluations.push(await evaluate(request.truths, predictions, options));
    }
    return await use(evaluations);
  } finally {
    for (const predictions of opened) await predictions.close();
  }
}

function listOf(one: string | readonly string[]): readonly string[] {
  return typeof one === "string" ? [one] : one;
}

interface Rivals {
  readonly nameA: string;
  readonly nameB: string;
  readonly comparison: Comparison;
  readonly pairs: readonly SamplePair[];
}

async function writeFiles(
  request: EvaluateRequest,
  evaluation: Evaluation,
  name: string,
  rivals: Rivals | undefined,
): Promise<void> {
  const { htmlFile, samplesFile, force = false, worst = 24, loadImage } = request;
  if (samplesFile !== undefined)
    await writeFileOnce(samplesFile, await samplesText(rivals?.pairs ?? evaluation.samples, evaluation.preset), {
      what: "list of samples",
      force,
    });
  if (htmlFile === undefined) return;
  const cases = await casesOf(worstSamples(evaluation.samples, worst), evaluation, loadImage);
  const furthest = (sign: 1 | -1): Promise<ShownCase[]> =>
    casesOf(furthestPairs(rivals?.pairs ?? [], Math.ceil(worst / 2), sign), evaluation, loadImage);
  const title = rivals === undefined ? `Evaluation of ${name}` : `${rivals.nameB} against ${rivals.nameA}`;
  const against =
    rivals === undefined ? {} : { against: { ...rivals, gains: await furthest(1), losses: await furthest(-1) } };
  const html = await evaluationHtml({ title, evaluation, cases, ...against });
  const there = await readFile(htmlFile, "utf8").catch(ifMissing(""));
  await writeFileOnce(htmlFile, html, { what: "report", force: force || completesReport(html, there) });
}

/** What was worked out is not lost to a file that cannot be written. */
async function kept(write: () => Promise<void>): Promise<{ unwritten?: NemosaicError }> {
  try {
    await write();
    return {};
  } catch (error) {
    if (error instanceof NemosaicError) return { unwritten: error };
    throw error;
  }
}

/** The per-sample file: a line each, with the masks as they were compared. */
async function samplesText(samples: readonly (Sample | SamplePair)[], preset: Preset): Promise<string> {
  const masks = truthMasks(preset);
  const lines: string[] = [];
  for await (const line of pMapIterable(
    samples,
    async (one) => {
      const [sample, other] = "gain" in one ? [one.b, one] : [one, undefined];
      const { mask } = masks.of(sample.truth);
      const against = other && { iou: other.a.score.iou, gain: other.gain, mask: await other.a.predicted() };
      return sampleJson(sample, { truth: mask, predicted: await sample.predicted() }, against);
    },
    { concurrency: 4 },
  ))
    lines.push(line, "\n");
  return lines.join("");
}

/** Short names for two sides: the last part of a path, or the whole path where that is the same. */
function namesOf(a: readonly string[], b: readonly string[]): [string, string] {
  const short = (paths: readonly string[]): string => paths.map((path) => basename(path)).join(", ");
  return short(a) === short(b) ? [a.join(", "), b.join(", ")] : [short(a), short(b)];
}

function subsetText({ pick, rule, counts }: Subset): string {
  const how =
    rule.by === "similar"
      ? pick === "hard"
        ? `${rule.atLeast} or more other objects of the target's category`
        : "no other object of the target's category"
      : `the ${Math.round(rule.share * 100)} % of ${pick === "hard" ? "lowest" : "highest"} margin between its own image and the best other one`;
  const unknown = counts.unknown > 0 ? `; ${counts.unknown} left out, because the rule has no value for them` : "";
  return `${counts.picked} of ${counts.expressions} expressions are ${pick}: ${how}${unknown}`;
}
