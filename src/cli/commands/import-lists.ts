import type { Command } from "commander";
import { formatCount, formatNumber } from "../../io/index.ts";
import { importLists } from "../../mining/index.ts";
import { Pool } from "../../pool/index.ts";
import { action, integerOption, print, progressOf, type SharedOptions, withShared } from "../session.ts";

interface Options extends SharedOptions {
  readonly i2i?: string;
  readonly name: string;
  readonly source?: string;
  readonly split: string;
  readonly depth: number;
}

export function importListsCommand(program: Command): void {
  withShared(program.command("import-lists <pool> <t2i>"), { sampling: false, seed: false })
    .description("make a mined set from the released NeMo loader's score lists (LMDB, pickle values)")
    .option("--i2i <file>", "its image-to-image lists")
    .option("--name <name>", "the folder under mined/ to make; draw from it with --set mined=NAME", "lists")
    .option("--source <name>", "the pool's source that the lists belong to, if it has several")
    .option("--split <name>", "the split that the lists belong to", "train")
    .option("--depth <n>", "candidates kept of each list", integerOption("--depth", 1), 1024)
    .addHelpText(
      "after",
      "\nExample:\n  nemosaic import-lists pool refcoco_t2i.lmdb --i2i refcoco_i2i.lmdb\n  nemosaic plan pool --set mined=lists",
    )
    .action(
      action(async (folder: string, t2i: string, options: Options) => {
        const pool = await Pool.open(folder);
        try {
          const { i2i, source, split, depth, force, name } = options;
          const report = await importLists(pool, {
            t2i,
            i2i,
            source,
            split,
            depth,
            name,
            force,
            progress: progressOf(options),
          });
          const lines = [
            `mined/${name}: lists of ${formatCount(report.listed, "sentence")}, ${formatNumber(report.depth)} deep${report.unlisted > 0 ? `; ${formatCount(report.unlisted, "sentence")} of "${split}" have none` : ""}`,
            ...Object.entries(report.skipped).map(
              ([reason, count]) => `  passed over ${formatNumber(count)}: ${reason}`,
            ),
            ...(report.imageOrder === null
              ? ["  no image-to-image scores: set band.tauImage to null or a number"]
              : [`  order of the image lists: ${report.imageOrder}`]),
          ];
          print(options, report, lines.join("\n"));
        } finally {
          await pool.close();
        }
      }),
    );
}
