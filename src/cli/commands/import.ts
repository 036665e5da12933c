import type { Command } from "commander";
import { findImporter, type ImportOptions, importers, recogniseImporter } from "../../importers/index.ts";
import { grouped } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { type BadPolicy, type ImportReport, importPool } from "../../pool/index.ts";
import { action, choiceOption, print, progressOf, remark, type SharedOptions, warn, withShared } from "../session.ts";
import { textTable } from "../table.ts";

interface Options extends SharedOptions {
  readonly pool?: string;
  readonly images?: string;
  readonly dataset?: string;
  readonly splitBy?: string;
  readonly name?: string;
  readonly onBad: BadPolicy;
  readonly pack: boolean;
}

export function importCommand(program: Command): void {
  withShared(program.command("import <format> <source>"))
    .description("read a dataset into a pool; several datasets can go into one pool")
    .requiredOption("--pool <folder>", "the pool to make or to add to")
    .option("--images <folder>", "the images folder, where the dataset does not hold it")
    .option("--dataset <name>", "which dataset, where SOURCE is a folder of several")
    .option("--split-by <name>", "which split file: unc, google, umd, …")
    .option("--name <name>", "the source's name in the pool (default: dataset and split-by)")
    .option(
      "--on-bad <policy>",
      "fail or skip: what to do with a record that makes no sense",
      choiceOption("--on-bad", ["fail", "skip"]),
      "fail",
    )
    .option("--pack", "copy the images into the pool", false)
    .addHelpText(
      "after",
      `
Formats:
${textTable([["auto", "find out which"], ...importers.map(({ name, title }) => [name, title])].map((row) => ["  ", ...row]))}

Example:
  nemosaic scenes scenes --count 60
  nemosaic import refer scenes/refer/scenes --images scenes/images --pool pool`,
    )
    .action(
      action(async (format: string, source: string, options: Options) => {
        const report = await runImport(
          format,
          source,
          options.pool ?? fail("usage", "expected --pool FOLDER"),
          options,
          (how) => remark(options, how),
        );
        print(
          options,
          { reused: report.reused, source: report.source, pool: report.manifest.hash, examples: report.examples },
          importText(report),
        );
      }),
    );
}

/** Opens SOURCE as FORMAT and imports it; `tell` gets the remarks for a person, warnings go to standard error. */
export async function runImport(
  format: string,
  source: string,
  pool: string,
  options: Pick<Options, "images" | "dataset" | "splitBy" | "name" | "onBad" | "pack" | "force" | keyof SharedOptions>,
  tell: (line: string) => void,
): Promise<ImportReport> {
  const given: Omit<ImportOptions, "source"> = {
    ...(options.images === undefined ? {} : { images: options.images }),
    ...(options.dataset === undefined ? {} : { dataset: options.dataset }),
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    ...(options.name === undefined ? {} : { name: options.name }),
  };
  const opened = await (async () => {
    if (format !== "auto") return findImporter(format).open({ source, ...given });
    const found = await recogniseImporter(source);
    tell(`recognised as ${found.importer.name}: ${found.how}`);
    return found.importer.open({ ...found.options, ...given });
  })();
  for (const warning of opened.warnings) warn(warning);
  const { onBad, pack, force } = options;
  return importPool(pool, opened, { onBad, pack, force, progress: progressOf(options) });
}

/** The report of an import for people. */
export function importText(report: ImportReport): string {
  const { source, reused } = report;
  const { images, annotations, refs, expressions } = source.counts;
  const lines = [
    `${source.name}: ${grouped(images)} images, ${grouped(annotations)} annotations, ${grouped(refs)} refs, ${grouped(expressions)} expressions` +
      (reused ? " (in the pool already, nothing to do)" : ""),
    `  splits: ${Object.entries(source.splits)
      .map(([split, count]) => `${split} ${grouped(count)}`)
      .join(", ")}`,
    ...Object.entries(source.skipped).map(([reason, count]) => `  skipped ${grouped(count)}: ${reason}`),
    ...Object.entries(source.notes).map(([reason, count]) => `  noted ${grouped(count)}: ${reason}`),
    ...report.examples.slice(0, 3).map((example) => `  e.g. ${example}`),
  ];
  return lines.join("\n");
}
