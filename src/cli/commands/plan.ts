import type { Command } from "commander";
import { Loader } from "../../loader/index.ts";
import { fail } from "../../model/index.ts";
import { action, integerOption, readSettings, type SharedOptions, withShared } from "../session.ts";

interface Options extends SharedOptions {
  readonly split: string;
  readonly epoch: number;
  readonly from: number;
  readonly to?: number;
}

export function planCommand(program: Command): void {
  withShared(program.command("plan <pool>"), { force: false })
    .description("print what training would see: one plan a line, as JSON")
    .option("--split <name>", "split", "train")
    .option("--epoch <n>", "epoch", integerOption("--epoch", 0), 0)
    .option("--from <index>", "first sample index", integerOption("--from", 0), 0)
    .option("--to <index>", "index to stop before (default: the end of the epoch)", integerOption("--to", 0))
    .addHelpText("after", "\nExample:\n  nemosaic plan pool --split train --epoch 0 --to 8 > plans.jsonl")
    .action(
      action(async (pool: string, options: Options) => {
        const loader = await Loader.open(pool, await readSettings(options), {
          split: options.split,
          seed: options.seed,
        });
        try {
          const to = options.to ?? loader.length;
          if (options.from > to || to > loader.length) {
            fail(
              "usage",
              `expected --from and --to within the ${loader.length} samples of split "${options.split}", got ${options.from} to ${to}`,
            );
          }
          let lines: string[] = [];
          for (let index = options.from; index < to; index++) {
            lines.push(`${JSON.stringify(loader.plan(options.epoch, index))}\n`);
            if (lines.length === 256 || index === to - 1) {
              if (!process.stdout.write(lines.join("")))
                await new Promise((resolve) => process.stdout.once("drain", resolve));
              lines = [];
            }
          }
        } finally {
          await loader.close();
        }
      }),
    );
}
