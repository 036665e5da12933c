import { constants } from "node:fs";
import { access, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { byteText, cacheFolder, freeBytes, ifMissing, makeFolder } from "../io/index.ts";
import type { Pool } from "../pool/index.ts";

/** Without a limit of the user's, tiles take at most this share of the disk that is free without them, and so many bytes. */
const freeShare = 0.2;
const mostBytes = 32e9;
/** Tiles added between two looks at the disk. */
const tilesPerLook = 128;

/** Where tiles are added, and for how many there is room. */
export interface TilePlace {
  /** Holds the folder "tiles". */
  readonly folder: string;
  /** What bounds the room, for a person. */
  readonly limit: string;
  /** Takes room for a tile; false where there is none left. Looks at the disk again from time to time. */
  take(bytes: number): boolean;
  /** No tile is added any more: the disk refused one. */
  shut(): void;
}

export interface TilePlaceOptions {
  /** Bytes that tiles may take there in all. */
  readonly maxBytes?: number | undefined;
  /** Chosen by the user; else the pool itself, or, where that cannot be written, the user's cache. */
  readonly folder?: string | undefined;
}

/** The place for new tiles of a pool; undefined where no folder can be written. */
export async function findTilePlace(pool: Pool, options: TilePlaceOptions): Promise<TilePlace | undefined> {
  for (const folder of foldersOf(pool, options)) {
    if (!(await canWrite(join(folder, "tiles")))) continue;
    const room = await measure(folder, options.maxBytes).catch(() => undefined);
    if (room !== undefined) return placeAt(folder, options.maxBytes, room);
  }
  return undefined;
}

/** The folders where tiles of a pool may be, the first that can be written is where they are added. */
export function foldersOf(pool: Pool, { folder }: Pick<TilePlaceOptions, "folder">): string[] {
  const below = (above: string): string => join(above, "pools", pool.manifest.hash.slice(0, 16));
  if (folder !== undefined) return [below(folder)];
  const cache = cacheFolder();
  return [pool.folder, ...(cache === undefined ? [] : [below(cache)])];
}

interface Room {
  readonly allowed: number;
  readonly taken: number;
}

function placeAt(folder: string, maxBytes: number | undefined, first: Room): TilePlace {
  let left = first.allowed - first.taken;
  let sinceLook = 0;
  let isShut = false;
  const look = async (): Promise<void> => {
    const { allowed, taken } = await measure(folder, maxBytes);
    left = allowed - taken;
  };
  const why =
    maxBytes === undefined
      ? `${100 * freeShare} % of the free disk, and no more than ${byteText(mostBytes)}`
      : "as set";
  return {
    folder,
    limit: `at most ${byteText(first.allowed)} (${why})`,
    take(bytes) {
      if (isShut || bytes > left) return false;
      left -= bytes;
      if (++sinceLook >= tilesPerLook) {
        sinceLook = 0;
        look().catch(() => undefined); // a disk that does not answer now is asked again: drawing never stops for tiles
      }
      return true;
    },
    shut() {
      isShut = true;
    },
  };
}

async function measure(folder: string, maxBytes: number | undefined): Promise<Room> {
  const taken = await bytesBelow(join(folder, "tiles"));
  const allowed = maxBytes ?? Math.min(mostBytes, Math.floor(freeShare * ((await freeBytes(folder)) + taken)));
  return { allowed, taken };
}

/** Bytes of the cells of all sizes. */
async function bytesBelow(tiles: string): Promise<number> {
  const names = await readdir(tiles).catch(ifMissing([] as string[]));
  const sizes = names.map((name) =>
    stat(join(tiles, name, "cells.raw")).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

async function canWrite(folder: string): Promise<boolean> {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
    return true;
  } catch {
    return false; // read-only, another user's, or a file is in the way: the next one is tried
  }
}
