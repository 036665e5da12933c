import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { imageSize } from "../../codecs/index.ts";
import {
  type EvaluateChoices,
  evaluateCommand as evaluate,
  type Truth,
  truthsOfPool,
  truthsOfRecords,
} from "../../evaluate/index.ts";
import { findImporter, type ImportOptions, recogniseImporter } from "../../importers/index.ts";
import { exists, insidePath } from "../../io/index.ts";
import { fail, quoteValue, someOf } from "../../model/index.ts";
import { Pool } from "../../pool/index.ts";
import {
  action,
  integerOption,
  listOption,
  print,
  progressOf,
  remark,
  type SharedOptions,
  withShared,
} from "../session.ts";

interface TruthOptions {
  readonly truth?: string;
  readonly source?: string[];
  readonly truthFormat: string;
  readonly images?: string;
  readonly dataset?: string;
  readonly splitBy?: string;
}

interface Options extends SharedOptions, TruthOptions, Omit<EvaluateChoices, "seed"> {
  readonly preset: string;
  readonly ids?: string[];
  readonly compare?: string[];
  readonly compareIds?: string[];
  readonly format: string;
  readonly only?: string;
  readonly html?: string;
  readonly samples?: string;
  readonly worst: number;
}

export function evaluateCommand(program: Command): void {
  // --settings, --preset and --set speak of sampling elsewhere; here --preset names an evaluator.
  const command = program.command("evaluate [predictions]");
  withShared(command, { sampling: false })
    .description("score predicted masks as a paper's program does, and show where the model fails")
    .requiredOption("--truth <pool|folder>", "a pool, or the dataset's own folder")
    .requiredOption("--preset <name>", "whose evaluator: cris, lavt, cgformer, rela, gsva, lisa")
    .option("--split <names>", "splits to score, comma-separated", listOption("--split"))
    .option("--source <names>", "sources of the pool to score, comma-separated", listOption("--source"))
    .option(
      "--compare <predictions...>",
      "a second model: its gain over the first, paired; or both models, the first before the second; several training seeds of a model: comma-separated",
    )
    .option("--format <name>", "tables as text, markdown, latex or csv", "text")
    .option("--html <file>", "write a self-contained report")
    .option("--samples <file>", "write one JSON line a sample")
    .option("--only <file>", "score only these expressions (see subset)")
    .option("--ids <files>", "ids of a .npy stack; with several seeds, one file or one for each", listOption("--ids"))
    .option("--compare-ids <files>", "ids of the second model's .npy stacks", listOption("--compare-ids"))
    .option("--missing <policy>", "error, empty or skip")
    .option("--extra <policy>", "error or ignore")
    .option("--wrong-size <policy>", "error, resize, empty or skip")
    .option("--duplicate <policy>", "error, first or last")
    .option("--ids-are <what>", "sentence or ref, if the ids could be either")
    .option("--values <what>", "masks or probabilities, if integer files could be either")
    .option("--empty-below <pixels>", "fewer predicted pixels mean no target", integerOption("--empty-below", 0))
    .option("--threshold <p>", "change the preset's threshold", probability)
    .option("--size <side|original>", "compare at this size instead of the preset's")
    .option("--sentences <rule>", "change which sentences count: all, first or last")
    .option("--bootstrap <n>", "draws of the bootstrap", integerOption("--bootstrap", 1))
    .option("--least <n>", "no interval for a number from fewer images (default: 10)", integerOption("--least", 1))
    .option(
      "--worst <n>",
      "pictures of the worst cases in the report; half as many of the largest gains, and of the largest losses",
      integerOption("--worst", 0),
      24,
    )
    .option("--images <folder>", "images folder, if --truth is a dataset's folder")
    .option("--dataset <name>", "which dataset, if --truth is a folder of several")
    .option("--split-by <name>", "which split file of the dataset")
    .addOption(new Option("--truth-format <name>", "format of the dataset's folder").default("auto"))
    .addHelpText(
      "after",
      "\nExample:\n  nemosaic evaluate predictions/ --truth pool --preset cris --split val --html report.html\n  nemosaic evaluate --compare plain1/,plain2/,plain3/ nemo1/,nemo2/,nemo3/ --truth pool --preset cris --format latex",
    )
    .action(
      action(async (given: string | undefined, options: Options) => {
        const { predictions, compareWith } = await sidesOf(given, options.compare ?? []);
        const truth = await openTruth(options, (line) => remark(options, line));
        try {
          const result = await evaluate({
            truths: truth.truths,
            predictions,
            idsFile: options.ids,
            compareWith,
            format: options.format,
            compareIdsFile: options.compareIds,
            choices: options,
            only: options.only,
            htmlFile: options.html,
            samplesFile: options.samples,
            force: options.force,
            worst: options.worst,
            loadImage: truth.loadImage,
            progress: progressOf(options),
          });
          print(options, result.json, result.text);
          if (result.unwritten !== undefined) throw result.unwritten;
        } finally {
          await truth.close();
        }
      }),
    );
}

