import { type Command, Option } from "commander";
import {
  defaultEncoding,
  defaultFormatOptions,
  type ExportManifest,
  type ExportReport,
  exporters,
  exportPool,
  type ImageEncoding,
  mergeExport,
  trainerNames,
} from "../../exporters/index.ts";
import { byteText, formatCount, formatNumber, type Shard } from "../../io/index.ts";
import { Loader } from "../../loader/index.ts";
import { exportLists } from "../../mining/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import { Pool } from "../../pool/index.ts";
import {
  action,
  choiceOption,
  cores,
  integerOption,
  listOption,
  print,
  progressOf,
  readSettings,
  type SharedOptions,
  warn,
  withShared,
} from "../session.ts";
import { parseShard, shardHelp } from "../shard.ts";
import { textTable } from "../table.ts";

interface Options extends SharedOptions {
  readonly output?: string;
  readonly split: string[];
  readonly epochs: number;
  readonly firstEpoch: number;
  readonly originals: number;
  readonly jpegQuality?: number;
  readonly chroma: "4:2:0" | "4:4:4";
  readonly png: boolean;
  readonly dataset?: string;
  readonly splitBy?: string;
  readonly masks: "polygons" | "rle";
  readonly imagesFolder?: string;
  readonly shardSamples: number;
  readonly shardBytes?: number;
  readonly shard?: Shard;
  readonly merge: boolean;
  readonly source?: string;
}

export function exportCommand(program: Command): void {
  withShared(program.command("export <format> <pool>"))
    .description("write training data with mosaics, for trainers that you do not want to change")
    .requiredOption("-o, --output <folder>", "the folder to make")
    .option(
      "--split <names>",
      "splits, comma-separated; train is drawn, the others give original images and truth",
      listOption("--split"),
      ["train"],
    )
    .option("--epochs <n>", "epochs to draw for train", integerOption("--epochs", 1), 1)
    .option("--first-epoch <n>", "number of the first epoch", integerOption("--first-epoch", 0), 0)
    .option(
      "--originals <ratio>",
      "original images beside the drawn ones: 1 = one for each, 0.5 = one for every two",
      ratioOption,
      0,
    )
    .option(
      "--jpeg-quality <n>",
      `quality of drawn images, 1 to 100 (default: ${defaultEncoding.kind === "jpeg" ? defaultEncoding.quality : ""})`,
      integerOption("--jpeg-quality", 1),
    )
    .option(
      "--chroma <subsampling>",
      "4:4:4 keeps the colours' resolution, 4:2:0 halves it",
      choiceOption("--chroma", ["4:2:0", "4:4:4"]),
      "4:4:4",
    )
    .addOption(new Option("--png", "drawn images without loss").default(false).conflicts(["jpegQuality"]))
    .option(
      "--dataset <name>",
      "refer, cris-lmdb, seqtr: the name that the trainer asks for (default: the pool's, or refcoco)",
    )
    .option("--split-by <name>", "refer, cris-lmdb, seqtr: unc, umd, google (default: the pool's, or unc)")
    .option(
      "--masks <form>",
      "refer: polygons, or rle (smaller; not for ReLA, MaskRIS, Sa2VA, AeroReformer)",
      choiceOption("--masks", ["polygons", "rle"]),
      defaultFormatOptions.masks,
    )
    .option(
      "--images-folder <path>",
      "refer: where in the export images go (default: where the dataset's trainers look for them)",
    )
    .option(
      "--shard-samples <n>",
      "webdataset, parquet: samples of a file at most",
      integerOption("--shard-samples", 1),
      defaultFormatOptions.shardSamples,
    )
    .option("--shard-bytes <n>", "webdataset: bytes of a file at most", integerOption("--shard-bytes", 1))
    .option("--source <name>", "lists: the source, if the pool has several")
    .option("--shard <i/n>", `${shardHelp}; --merge joins the parts`, (text) => parseShard(text, process.env))
    .addOption(
      new Option("--merge", "join the parts that shards wrote to the folder").default(false).conflicts(["shard"]),
    )
    .addHelpText(
      "after",
      `
Formats:
${textTable([...exporters.map(({ name, title }) => ["  ", name, title]), ["  ", "lists", "the mined candidates as the reference loader's own score lists"]])}

Example:
  nemosaic export refer pool -o baked --split train,val --epochs 10 --originals 0.5`,
    )
    .action(
      action(async (format: string, folder: string, options: Options) => {
        const output = options.output ?? fail("usage", "expected -o FOLDER");
        if (format === "lists") return runLists(folder, output, options);
        const report = options.merge
          ? await mergeExport(output, { format, progress: progressOf(options) })
          : await runExport(format, folder, output, options);
        for (const warning of report.warnings ?? []) warn(warning);
        print(options, report, exportText(report, output));
      }),
    );
}

