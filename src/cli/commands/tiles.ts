import { join } from "node:path";
import { type Command, Option } from "commander";
import { partsFolder } from "../../artefacts/index.ts";
import { byteText, exists, grouped, type Shard, shardText, stageTiming, timingText } from "../../io/index.ts";
import { Loader, tileDemand } from "../../loader/index.ts";
import { fail, resampleVersions } from "../../model/index.ts";
import { resizerOf } from "../../mosaic/index.ts";
import {
  type BuildTilesOptions,
  buildTiles,
  buildTilesShard,
  planTiles,
  TileFile,
  type TilesPlan,
  tilesPlanText,
} from "../../tiles/index.ts";
import {
  action,
  choiceOption,
  cores,
  integerOption,
  print,
  progressOf,
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
    .description("keep images decoded at the sizes that the settings need: drawing then only copies")
    .option("--size <pixels>", "width and height of a sample (default: the settings')", integerOption("--size", 32))
    .option("--split <name>", "whose samples the tiles are for", "train")
    .option("--max-bytes <n>", "keep the most useful tiles within this many bytes", byteOption)
    .option("--threads <n>", "images decoded at the same time (default: all cores)", integerOption("--threads", 1))
    .option(
      "--on-bad <policy>",
      "fail or skip: what a corrupt image does",
      choiceOption("--on-bad", ["fail", "skip"]),
      "fail",
    )
    .addOption(
      new Option("--shard <i/n>", `${shardHelp}; merge joins the parts`)
        .argParser((text) => parseShard(text, process.env))
        .conflicts(["dryRun", "verify"]),
    )
    .option("--dry-run", "tell what would be made, and stop", false)
    .option("--verify", "compare all tiles with their recorded hashes, and stop", false)
    .option("--timing", "tell which stage holds the work back", false)
    .addHelpText("after", "\nExample:\n  nemosaic tiles pool --size 416 --max-bytes 20G")
    .action(
      action(async (pool: string, options: Options) => {
        const settings = await readSettings(options);
        const sized = options.size === undefined ? settings : { ...settings, size: options.size };
        const loader = await Loader.open(pool, sized, { split: options.split, seed: options.seed, tiles: "off" });
        try {
          if (options.verify) await verify(loader, options);
          else await build(loader, options);
        } finally {
          await loader.close();
        }
      }),
    );
}

async function build(loader: Loader, options: Options): Promise<void> {
  const { demands, cold } = tileDemand(loader);
  const textOf = (plan: TilesPlan): string =>
    tilesPlanText(plan) +
    (cold > 0.005 ? `\n  ${(100 * cold).toFixed(1)} % of the cells are decoded when drawn: ${whyCold}` : "");
  const timing = stageTiming(() => performance.now());
  const building: BuildTilesOptions = {
    resample: resampleOf(loader),
    resizer: resizerOf,
    ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
    threads: options.threads ?? cores(),
    onBad: options.onBad,
    force: options.force,
    progress: progressOf(options),
    timing,
    plan: (plan) => remark(options, textOf(plan)),
  };
  if (options.dryRun) {
    const plan = await planTiles(loader.pool, demands, building);
    return print(options, { ...plan, cold }, textOf(plan));
  }
  const { shard } = options;
  const report = await (shard === undefined
    ? buildTiles(loader.pool, demands, building)
    : buildTilesShard(loader.pool, demands, shard, building));
  for (const { image, reason } of report.skipped.slice(0, 5)) warn(`skipped ${image}: ${reason}`);
  if (options.timing) remark({ quiet: false }, timingText(timing, advice));
  print(
    options,
    { ...report, cold },
    (shard === undefined ? "" : `shard ${shardText(shard)}: `) +
      ("reused" in report && report.reused ? "made already, nothing to do" : `made ${grouped(report.made)} tiles`) +
      `, ${byteText(report.bytes)} in all` +
      (report.skipped.length === 0 ? "" : `; skipped ${grouped(report.skipped.length)} images`),
  );
  if (shard === undefined && (await exists(partsFolder(join(loader.pool.folder, "tiles")))))
    remark(options, `parts of shards are there too: "nemosaic merge" joins them`);
}

const whyCold = "parts of images, and sizes too varied to keep (movable cross points, fit contain)";

async function verify(loader: Loader, options: Options): Promise<void> {
  let [tiles, bad] = [0, 0];
  for (const { width, height } of tileDemand(loader).demands) {
    const file = await TileFile.open(loader.pool.folder, { width, height, resample: resampleOf(loader) });
    if (file === undefined) continue;
    try {
      tiles += file.count;
      bad += (await file.damaged()).length;
    } finally {
      await file.close();
    }
  }
  if (bad > 0)
    fail(
      "checksum",
      `${grouped(bad)} of ${grouped(tiles)} tiles are not what was written; make them again with --force`,
    );
  print(options, { tiles, damaged: bad }, `${grouped(tiles)} tiles are as they were written`);
}

function resampleOf({ settings }: Loader) {
  return { name: settings.resample, version: resampleVersions[settings.resample] };
}

/** A number of bytes, with K, M, G or T for powers of 1000. */
function byteOption(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)B?$/i.exec(text);
  const power = "KMGT".indexOf(match?.[2]?.toUpperCase() || "-") + 1;
  const value = match === null ? Number.NaN : Math.floor(Number(match[1]) * 1000 ** power);
  return Number.isSafeInteger(value)
    ? value
    : fail("usage", `expected bytes such as 20G for --max-bytes, got "${text}"`);
}