/** The two sides of a comparison, or the one model that is scored. Seeds of a model stand in one word, with commas. */
async function sidesOf(
  given: string | undefined,
  compare: readonly string[],
): Promise<{ predictions: readonly string[]; compareWith?: readonly string[] }> {
  const words = given === undefined ? compare : [given, ...compare];
  const [first, second, ...more] = words;
  if (first === undefined)
    fail("usage", "expected predictions: nemosaic evaluate PREDICTIONS --truth POOL --preset NAME");
  if (more.length > 0)
    fail(
      "usage",
      `expected two models to compare, got ${words.length}: ${someOf(words)}; seeds of one model are one word, with commas (a1,a2,a3 b1,b2,b3)`,
    );
  if (second === undefined) {
    if (compare.length > 0)
      fail("usage", `expected a model to compare ${quoteValue(first)} with: --compare FIRST SECOND`);
    return { predictions: await seedsOf(first) };
  }
  return { predictions: await seedsOf(first), compareWith: await seedsOf(second) };
}

/** A name with a comma may be a file's own; else it lists the seeds of a model. */
async function seedsOf(word: string): Promise<readonly string[]> {
  return (await exists(word)) ? [word] : listOption("the seeds of a model")(word);
}

function probability(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    fail("usage", `expected a number from 0 to 1 for --threshold, got ${quoteValue(text)}`);
  return value;
}

interface OpenedTruth {
  readonly truths: readonly Truth[];
  loadImage(truth: Truth): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The truth of a pool, or of a dataset's folder read by its importer. */
async function openTruth(options: TruthOptions, tell: (line: string) => void): Promise<OpenedTruth> {
  const path = options.truth ?? fail("usage", "expected --truth POOL or FOLDER");
  if (await exists(join(path, "pool.json"))) {
    const pool = await Pool.open(path);
    return {
      truths: truthsOfPool(pool, options.source),
      loadImage: (truth) => pool.imageBytes(pool.imageRow(truth.imageKey)),
      close: () => pool.close(),
    };
  }
  const given: Omit<ImportOptions, "source"> = {
    ...(options.images === undefined ? {} : { images: options.images }),
    ...(options.dataset === undefined ? {} : { dataset: options.dataset }),
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
  };
  const recognised = options.truthFormat === "auto" ? await recogniseImporter(path) : undefined;
  if (recognised !== undefined) tell(`recognised as ${recognised.importer.name}: ${recognised.how}`);
  const source = await (recognised === undefined
    ? findImporter(options.truthFormat).open({ source: path, ...given })
    : recognised.importer.open({ ...recognised.options, ...given }));
  const read = async (file: string): Promise<Uint8Array> => readFile(await insidePath(source.imagesFolder, file));
  return {
    truths: await truthsOfRecords(source.records(), source.name, async (file) => imageSize(await read(file))),
    loadImage: (truth) => read(truth.imageKey),
    close: async () => undefined,
  };
}
