import type { Pool } from "../pool/index.ts";
import { type BuildTilesOptions, chooseTiles, hashOf, planOf, type TileDemand, type TilesPlan } from "./build-tiles.ts";
import { TileFile, type TileShape } from "./tile-file.ts";

/** What `buildTiles` would do with the same options; writes nothing. */
export async function planTiles(
  pool: Pool,
  demands: readonly TileDemand[],
  { resample, force, maxBytes }: Pick<BuildTilesOptions, "resample" | "force" | "maxBytes">,
): Promise<TilesPlan> {
  const chosen = chooseTiles(demands, maxBytes);
  const shapes = demands.map(({ width, height }): TileShape => ({ width, height, resample }));
  const there = force ? shapes.map(() => new Set<string>()) : await findTiles(pool, shapes, chosen.rows);
  const missing = chosen.rows.map((rows, at) => rows.filter((row) => there[at]?.has(hashOf(pool, row)) !== true));
  return planOf(demands, chosen, missing);
}

/** For each shape, the content hashes of those of its image rows that the pool has tiles of. */
export async function findTiles(
  pool: Pool,
  shapes: readonly TileShape[],
  rows: readonly (readonly number[])[],
): Promise<Set<string>[]> {
  return Promise.all(
    shapes.map(async (shape, at) => {
      const file = await TileFile.open(pool.folder, shape);
      const hashes = (rows[at] ?? []).map((row) => hashOf(pool, row));
      const found = new Set(hashes.filter((hash) => file?.has(hash) === true));
      await file?.close();
      return found;
    }),
  );
}
