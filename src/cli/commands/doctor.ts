import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { defaultAlikeBits, type Examination, type ExamineOptions, examinePool } from "../../doctor/index.ts";
import { publishedCounts } from "../../importers/index.ts";
import { exists, formatCount, temporaryFolder } from "../../io/index.ts";
import { Pool } from "../../pool/index.ts";
import { importDataset } from "../../steps/index.ts";
import {
  action,
  cores,
  integerOption,
  listenerOf,
  print,
  progressOf,
  readSettings,
  type SharedOptions,
  withShared,
} from "../session.ts";

interface Options extends SharedOptions {
  readonly against?: string;
  readonly fast: boolean;
  readonly alikeBits: number;
  readonly images?: string;
  readonly dataset?: string;
  readonly splitBy?: string;
  readonly name?: string;
  readonly followLinks?: boolean;
}

export function doctorCommand(program: Command): void {
  withShared(program.command("doctor <pool-or-folder>"), { seed: false, force: false })
    .description(
      "find what is wrong with a pool, or with a dataset before it is imported; ends with status 1 on errors",
    )
    .option(
      "--against <pool>",
      "also look for images that this one trains on and the other evaluates on, and the reverse",
    )
    .option("--fast", "read image headers only; near-duplicates are not looked for", false)
    .option(
      "--alike-bits <n>",
      "bits of 128 that may differ in images that look alike",
      integerOption("--alike-bits", 0),
      defaultAlikeBits,
    )
    .option("--images <folder>", "dataset folder: where its images are")
    .option("--dataset <name>", "dataset folder: which dataset, if it holds several")
    .option("--split-by <name>", "dataset folder: which split file")
    .option("--name <name>", "dataset folder: its name in the published tables")
    .option("--follow-links", "dataset folder: allow images that are links to outside their folder")
    .addHelpText(
      "after",
      "\nExample:\n  nemosaic doctor pool\n  nemosaic doctor scenes/refer/scenes --images scenes/images --fast",
    )
    .action(
      action(async (folder: string, options: Options) => {
        const settings = await readSettings(options);
        const { fast, alikeBits } = options;
        const common: Omit<ExamineOptions, "against"> = {
          published: publishedCounts,
          fast,
          alikeBits,
          nearDuplicate: settings.guards.nearDuplicate ?? 0.97,
          concurrency: 2 * cores(),
          progress: progressOf(options),
        };
        const examination = await withPool(folder, options, async (pool, imported) => {
          const known = imported === undefined ? common : { ...common, imported };
          if (options.against === undefined) return examinePool(pool, known);
          return withPool(options.against, options, (against) => examinePool(pool, { ...known, against }));
        });
        print(options, examination, examinationText(examination));
        if (examination.totals.error > 0) process.exitCode = 1;
      }),
    );
}

/** Opens a pool; a dataset's folder is imported into one that is thrown away afterwards, and `use` told what was left out. */
async function withPool<T>(
  folder: string,
  options: Options,
  use: (pool: Pool, imported: ExamineOptions["imported"]) => Promise<T>,
): Promise<T> {
  const isPool = await exists(join(folder, "pool.json"));
  const made = isPool ? undefined : await mkdtemp(join(temporaryFolder(), "nemosaic-doctor-"));
  try {
    let imported: ExamineOptions["imported"];
    if (made !== undefined) {
      const { images, dataset, splitBy, name, followLinks } = options;
      const given = { source: folder, images, dataset, splitBy, name, followLinks, onBad: "skip" } as const;
      const report = await importDataset(made, given, listenerOf(options));
      imported = report.skippedExamples;
    }
    const pool = await Pool.open(made ?? folder);
    try {
      return await use(pool, imported);
    } finally {
      await pool.close();
    }
  } finally {
    if (made !== undefined) await rm(made, { recursive: true, force: true });
  }
}

function examinationText({ findings, totals, checked }: Examination): string {
  const looked = `${formatCount(checked.images, "image")}${checked.decoded ? "" : " (headers only)"}, ${formatCount(checked.refs, "ref")}, ${formatCount(checked.expressions, "expression")}`;
  const lines = findings.flatMap(({ severity, message, fix, examples }) => [
    `${severity.padEnd(7)}  ${message}`,
    ...examples.slice(0, 3).map((example) => `           e.g. ${example}`),
    `           → ${fix}`,
  ]);
  const verdict =
    findings.length === 0
      ? "nothing found"
      : [
          formatCount(totals.error, "error"),
          formatCount(totals.warning, "warning"),
          formatCount(totals.info, "remark"),
        ].join(", ");
  return [...lines, `${verdict}; checked ${looked}`].join("\n");
}
