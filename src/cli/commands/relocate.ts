import type { Command } from "commander";
import { formatCount } from "../../io/index.ts";
import { relocatePool } from "../../pool/index.ts";
import { action, integerOption, print, progressOf, type SharedOptions, withShared } from "../session.ts";

interface Options extends SharedOptions {
  readonly images: string;
  readonly root?: number;
}

export function relocateCommand(program: Command): void {
  withShared(program.command("relocate <pool>"), { sampling: false, seed: false, force: false })
    .description("set where a pool's images are now; their content is compared with what was imported")
    .requiredOption("--images <folder>", "the folder that holds the images now")
    .option("--root <n>", "which of the folders in pool.json's roots moved, from 0", integerOption("--root", 0))
    .addHelpText("after", "\nExample:\n  nemosaic relocate pool --images /data/coco/train2014")
    .action(
      action(async (folder: string, options: Options) => {
        const { images, root } = options;
        const moved = await relocatePool(folder, { images, root, progress: progressOf(options) });
        print(options, moved, `${formatCount(moved.images, "image")}: ${moved.from} → ${moved.to}`);
      }),
    );
}
