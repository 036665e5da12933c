import { availableParallelism } from "node:os";
import { formatCount, formatNumber, type Shard, type StageTimer } from "../io/index.ts";
import { Loader, tileDemand } from "../loader/index.ts";
import { fail, type Resample, resampleVersions } from "../model/index.ts";
import { resizerOf } from "../mosaic/index.ts";
import type { Pool } from "../pool/index.ts";
import type { Settings } from "../settings/index.ts";
import {
  type BuildTilesOptions,
  buildTiles,
  buildTilesShard,
  planTiles,
  TileFile,
  type TilesPlan,
  type TilesReport,
} from "../tiles/index.ts";
import { fullListener, type Listener } from "./listener.ts";

/** Which tiles to make, and how much disk they may take. */
export interface MakeTilesOptions {
  /** What samples are drawn by: sizes, images and the kernel follow from it. */
  readonly settings: Settings;
  /** Whose samples the tiles are for; default train. */
  readonly split?: string | undefined;
  readonly seed?: number | undefined;
  /** Tiles beyond this many bytes, over all sizes, are not made: those used least for their size are left out. */
  readonly maxBytes?: number | undefined;
  /** Images decoded at the same time; default: all cores. Never changes a byte. */
  readonly threads?: number | undefined;
  /** A corrupt image ends the run ("fail", default), or is left out. */
  readonly onBad?: "fail" | "skip" | undefined;
  /** Make one share, as a part for `merge`. */
  readonly shard?: Shard | undefined;
  /** Start the tiles of these sizes over. */
  readonly force?: boolean | undefined;
  /** Gets "decode", "resize" and "disk". */
  readonly timing?: StageTimer | undefined;
  /** Told what will be made before the first image is decoded. */
  readonly onPlan?: ((plan: TilesStepPlan) => void) | undefined;
}

/** What tiles would be made, before any is. */
export interface TilesStepPlan extends TilesPlan {
  /** The share of an epoch's cells that no tile can serve: parts of images, and sizes too varied to keep. */
  readonly cold: number;
}

/** What tiles were made. */
export interface TilesStepReport extends TilesReport {
  readonly cold: number;
  /** A shard whose part was there already, finished. */
  readonly reused: boolean;
}

type TilesChoice = Pick<MakeTilesOptions, "settings" | "split" | "seed">;

/**
 * Keeps a pool's images decoded at the sizes that samples need. A killed run goes on where it was. Errors: those of `Loader.open`
 * for the settings; "bad-input" with the image where `onBad` is "fail"; "exists" for a finished shard of other settings
 * without `force`; "locked"; "io" where the disk is full.
 */
export function makeTiles(
  pool: string | Pool,
  options: MakeTilesOptions,
  listener: Listener = {},
): Promise<TilesStepReport> {
  return withDemand(pool, options, async (loader) => {
    const { demands, cold } = tileDemand(loader);
    const { shard, onPlan } = options;
    const building: BuildTilesOptions = {
      ...buildingOf(loader, options),
      progress: fullListener(listener).progress,
      ...(onPlan === undefined ? {} : { plan: (plan: TilesPlan) => onPlan({ ...plan, cold }) }),
    };
    if (shard === undefined) return { ...(await buildTiles(loader.pool, demands, building)), cold, reused: false };
    return { ...(await buildTilesShard(loader.pool, demands, shard, building)), cold };
  });
}

/** What `makeTiles` would do with the same options; writes nothing. */
export function planTilesOf(pool: string | Pool, options: MakeTilesOptions): Promise<TilesStepPlan> {
  return withDemand(pool, options, async (loader) => {
    const { demands, cold } = tileDemand(loader);
    return { ...(await planTiles(loader.pool, demands, buildingOf(loader, options))), cold };
  });
}

/** Compares the tiles of these settings with their recorded hashes; reads all of them. Errors: "checksum" with their number. */
export function verifyTiles(pool: string | Pool, choice: TilesChoice): Promise<{ readonly tiles: number }> {
  return withDemand(pool, choice, async (loader) => {
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
        `${formatNumber(bad)} of ${formatCount(tiles, "tile")} are not what was written; make them again with --force`,
      );
    return { tiles };
  });
}

async function withDemand<T>(
  pool: string | Pool,
  { settings, split = "train", seed = 0 }: TilesChoice,
  work: (loader: Loader) => Promise<T>,
): Promise<T> {
  const loader = await Loader.open(pool, settings, { split, seed, tiles: "off" });
  try {
    return await work(loader);
  } finally {
    await loader.close();
  }
}

function buildingOf(
  loader: Loader,
  { maxBytes, threads = availableParallelism(), onBad = "fail", force = false, timing }: MakeTilesOptions,
): Omit<BuildTilesOptions, "progress" | "plan"> {
  return {
    resample: resampleOf(loader),
    resizer: resizerOf,
    ...(maxBytes === undefined ? {} : { maxBytes }),
    threads,
    onBad,
    force,
    ...(timing === undefined ? {} : { timing }),
  };
}

function resampleOf({ settings }: Loader): Resample {
  return { name: settings.resample, version: resampleVersions[settings.resample] };
}