/** The reference loader's lists hold scores, no samples. */
async function runLists(folder: string, output: string, options: Options): Promise<void> {
  const { split, force, seed, source } = options;
  if (options.shard !== undefined || options.merge)
    fail("usage", "lists are written in one go: expected neither --shard nor --merge");
  const [only, ...others] = split;
  if (only === undefined || others.length > 0) fail("usage", `expected one split for lists, got "${split.join(",")}"`);
  const loader = await Loader.open(folder, await readSettings(options), { split: only, seed });
  try {
    const { mined, pool, settings } = loader;
    if (mined === undefined)
      fail("incomplete", `"${folder}" has no mined/${settings.mined}; run "nemosaic mine" first`);
    const report = await exportLists(pool, mined, {
      output,
      split: only,
      force,
      progress: progressOf(options),
      ...(source === undefined ? {} : { source }),
    });
    const verb = report.reused ? "there already" : "exported";
    print(
      options,
      report,
      `${verb}: lists of ${formatCount(report.refs, "ref")} and ${formatCount(report.images, "image")} in "${output}"`,
    );
  } finally {
    await loader.close();
  }
}

async function runExport(format: string, folder: string, output: string, options: Options): Promise<ExportReport> {
  const settings = await readSettings(options);
  const pool = await Pool.open(folder);
  try {
    const { split, epochs, firstEpoch, originals, seed, force, shard } = options;
    return await exportPool(pool, settings, {
      format,
      output,
      splits: split,
      seed,
      epochs,
      firstEpoch,
      originals,
      image: encodingOf(options),
      options: {
        ...trainerNames(format, pool.manifest.sources[0], options),
        masks: options.masks,
        ...(options.imagesFolder === undefined ? {} : { imagesFolder: options.imagesFolder }),
        shardSamples: options.shardSamples,
        ...(options.shardBytes === undefined ? {} : { shardBytes: options.shardBytes }),
      },
      ...(shard === undefined ? {} : { shard }),
      force,
      concurrency: 2 * cores(),
      progress: progressOf(options),
    });
  } finally {
    await pool.close();
  }
}

function encodingOf(options: Options): ImageEncoding {
  if (options.png) return { kind: "png" };
  if (defaultEncoding.kind !== "jpeg") return defaultEncoding;
  return { kind: "jpeg", quality: options.jpegQuality ?? defaultEncoding.quality, chroma: options.chroma };
}

function ratioOption(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 16))
    fail("usage", `expected a ratio from 0 to 16 for --originals, got ${quoteValue(text)}`);
  return value;
}

function exportText(report: ExportReport, folder: string): string {
  const { manifest } = report;
  if (manifest === undefined)
    return `drew ${report.drawnParts} parts of ${report.parts}; when all shards are done, run the same command with --merge in place of --shard`;
  const { count, bytes } = manifest.files;
  const lines = [
    `${report.reused ? "there already" : "exported"}: ${formatCount(count, "file")}, ${byteText(bytes)} in "${folder}"`,
    ...Object.entries(manifest.counts).map(([split, counts]) => `  ${split}: ${splitText(counts)}`),
    ...epochsText(manifest),
    ...manifest.remarks.first.slice(0, 3).map((remark) => `  ${remark}`),
  ];
  return lines.join("\n");
}

/** A trainer's epoch goes over all that was exported, which is more than one of the data's. */
function epochsText({ job, counts }: ExportManifest): string[] {
  return job.splits.flatMap(({ name, drawn, units }) => {
    const ratio = drawn && units > 0 ? (counts[name]?.records ?? 0) / units : 1;
    if (Math.abs(ratio - 1) < 0.05) return [];
    const times = String(Math.round(10 * ratio) / 10);
    return [`  one epoch of a trainer over "${name}" is ${times} of its own: give it its number divided by ${times}`];
  });
}

function splitText({ records, originals, leftOut, kinds }: ExportManifest["counts"][string]): string {
  const parts = [
    ...Object.entries(kinds).sort(([a], [b]) => (a < b ? -1 : 1)),
    ...(originals > 0 ? [["original", originals] as const] : []),
  ];
  const left = leftOut > 0 ? `; ${formatNumber(leftOut)} left out` : "";
  return `${formatCount(records, "sample")} (${parts.map(([kind, number]) => `${kind} ${formatNumber(number)}`).join(", ")})${left}`;
}
