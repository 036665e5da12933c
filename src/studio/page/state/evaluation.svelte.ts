import { expressionKey } from "../../../model/index.ts";
import { fetchKeys, fetchText } from "../api.ts";
import { type Evaluation, pairSamples, readEvaluatorFile, type SampleScore } from "../evaluate/read-evaluation.ts";
import { studio } from "./studio.svelte.ts";

/** An evaluator's result that was opened: it never leaves the browser. */
class EvaluationState {
  name = $state("");
  result = $state.raw<Evaluation>();
  samples = $state.raw<readonly SampleScore[]>();
  /** The file of samples opened before, which the present one is held against; by name. */
  against = $state.raw<{ readonly first: string; readonly second: string }>();
  #single: { readonly name: string; readonly samples: readonly SampleScore[] } | undefined;
  fault = $state<string>();
  /** Expression rows by key. */
  rows = $state.raw<ReadonlyMap<string, number>>(new Map());
  #isStarted = false;

  /** Opens the files given on the command line, once. */
  async start(): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    for (const name of ["evaluation", "samples"] as const) {
      const file = studio.info?.[name];
      if (file === undefined) continue;
      try {
        await this.open(file.split("/").at(-1) ?? file, await fetchText(name));
      } catch (error) {
        this.fault = (error as Error).message;
      }
    }
  }

  async open(name: string, text: string): Promise<void> {
    this.fault = undefined;
    try {
      const opened = readEvaluatorFile(text);
      if (opened.kind === "evaluation") {
        this.result = opened.evaluation;
        this.name = name;
      } else {
        this.#takeSamples(name, opened.samples);
        if (this.rows.size === 0) this.rows = await keyRows();
      }
    } catch (error) {
      this.fault = `${name}: ${(error as Error).message}`;
    }
  }

  /** A second file of one model's samples is held against the first: gains and losses by expression. */
  #takeSamples(name: string, samples: readonly SampleScore[]): void {
    const before = this.#single;
    const isPaired = samples.some(({ gain }) => gain !== undefined);
    this.#single = isPaired ? undefined : { name, samples };
    this.against = undefined;
    this.samples = samples;
    if (isPaired || before === undefined || before.name === name) return;
    const pairs = pairSamples(before.samples, samples);
    if (pairs.length === 0) throw new Error(`has no expression in common with ${before.name}`);
    this.samples = pairs;
    this.against = { first: before.name, second: name };
  }

  close(): void {
    this.result = undefined;
    this.samples = undefined;
    this.against = undefined;
    this.#single = undefined;
    this.fault = undefined;
    this.name = "";
  }
}

export const evaluation = new EvaluationState();

async function keyRows(): Promise<Map<string, number>> {
  const { columns } = studio;
  if (columns === undefined) return new Map();
  const keys = await fetchKeys();
  const decoder = new TextDecoder();
  const refIds = decoder.decode(keys.refIds).split("\n");
  const sentenceIds = decoder.decode(keys.sentenceIds).split("\n");
  return new Map(
    sentenceIds.map((id, row) => {
      const ref = columns.ref[row]!;
      return [expressionKey(columns.sources[columns.source[ref]!] ?? "", refIds[ref] ?? "", id), row];
    }),
  );
}
