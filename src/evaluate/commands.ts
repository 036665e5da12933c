import { basename } from "node:path";
import { type Progress, refuseOverwrite, writeFileAtomic } from "../io/index.ts";
import { type EvaluateChoices, evaluateOptions } from "./choices.ts";
import { type Comparison, compare } from "./compare.ts";
import { type EvaluateOptions, evaluate } from "./evaluate.ts";
import type { Evaluation } from "./evaluation.ts";
import { openPredictions } from "./predictions/index.ts";
import { comparisonJson, evaluationJson, sampleJson } from "./report/evaluation-json.ts";
import { evaluationHtml, type Report } from "./report/html.ts";
import { comparisonText, evaluationText } from "./report/table.ts";
import { casesOf, type LoadImage, worstSamples } from "./report/worst-cases.ts";
import { pickSubset, readKeys, type Subset, type SubsetOptions } from "./subset.ts";
import type { Truth } from "./truth.ts";

/** What `nemosaic evaluate` does, with everything outside the room given by the caller. */
export interface EvaluateRequest {
  /** Every expression of the dataset: `truthsOfPool` or `truthsOfRecords`. */
  readonly truths: readonly Truth[];
  readonly predictions: string;
  /** The ids of a .npy stack, where they do not lie beside it. */
  readonly idsFile?: string | undefined;
  /** A second model's predictions: its gain over the first is told. */
  readonly compareWith?: string | undefined;
  readonly compareIdsFile?: string | undefined;
  readonly choices: EvaluateChoices;
  /** A list of expression keys to score (`readKeys`' forms). */
  readonly only?: string | undefined;
  /** Where to write the report, and one JSON line a sample of the first model. */
  readonly htmlFile?: string | undefined;
  readonly samplesFile?: string | undefined;
  readonly force?: boolean;
  /** Pictures of the worst cases in the report. */
  readonly worst?: number | undefined;
  readonly loadImage: LoadImage;
  readonly progress?: Progress;
}

export interface CommandResult {
  /** For a terminal, without colours. */
  readonly text: string;
  /** For --json. */
  readonly json: Readonly<Record<string, unknown>>;
}

/**
 * Evaluates one model, or compares two, and writes the files that were asked for. With two, the report and the samples are
 * the second one's (the model that is hoped to be better), and its gain over the first.
 */
export async function evaluateCommand(request: EvaluateRequest): Promise<CommandResult> {
  const { htmlFile, samplesFile, force = false } = request;
  const keys = request.only === undefined ? undefined : await readKeys(request.only);
  const options = evaluateOptions(request.choices, keys, request.progress);
  if (htmlFile !== undefined) await refuseOverwrite(htmlFile, "a report", force);
  if (samplesFile !== undefined) await refuseOverwrite(samplesFile, "a list of samples", force);
  if (request.compareWith === undefined) {
    return withPredictions(request.predictions, request.idsFile, request, options, async (evaluation) => {
      await writeFiles(request, evaluation, basename(request.predictions), undefined);
      return { text: evaluationText(evaluation), json: evaluationJson(evaluation) };
    });
  }
  const [pathA, pathB] = [request.predictions, request.compareWith];
  const [nameA, nameB] = namesOf(pathA, pathB);
  const a = await withPredictions(pathA, request.idsFile, request, options, async (evaluation) => evaluation);
  return withPredictions(pathB, request.compareIdsFile, request, options, async (b) => {
    const comparison = compare(a, b, options, options.breakdowns);
    await writeFiles(request, b, nameB, { nameA, nameB, comparison });
    return { text: comparisonText(comparison, nameA, nameB), json: comparisonJson(a, b, comparison) };
  });
}

export interface SubsetRequest extends SubsetOptions {
  readonly truths: readonly Truth[];
  /** Where ids.json is written. */
  readonly file: string;
  readonly force?: boolean;
}

/** Picks hard or easy expressions and writes their list, which `evaluate` takes with --only. */
export async function subsetCommand(request: SubsetRequest): Promise<CommandResult> {
  await refuseOverwrite(request.file, "a list of ids", request.force ?? false);
  const subset = pickSubset(request.truths, request);
  await writeFileAtomic(request.file, `${JSON.stringify(subset, undefined, 1)}\n`);
  return { text: `${subsetText(subset)}\n`, json: { ...subset } };
}

async function withPredictions<T>(
  path: string,
  idsFile: string | undefined,
  request: EvaluateRequest,
  options: EvaluateOptions,
  use: (evaluation: Evaluation) => Promise<T>,
): Promise<T> {
  const predictions = await openPredictions(path, idsFile);
  try {
    return await use(await evaluate(request.truths, predictions, options));
  } finally {
    await predictions.close();
  }
}

async function writeFiles(
  request: EvaluateRequest,
  evaluation: Evaluation,
  name: string,
  against: { readonly nameA: string; readonly nameB: string; readonly comparison: Comparison } | undefined,
): Promise<void> {
  const { htmlFile, samplesFile, worst = 24 } = request;
  if (samplesFile !== undefined) {
    await writeFileAtomic(samplesFile, evaluation.samples.map((sample) => `${sampleJson(sample)}\n`).join(""));
  }
  if (htmlFile === undefined) return;
  const report: Report = {
    title: against === undefined ? `Evaluation of ${name}` : `${against.nameB} against ${against.nameA}`,
    evaluation,
    cases: await casesOf(worstSamples(evaluation.samples, worst), evaluation, request.loadImage),
    ...(against === undefined ? {} : { against }),
  };
  await writeFileAtomic(htmlFile, await evaluationHtml(report));
}

/** Short names for two paths: the last part, or the whole path where that is the same. */
function namesOf(a: string, b: string): [string, string] {
  return basename(a) === basename(b) ? [a, b] : [basename(a), basename(b)];
}

function subsetText({ pick, rule, counts }: Subset): string {
  const how =
    rule.by === "similar"
      ? pick === "hard"
        ? `${rule.atLeast} or more other objects of the target's category`
        : "no other object of the target's category"
      : `the ${Math.round(rule.share * 100)} % of ${pick === "hard" ? "lowest" : "highest"} margin between its own image and the best other one`;
  const unknown = counts.unknown > 0 ? `; ${counts.unknown} passed over, the rule has no value for them` : "";
  return `${counts.picked} of ${counts.expressions} expressions are ${pick}: ${how}${unknown}`;
}
