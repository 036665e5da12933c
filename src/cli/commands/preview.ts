import type { Command } from "commander";
import { type StageTiming, stageTiming, timingText, writeFileOnce } from "../../io/index.ts";
import { Loader } from "../../loader/index.ts";
import { fail } from "../../model/index.ts";
import { previewPng } from "../../sheets/index.ts";
import { action, integerOption, print, readSettings, type SharedOptions, withShared } from "../session.ts";

interface Options extends SharedOptions {
  readonly output?: string;
  readonly split: string;
  readonly count: number;
  readonly epoch: number;
  readonly timing: boolean;
}

const timingAdvice = {
  decode: 'keep the images decoded: "nemosaic tiles", or resample=fast',
  resize: 'keep the images decoded: "nemosaic tiles", or resample=fast',
  tiles: "the disk under the pool is the limit: more memory for its cache, or a faster disk",
  compose: "nothing but copying is left",
  plan: "a smaller band.k or a shallower mined set",
};

export function previewCommand(program: Command): void {
  withShared(program.command("preview <pool>"))
    .description("write a picture of samples as training sees them, with their masks")
    .requiredOption("-o, --output <file.png>", "the picture")
    .option("--split <name>", "split", "train")
    .option("--count <n>", "samples", integerOption("--count", 1), 12)
    .option("--epoch <n>", "epoch", integerOption("--epoch", 0), 0)
    .option("--timing", "say which stage of drawing is slowest", false)
    .addHelpText("after", "\nExample:\n  nemosaic preview pool -o preview.png --count 12 --set mosaic.gamma=1")
    .action(
      action(async (pool: string, options: Options) => {
        const output = options.output ?? fail("usage", "expected -o FILE.png");
        if (!output.toLowerCase().endsWith(".png"))
          fail("usage", `expected a name that ends in .png for -o, got "${output}"`);
        const timing: StageTiming | undefined = options.timing ? stageTiming(() => performance.now()) : undefined;
        const loader = await Loader.open(pool, await readSettings(options), {
          split: options.split,
          seed: options.seed,
          ...(timing === undefined ? {} : { timing }),
        });
        let isNew = true;
        try {
          const png = await previewPng(loader, { count: options.count, epoch: options.epoch });
          isNew = await writeFileOnce(output, png, { what: "file", force: options.force });
        } finally {
          await loader.close();
        }
        if (timing !== undefined) process.stderr.write(`${timingText(timing, timingAdvice)}\n`);
        print(options, { file: output }, isNew ? `wrote "${output}"` : `"${output}" holds this picture already`);
      }),
    );
}
