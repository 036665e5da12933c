import type { Command } from "commander";
import { merge } from "../../steps/index.ts";
import { action, listenerOf, print, type SharedOptions, withShared } from "../session.ts";

interface MergeOptions extends SharedOptions {
  readonly t2t: boolean;
  readonly sentences: boolean;
}

export function mergeCommand(program: Command): void {
  withShared(program.command("merge <pool>"), { sampling: false, seed: false })
    .description("join the parts that embed, mine and tiles wrote with --shard, to the same bytes as one run")
    .option("--t2t", "then add text-to-text scores to the mined sets (setting: band.tauText)", false)
    .option(
      "--sentences",
      "then rank for each image the sentences that score it best (setting: gres.negativeSource)",
      false,
    )
    .addHelpText(
      "after",
      "\nExample:\n  nemosaic mine pool --shard 0/2\n  nemosaic mine pool --shard 1/2\n  nemosaic merge pool",
    )
    .action(
      action(async (folder: string, options: MergeOptions) => {
        const { t2t, sentences, force } = options;
        const { merged } = await merge(folder, { t2t, sentences, force }, listenerOf(options));
        const text = merged.length === 0 ? "no parts to merge" : merged.map((name) => `merged ${name}`).join("\n");
        print(options, { merged }, text);
      }),
    );
}
