import { join } from "node:path";
import {
  exists,
  hashJson,
  type PartTree,
  partHash,
  partList,
  partNumber,
  partShard,
  partText,
  partTree,
  readPartFile,
  type Shard,
  type ShardFolder,
} from "../io/index.ts";
import { fail, type Resample, resampleVersions, shown } from "../model/index.ts";

/**
 * What a shard of `nemosaic tiles` leaves in tiles/parts/<i>-of-<n>/:
 *
 *   begun.json   { key }: whose tiles lie here, from the first moment on
 *   tiles/       as the pool's own: a folder a size, with tiles.json, cells.raw and index.bin
 *   part.json    once finished: this interface, with `format`
 */
export interface TilesPart {
  readonly shard: Shard;
  /** Hash of `facts`: parts of one key belong together. */
  readonly key: string;
  readonly facts: TilesPartFacts;
  /** For each of the facts' sizes. */
  readonly sizes: readonly {
    /** Tiles in the part. */
    readonly tiles: number;
    /** Tiles of the share that the pool had already: they are not in the part. */
    readonly there: number;
    /** SHA-256 of the part's index.bin, which holds the hashes of all pixels. */
    readonly index: string;
  }[];
  /** Images that could not be decoded. */
  readonly skipped: readonly { readonly image: string; readonly reason: string }[];
}

/** Everything that decides which tiles a run makes. */
export interface TilesPartFacts {
  /** Hash of the pool's tables. */
  readonly pool: string;
  readonly resample: Resample;
  /** Tiles chosen, of all shards together, and a hash of their images. */
  readonly sizes: readonly {
    readonly width: number;
    readonly height: number;
    readonly tiles: number;
    readonly images: string;
  }[];
}

export const tilesPartFormat = "nemosaic-tiles-part";
/** The file that says that a part is finished. */
export const partFile = "part.json";

/** Reads a finished part; undefined where it is not finished. Errors: "bad-input" where the file is damaged. */
export async function readTilesPart(folder: string): Promise<TilesPart | undefined> {
  const path = join(folder, partFile);
  if (!(await exists(path))) return undefined;
  return readPartFile(path, partIn);
}

/** A finished part with its place. */
export async function requireTilesPart(part: ShardFolder): Promise<TilesPart & { readonly part: ShardFolder }> {
  const read = await readTilesPart(part.folder);
  if (read === undefined) return fail("incomplete", `"${part.folder}" is not finished; run the shard again`);
  return { ...read, part };
}

function partIn(tree: PartTree): TilesPart {
  if (tree.format !== tilesPartFormat)
    fail("bad-input", `expected format ${tilesPartFormat}, got ${shown(tree.format)}`);
  const facts = factsIn(tree.facts);
  const key = partText(tree.key, "key");
  if (key !== hashJson(facts)) fail("bad-input", `expected the hash of its facts for key, got ${shown(key)}`);
  const sizes = partList(tree.sizes, "sizes").map((item, at) => {
    const size = partTree(item, `sizes[${at}]`);
    return {
      tiles: partNumber(size.tiles, "tiles", 0),
      there: partNumber(size.there, "there", 0),
      index: partHash(size.index, "index"),
    };
  });
  if (sizes.length !== facts.sizes.length)
    fail("bad-input", `expected ${facts.sizes.length} sizes, got ${sizes.length}`);
  return {
    shard: partShard(tree.shard),
    key,
    facts,
    sizes,
    skipped: partList(tree.skipped, "skipped").map((item) => {
      const { image, reason } = partTree(item, "skipped");
      return { image: partText(image, "image"), reason: partText(reason, "reason") };
    }),
  };
}

function factsIn(value: unknown): TilesPartFacts {
  const facts = partTree(value, "facts");
  const { name, version } = partTree(facts.resample, "facts.resample");
  if (typeof name !== "string" || !Object.hasOwn(resampleVersions, name))
    fail("bad-input", `expected one of ${Object.keys(resampleVersions).join(", ")} for resample, got ${shown(name)}`);
  return {
    pool: partText(facts.pool, "facts.pool"),
    resample: { name: name as Resample["name"], version: partNumber(version, "facts.resample.version", 1) },
    sizes: partList(facts.sizes, "facts.sizes").map((item, at) => {
      const size = partTree(item, `facts.sizes[${at}]`);
      return {
        width: partNumber(size.width, "width", 1, mostPixels),
        height: partNumber(size.height, "height", 1, mostPixels),
        tiles: partNumber(size.tiles, "tiles", 0),
        images: partText(size.images, "images"),
      };
    }),
  };
}

/** No cell is wider or higher. */
const mostPixels = 65_535;
