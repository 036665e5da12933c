import type { Command } from "commander";
import { refuseOverwrite, writeFileAtomic } from "../../io/index.ts";
import { Loader } from "../../loader/index.ts";
import { fail } from "../../model/index.ts";
import { previewPng } from "../../sheets/index.ts";
import { action, integerOption, print, readSettings, type SharedOptions, withShared } from "../session.ts";

interface Options extends SharedOptions {
  readonly output?: string;
  readonly split: string;
  readonly count: number;
  readonly epoch: number;
}

export function previewCommand(program: Command): void {
  withShared(program.command("preview <pool>"))
    .description("a picture of samples as training sees them, masks overlaid")
    .requiredOption("-o, --output <file.png>", "the picture")
    .option("--split <name>", "split", "train")
    .option("--count <n>", "samples", integerOption("--count", 1), 12)
    .option("--epoch <n>", "epoch", integerOption("--epoch", 0), 0)
    .addHelpText("after", "\nExample:\n  nemosaic preview pool -o preview.png --count 12 --set mosaic.gamma=1")
    .action(
      action(async (pool: string, options: Options) => {
        const output = options.output ?? fail("usage", "expected -o FILE.png");
        if (!output.toLowerCase().endsWith(".png"))
          fail("usage", `expected a name that ends in .png for -o, got "${output}"`);
        await refuseOverwrite(output, "a file", options.force);
        const loader = await Loader.open(pool, await readSettings(options), {
          split: options.split,
          seed: options.seed,
        });
        try {
          await writeFileAtomic(output, await previewPng(loader, { count: options.count, epoch: options.epoch }));
        } finally {
          await loader.close();
        }
        print(options, { file: output }, `wrote "${output}"`);
      }),
    );
}
