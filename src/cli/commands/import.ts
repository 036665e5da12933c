import type { Command } from "commander";
import { importers } from "../../importers/index.ts";
import { formatCount, formatNumber } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import type { BadPolicy, ImportReport } from "../../pool/index.ts";
import { importDataset } from "../../steps/index.ts";
import { action, choiceOption, listenerOf, print, type SharedOptions, withShared } from "../session.ts";
import { textTable } from "../table.ts";

interface Options extends SharedOptions {
  readonly pool?: string;
  readonly images?: string;
  readonly dataset?: string;
  readonly splitBy?: string;
  readonly name?: string;
  readonly onBad: BadPolicy;
  readonly columns?: string;
  readonly pack: boolean;
  readonly followLinks?: boolean;
  readonly withoutLeaks?: boolean;
}

export function importCommand(program: Command): void {
  withShared(program.command("import <format> <source>"), { sampling: false, seed: false })
    .description("read a dataset into a pool; several datasets can go into one pool")
    .requiredOption("--pool <folder>", "the pool to make or to add to")
    .option("--images <folder>", "the images folder, if it is not inside the dataset")
    .option("--dataset <name>", "which dataset, if SOURCE is a folder of several")
    .option("--split-by <name>", "which split file: unc, google, umd, …")
    .option("--columns <list>", 'which column of a table is what: "image=path,mask=masks/{id}.png,text=phrase"')
    .option("--name <name>", "the source's name in the pool (default: dataset and split-by)")
    .option(
      "--on-bad <policy>",
      "fail or skip: what to do with a record that makes no sense",
      choiceOption("--on-bad", ["fail", "skip"]),
      "fail",
    )
    .option("--pack", "copy the images into the pool", false)
    .option("--follow-links", "allow images that are links to outside their folder (hub caches, subsets)")
    .option("--without-leaks", "leave out, and count, training refs whose image is in an evaluation split")
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
        const folder = options.pool ?? fail("usage", "expected --pool FOLDER");
        const { images, dataset, splitBy, columns, name, onBad, pack, followLinks, withoutLeaks, force } = options;
        const places = { source, images, dataset, splitBy, columns, name };
        const given = { format, ...places, onBad, pack, followLinks, withoutLeaks, force };
        const report = await importDataset(folder, given, listenerOf(options));
        print(
          options,
          { reused: report.reused, source: report.source, pool: report.manifest.hash, examples: report.examples },
          importText(report),
        );
      }),
    );
}

/** The report of an import for people. */
function importText(report: ImportReport): string {
  const { source, reused } = report;
  const { images, annotations, refs, expressions } = source.counts;
  const lines = [
    `${source.name}: ${formatCount(images, "image")}, ${formatCount(annotations, "annotation")}, ${formatCount(refs, "ref")}, ${formatCount(expressions, "expression")}` +
      (reused ? " (in the pool already, nothing to do)" : ""),
    `  splits: ${Object.entries(source.splits)
      .map(([split, count]) => `${split} ${formatNumber(count)}`)
      .join(", ")}`,
    ...Object.entries(source.skipped).map(([reason, count]) => `  skipped ${formatNumber(count)}: ${reason}`),
    ...Object.entries(source.notes).map(([reason, count]) => `  noted ${formatNumber(count)}: ${reason}`),
    ...report.examples.slice(0, 3).map((example) => `  e.g. ${example}`),
  ];
  return lines.join("\n");
}
