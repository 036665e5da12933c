import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { shardFolder } from "../artefacts/index.ts";
import {
  hashBytes,
  hashFile,
  hashJson,
  ifMissing,
  makeFolder,
  removeLeftovers,
  type Shard,
  shardRange,
  withLock,
  writeFileAtomic,
} from "../io/index.ts";
import { fail } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import {
  type BuildTilesOptions,
  type ChosenTiles,
  chooseTiles,
  hashOf,
  makeTiles,
  planOf,
  type TileDemand,
  type TilesReport,
} from "./build-tiles.ts";
import { findTiles } from "./plan-tiles.ts";
import { TileFile, type TileShape, tilesFolder } from "./tile-file.ts";
import { partFile, readTilesPart, type TilesPart, type TilesPartFacts, tilesPartFormat } from "./tiles-part.ts";

export interface TilesShardReport extends TilesReport {
  /** The part was there, finished. */
  readonly reused: boolean;
}

/**
 * Makes one share of the tiles, as a part for `mergeTiles`: an unbroken run of the pool's images, at all sizes. Tiles that
 * the pool has already are left out, but with `force`. A killed run goes on where it was. Errors: as `buildTiles`;
 * "exists" for a finished part of other settings without `force`.
 */
export async function buildTilesShard(
  pool: Pool,
  demands: readonly TileDemand[],
  shard: Shard,
  options: BuildTilesOptions,
): Promise<TilesShardReport> {
  const chosen = chooseTiles(demands, options.maxBytes);
  const facts = factsOf(pool, demands, chosen, options);
  const key = hashJson(facts);
  const folder = shardFolder(join(pool.folder, "tiles"), shard);
  await makeFolder(folder);
  return withLock(folder, "tiles", async () => {
    const known = options.force ? undefined : await readTilesPart(folder);
    if (known !== undefined && known.key !== key)
      fail("exists", `"${folder}" holds tiles of other inputs or settings. Use --force to make this part anew`);
    if (known !== undefined) {
      const nothing = demands.map(() => []);
      return { ...planOf(demands, chosen, nothing), made: 0, skipped: known.skipped, reused: true };
    }
    await begin(folder, key, options.force);
    const shapes = demands.map(({ width, height }): TileShape => ({ width, height, resample: options.resample }));
    const share = shareOf(chosen, shard);
    const there = options.force ? shapes.map(() => new Set<string>()) : await findTiles(pool, shapes, share);
    const files: TileFile[] = [];
    try {
      for (const shape of shapes) {
        await removeLeftovers(tilesFolder(folder, shape));
        files.push(await TileFile.create(folder, shape));
      }
      const wanted = share.map((rows, at) => rows.filter((row) => there[at]?.has(hashOf(pool, row)) !== true));
      const missing = wanted.map((rows, at) => rows.filter((row) => files[at]?.has(hashOf(pool, row)) !== true));
      const plan = planOf(demands, chosen, missing);
      options.plan?.(plan);
      const report = await makeTiles(pool, demands, files, missing, options);
      await Promise.all(files.map((file) => file.close()));
      const sizes = await Promise.all(
        files.map(async (file, at) => ({
          tiles: file.count,
          there: there[at]?.size ?? 0,
          index: await hashFile(join(file.folder, "index.bin")),
        })),
      );
      const part: TilesPart = { shard, key, facts, sizes, skipped: [...report.skipped] };
      await writeFileAtomic(join(folder, partFile), `${JSON.stringify({ format: tilesPartFormat, ...part })}\n`);
      return { ...plan, ...report, reused: false };
    } finally {
      await Promise.all(files.map((file) => file.close()));
    }
  });
}

function factsOf(
  pool: Pool,
  demands: readonly TileDemand[],
  { rows }: ChosenTiles,
  { resample }: BuildTilesOptions,
): TilesPartFacts {
  const sizes = demands.map(({ width, height }, at) => {
    const images = rows[at] ?? [];
    return { width, height, tiles: images.length, images: hashBytes(images.map((row) => hashOf(pool, row)).join("")) };
  });
  return { pool: pool.manifest.hash, resample, sizes };
}

/** Empties a part's folder where it holds tiles of another key, and says whose they will be. */
async function begin(folder: string, key: string, afresh: boolean): Promise<void> {
  const path = join(folder, "begun.json");
  const begun = `${JSON.stringify({ key })}\n`;
  if (!afresh && (await readFile(path, "utf8").catch(ifMissing(""))) === begun) return;
  for (const name of [partFile, "tiles"]) await rm(join(folder, name), { recursive: true, force: true });
  await writeFileAtomic(path, begun);
}

/** The chosen rows of a shard, by size: of the images in the order of the pool, its share. */
function shareOf({ rows }: ChosenTiles, shard: Shard): number[][] {
  const images = [...new Set(rows.flat())].sort((a, b) => a - b);
  const [start, end] = shardRange(shard, images.length);
  const share = new Set(images.slice(start, end));
  return rows.map((ofSize) => ofSize.filter((row) => share.has(row)));
}
