import { join } from "node:path";
import { type Command, Option } from "commander";
import { partsFolder } from "../../artefacts/index.ts";
import {
  byteText,
  exists,
  formatCount,
  parseBytes,
  type Shard,
  shardText,
  stageTiming,
  timingText,
} from "../../io/index.ts";
import { type MakeTilesOptions, makeTiles, planTilesOf, type TilesStepPlan, verifyTiles } from "../../steps/index.ts";
import { tilesPlanText } from "../../tiles/index.ts";
import {
  action,
  choiceOption,
  integerOption,
  listenerOf,
  print,
  readSettings,
  remark,
  type SharedOptions,
  warn,
  withShared,
} from "../session.ts";
import { parseShard, shardHelp } from "../shard.ts";

interface Options extends SharedOptions {
  readonly size?: number;
  readonly split: string;
  readonly maxBytes?: number;
  readonly threads?: number;
  readonly onBad: "fail" | "skip";
  readonly shard?: Shard;
  readonly dryRun: boolean;
  readonly verify: boolean;
  readonly timing: boolean;
}

const advice = {
  decode: "more cores decode more (--threads); images kept on a slow disk can be packed into the pool when importing",
  resize: "resizing runs on one thread: resample=fast leaves it to the decoder",
  disk: "the disk under the pool is the limit",
};

export function tilesCommand(program: Command): void {
  withShared(program.command("tiles <pool>"))
    .description("store images decoded at the sizes that the settings need, so that drawing only copies")
    .option("--size <pixels>", "width and height of a sample (default: the settings')", integerOption("--size", 32))
    .option("--split <name>", "whose samples the tiles are for", "train")
    .option("--max-bytes <n>", "keep the most useful tiles within this many bytes", (text: string) =>
      parseBytes(text, "--max-bytes"),
    )
    .option("--threads <n>", "images decoded at the same time (default: all cores)", integerOption("--threads", 1))
    .option(
      "--on-bad <policy>",
      "fail or skip: what to do with an image that cannot be decoded",
      choiceOption("--on-bad", ["fail", "skip"]),
      "fail",
    )
    .addOption(
      new Option("--shard <i/n>", `${shardHelp}; merge joins the parts`)
        .argParser((text) => parseShard(text, process.env))
        .conflicts(["dryRun", "verify"]),
    )
    .option("--dry-run", "say what would be made, and stop", false)
    .option("--verify", "compare all tiles with their recorded hashes, and stop", false)
    .option("--timing", "say which stage is slowest, and what to set", false)
    .addHelpText("after", "\nExample:\n  nemosaic tiles pool --size 416 --max-bytes 20G")
    .action(
      action(async (pool: string, options: Options) => {
        const given = await readSettings(options);
        const settings = options.size === undefined ? given : { ...given, size: options.size };
        const { split, seed } = options;
        if (options.verify) {
          const { tiles } = await verifyTiles(pool, { settings, split, seed });
          return print(options, { tiles, damaged: 0 }, `checked ${formatCount(tiles, "tile")}: all as written`);
        }
        await build(pool, options, { settings, split, seed });
      }),
    );
}

async function build(pool: string, options: Options, chosen: Pick<MakeTilesOptions, "settings" | "split" | "seed">) {
  const timing = stageTiming(() => performance.now());
  const { maxBytes, threads, onBad, shard, force } = options;
  const making: MakeTilesOptions = { ...chosen, maxBytes, threads, onBad, shard, force, timing };
  if (options.dryRun) {
    const plan = await planTilesOf(pool, making);
    return print(options, plan, textOf(plan));
  }
  const onPlan = (plan: TilesStepPlan): void => remark(options, textOf(plan));
  const { reused, ...report } = await makeTiles(pool, { ...making, onPlan }, listenerOf(options));
  for (const { image, reason } of report.skipped.slice(0, 5)) warn(`skipped ${image}: ${reason}`);
  if (options.timing) remark({ quiet: false }, timingText(timing, advice));
  print(
    options,
    shard === undefined ? report : { ...report, reused },
    (shard === undefined ? "" : `shard ${shardText(shard)}: `) +
      (reused ? "made already, nothing to do" : `made ${formatCount(report.made, "tile")}`) +
      `, ${byteText(report.bytes)} in all` +
      (report.skipped.length === 0 ? "" : `; skipped ${formatCount(report.skipped.length, "image")}`),
  );
  if (shard === undefined && (await exists(partsFolder(join(pool, "tiles")))))
    remark(options, `parts of shards are there too: "nemosaic merge" joins them`);
}

function textOf(plan: TilesStepPlan): string {
  const { cold } = plan;
  const why = cold > 0.005 ? `\n  ${(100 * cold).toFixed(1)} % of the cells are decoded when drawn: ${whyCold}` : "";
  return tilesPlanText(plan) + why;
}

const whyCold = "parts of images, and sizes too varied to keep (movable cross points, fit contain)";
