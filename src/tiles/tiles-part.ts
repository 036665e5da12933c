import { join } from "node:path";
import { readJson } from "../codecs/index.ts";
import { exists, type Shard, type ShardFolder } from "../io/index.ts";
import { fail, type Resample, resampleVersions } from "../model/index.ts";

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
  const value = await readJson(path);
  try {
    return checkedPart(value);
  } catch (error) {
    return fail(
      "bad-input",
      `"${path}" is damaged (${(error as Error).message}); remove its folder and run the shard again`,
      error,
    );
  }
}

/** A finished part with its place. */
export async function requireTilesPart(part: ShardFolder): Promise<TilesPart & { readonly part: ShardFolder }> {
  const read = await readTilesPart(part.folder);
  if (read === undefined) return fail("incomplete", `"${part.folder}" is not finished; run the shard again`);
  return { ...read, part };
}

function checkedPart(value: unknown): TilesPart {
  const tree = object(value, "the file");
  if (tree.format !== tilesPartFormat) throw new TypeError(`no ${tilesPartFormat}`);
  const facts = object(tree.facts, "facts");
  const { name, version } = object(facts.resample, "facts.resample");
  if (typeof name !== "string" || !Object.hasOwn(resampleVersions, name)) throw new TypeError("an unknown resample");
  const shard = object(tree.shard, "shard");
  const chosen = list(facts.sizes, "facts.sizes").map((item, at) => {
    const size = object(item, `facts.sizes[${at}]`);
    return {
      width: number(size.width, 1, mostPixels, "width"),
      height: number(size.height, 1, mostPixels, "height"),
      tiles: number(size.tiles, 0, Number.MAX_SAFE_INTEGER, "tiles"),
      images: text(size.images, "images"),
    };
  });
  const sizes = list(tree.sizes, "sizes").map((item, at) => {
    const size = object(item, `sizes[${at}]`);
    return {
      tiles: number(size.tiles, 0, Number.MAX_SAFE_INTEGER, "tiles"),
      there: number(size.there, 0, Number.MAX_SAFE_INTEGER, "there"),
      index: text(size.index, "index"),
    };
  });
  if (sizes.length !== chosen.length) throw new TypeError(`${sizes.length} sizes of ${chosen.length}`);
  return {
    shard: { index: number(shard.index, 0, 1e7, "shard.index"), count: number(shard.count, 1, 1e7, "shard.count") },
    key: text(tree.key, "key"),
    facts: {
      pool: text(facts.pool, "facts.pool"),
      resample: { name: name as Resample["name"], version: number(version, 1, 1e6, "facts.resample.version") },
      sizes: chosen,
    },
    sizes,
    skipped: list(tree.skipped, "skipped").map((item) => {
      const { image, reason } = object(item, "skipped");
      return { image: text(image, "image"), reason: text(reason, "reason") };
    }),
  };
}

/** No cell is wider or higher. */
const mostPixels = 65_535;

function object(value: unknown, what: string): Record<string, unknown> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new TypeError(`${what} is no object`);
  return value as Record<string, unknown>;
}

function list(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${what} is no list`);
  return value;
}

function number(value: unknown, least: number, most: number, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most)
    throw new TypeError(`${what} is no whole number from ${least} to ${most}`);
  return value as number;
}

function text(value: unknown, what: string): string {
  if (typeof value !== "string") throw new TypeError(`${what} is no text`);
  return value;
}
