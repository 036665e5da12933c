import { basename, join } from "node:path";
import { requireSameRun, type ShardFolder, withParts } from "../artefacts/index.ts";
import { hashFile, type Progress, removeRemains, shardText } from "../io/index.ts";
import { fail, resampleVersions, someOf } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import { withTileFiles } from "./build-tiles.ts";
import { TileFile, tilesFolder } from "./tile-file.ts";
import { partFile, readTilesPart, type TilesPart, type TilesPartFacts } from "./tiles-part.ts";

export interface MergeTilesOptions {
  /** Starts the pool's tiles of these sizes over, in place of adding to them. */
  readonly force: boolean;
  readonly progress: Progress;
}

type Part = TilesPart & { readonly part: ShardFolder };

/**
 * Joins the parts that shards of `buildTilesShard` left to the bytes that one run would give, and removes them; each
 * tile is compared with its hash on the way. The folders below tiles/ that were made or added to; none where there are no
 * parts. Run again, it does nothing, or goes on where it was killed. Errors: "incomplete" for missing shards, by name,
 * for parts of another state of the pool, and where tiles that the shards found are gone; "bad-input" for parts of
 * different settings and for a shard that is there twice; "checksum"; "locked".
 */
export async function mergeTiles(pool: Pool, { force, progress }: MergeTilesOptions): Promise<string[]> {
  const folder = join(pool.folder, "tiles");
  const made: string[] = [];
  const read = async ({ folder: place }: ShardFolder): Promise<TilesPart> =>
    (await readTilesPart(place)) ?? fail("incomplete", `"${place}" is not finished; run the shard again`);
  const merged = await withParts(folder, { files: [partFile], read }, async (parts) => {
    requireSameRun(parts.map(({ part, shard, key, facts }) => ({ part, said: shard, key, facts })));
    const { facts } = parts[0];
    if (facts.pool !== pool.manifest.hash || facts.resample.version !== resampleVersions[facts.resample.name])
      fail(
        "incomplete",
        `the parts ${someOf(parts.map(({ part }) => `"${part.folder}"`))} were made before the pool or the kernel changed; run the shards again with --force`,
      );
    const { resample, sizes } = facts;
    if (force) requireAll(pool, parts, facts);
    const task = progress.begin("merge tiles", totalOf(parts), "tiles");
    const add = async (files: readonly TileFile[]): Promise<void> => {
      for (const [size, file] of files.entries()) {
        requireFound(file, parts, size);
        for (const part of parts) await addAll(file, part, size, task.advance);
        await file.sync();
        made.push(`tiles/${basename(file.folder)}`);
      }
    };
    await withTileFiles(pool, sizes, { resample, force }, add).finally(() => task.end());
  });
  if (!merged) await removeRemains(folder);
  return made;
}

function totalOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { sizes }) => sum + sizes.reduce((tiles, size) => tiles + size.tiles, 0), 0);
}

/** Before the pool's tiles are given up for the parts, these have to hold them all. */
function requireAll(pool: Pool, parts: readonly Part[], { resample, sizes }: TilesPartFacts): void {
  for (const [at, shape] of sizes.entries()) {
    const { tiles, by } = countLeftOut(parts, at);
    if (tiles > 0)
      fail(
        "incomplete",
        `${by} leave out ${tiles} tiles that "${tilesFolder(pool.folder, { ...shape, resample })}" has already: expected shards run with --force too, or merge without`,
      );
  }
}

/** What shards left out because the pool had it has to be there still. */
function requireFound(file: TileFile, parts: readonly Part[], size: number): void {
  const { tiles, by } = countLeftOut(parts, size);
  if (file.count < tiles)
    fail(
      "incomplete",
      `${by} leave out ${tiles} tiles that "${file.folder}" had, and it has ${file.count} now; run these shards again with --force`,
    );
}

/** How many tiles of a size the shards found in the pool and left out, and the parts that did, as an error names them. */
function countLeftOut(parts: readonly Part[], size: number): { tiles: number; by: string } {
  const those = parts.filter(({ sizes }) => (sizes[size]?.there ?? 0) > 0);
  return {
    tiles: those.reduce((sum, { sizes }) => sum + (sizes[size]?.there ?? 0), 0),
    by: `the parts ${someOf(those.map(({ part }) => `"${part.folder}"`))}`,
  };
}

async function addAll(file: TileFile, { part, sizes }: Part, size: number, advance: () => void): Promise<void> {
  const wrong = (what: string): never =>
    fail(
      "checksum",
      `${what} in "${part.folder}" is not what shard ${shardText(part.shard)} wrote; remove that folder and run the shard again`,
    );
  const { tiles, index } = sizes[size] ?? fail("internal", "a part without its sizes");
  const from = await TileFile.open(part.folder, file.shape);
  if (from === undefined) return wrong(`tiles.json of ${basename(file.folder)}`);
  try {
    if (from.count !== tiles || (await hashFile(join(from.folder, "index.bin"))) !== index)
      wrong(`index.bin of ${basename(file.folder)}`);
    for await (const { image, pixels, isSound } of from.tiles()) {
      if (!isSound) wrong(`cells.raw of ${basename(file.folder)}`);
      await file.add(image, pixels);
      advance();
    }
  } finally {
    await from.close();
  }
}
