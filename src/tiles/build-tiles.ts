import { pMapIterable } from "p-map";
import type { DecodedImage } from "../codecs/index.ts";
import {
  byteText,
  makeFolder,
  noTiming,
  type Progress,
  removeLeftovers,
  type StageTimer,
  withLock,
} from "../io/index.ts";
import { fail, NemosaicError, type Resample } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import { decodePoolImage, shrinkPoolImage, shrinks } from "./cell-source.ts";
import { TileFile, tileBytes, tilesFolder } from "./tile-file.ts";
import type { Resizer } from "./tiled-cells.ts";

/** The tiles wanted of one size: image rows, best first. */
export interface TileDemand {
  readonly width: number;
  readonly height: number;
  readonly rows: Int32Array;
  /** How often an epoch draws the tile of each of `rows`, on average. */
  readonly uses: Float64Array;
}

export interface BuildTilesOptions {
  readonly resample: Resample;
  readonly resizer: Resizer;
  /** Tiles beyond this many bytes, over all sizes, are not made: those used least for their size are left out. */
  readonly maxBytes?: number;
  /** Images decoded at the same time. */
  readonly threads: number;
  /** What a corrupt image does: ends the run, or is left to the cold path. */
  readonly onBad: "fail" | "skip";
  readonly force: boolean;
  readonly progress: Progress;
  /** Told before the first image is decoded. */
  readonly plan?: (plan: TilesPlan) => void;
  /** Gets "decode", "resize" and "disk". */
  readonly timing?: StageTimer;
}

/** What building will do. */
export interface TilesPlan {
  readonly sizes: readonly {
    readonly width: number;
    readonly height: number;
    readonly tiles: number;
    readonly bytes: number;
    readonly missing: number;
  }[];
  /** Bytes of all tiles, those that are there already included. */
  readonly bytes: number;
  readonly leftOut: number;
  /** The share of an epoch's cells that will come from tiles. */
  readonly covered: number;
}

export interface TilesReport extends TilesPlan {
  readonly made: number;
  readonly skipped: readonly { readonly image: string; readonly reason: string }[];
}

/**
 * Makes the tiles that are missing. A killed run goes on where it was. Errors: "locked" while another process adds
 * tiles of one of the sizes; "bad-input" with the image where `onBad` is "fail"; "io" where the disk is full.
 */
export async function buildTiles(
  pool: Pool,
  demands: readonly TileDemand[],
  options: BuildTilesOptions,
): Promise<TilesReport> {
  const chosen = chooseTiles(demands, options.maxBytes);
  return withTileFiles(pool, demands, options, async (files) => {
    const missing = chosen.rows.map((rows, at) => rows.filter((row) => !files[at]?.has(hashOf(pool, row))));
    const plan = planOf(demands, chosen, missing);
    options.plan?.(plan);
    return { ...plan, ...(await makeTiles(pool, demands, files, missing, options)) };
  });
}

/** The plan of making the image rows `missing`, by size, of what was chosen. */
export function planOf(
  demands: readonly TileDemand[],
  { rows, bytes, leftOut, covered }: ChosenTiles,
  missing: readonly (readonly number[])[],
): TilesPlan {
  const sizes = demands.map(({ width, height }, at) => {
    const tiles = rows[at]?.length ?? 0;
    return { width, height, tiles, bytes: tiles * tileBytes({ width, height }), missing: missing[at]?.length ?? 0 };
  });
  return { sizes, bytes, leftOut, covered };
}

/** What is to be kept: image rows by size, as `demands` are. */
export interface ChosenTiles {
  readonly rows: readonly (readonly number[])[];
  readonly bytes: number;
  readonly leftOut: number;
  readonly covered: number;
}

/** Which tiles fit: those with the most uses a byte, ties by size and row as given. */
export function chooseTiles(demands: readonly TileDemand[], maxBytes = Number.POSITIVE_INFINITY): ChosenTiles {
  const all = demands.flatMap((demand, size) =>
    Array.from(demand.rows, (row, at) => {
      const uses = demand.uses[at]!;
      return { size, row, uses, bytes: tileBytes(demand), worth: uses / tileBytes(demand) };
    }),
  );
  const total = all.reduce((sum, { uses }) => sum + uses, 0);
  all.sort((a, b) => b.worth - a.worth || a.size - b.size);
  const rows: number[][] = demands.map(() => []);
  let [bytes, covered, leftOut] = [0, 0, 0];
  for (const tile of all) {
    if (bytes + tile.bytes > maxBytes) {
      leftOut++;
      continue;
    }
    bytes += tile.bytes;
    covered += tile.uses;
    rows[tile.size]?.push(tile.row);
  }
  return { rows, bytes, leftOut, covered: total === 0 ? 1 : covered / total };
}

/** Opens the files of all sizes for adding, under their locks, one inside the other, and closes them after `work`. */
export async function withTileFiles<T>(
  pool: Pool,
  sizes: readonly Pick<TileDemand, "width" | "height">[],
  options: Pick<BuildTilesOptions, "resample" | "force">,
  work: (files: readonly TileFile[]) => Promise<T>,
  files: readonly TileFile[] = [],
): Promise<T> {
  const size = sizes[files.length];
  if (size === undefined) return work(files);
  const shape = { width: size.width, height: size.height, resample: options.resample };
  const folder = tilesFolder(pool.folder, shape);
  await makeFolder(folder);
  return withLock(folder, "tiles", async () => {
    await removeLeftovers(folder);
    const file = await TileFile.create(pool.folder, shape, options.force);
    try {
      return await withTileFiles(pool, sizes, options, work, [...files, file]);
    } finally {
      await file.close();
    }
  });
}

interface Made {
  readonly row: number;
  readonly cells: readonly { readonly size: number; readonly data: Uint8Array }[];
}

/** Makes the tiles of the image rows `missing`, by size, and adds them to `files` in the pool's order. */
export async function makeTiles(
  pool: Pool,
  demands: readonly TileDemand[],
  files: readonly TileFile[],
  missing: readonly (readonly number[])[],
  options: Pick<BuildTilesOptions, "resample" | "resizer" | "threads" | "onBad" | "progress" | "timing">,
): Promise<Pick<TilesReport, "made" | "skipped">> {
  const wanted = new Map<number, number[]>();
  missing.forEach((rows, size) => {
    for (const row of rows) wanted.set(row, [...(wanted.get(row) ?? []), size]);
  });
  // In the order of the pool: images that lie together are read together.
  const jobs = [...wanted].sort(([a], [b]) => a - b);
  const skipped: { image: string; reason: string }[] = [];
  let made = missing.reduce((sum, rows) => sum + rows.length, 0);
  const timing = options.timing ?? noTiming;
  const task = options.progress.begin("tiles", jobs.length, "images");
  const make = async ([row, sizes]: [number, number[]]): Promise<Made> => {
    try {
      return { row, cells: await cellsOf(pool, row, sizes, demands, options) };
    } catch (error) {
      const isBad = error instanceof NemosaicError && ["bad-input", "not-found", "refused"].includes(error.code);
      if (!isBad || options.onBad === "fail") throw error;
      skipped.push({ image: pool.imageName(row), reason: error.message });
      made -= sizes.length;
      return { row, cells: [] };
    }
  };
  try {
    const concurrency = Math.max(1, options.threads) + 1;
    // Decoded in any order, written in the pool's: the same tiles give the same files, however often a run is killed.
    for await (const { row, cells } of pMapIterable(jobs, make, { concurrency, backpressure: concurrency })) {
      for (const { size, data } of cells) {
        const start = timing.now();
        await files[size]?.add(hashOf(pool, row), data);
        timing.since("disk", start);
      }
      task.advance();
    }
  } finally {
    task.end();
  }
  return { made, skipped };
}

/** An image's cells at several sizes, decoded once where the kernel works on the full image. */
async function cellsOf(
  pool: Pool,
  row: number,
  sizes: readonly number[],
  demands: readonly TileDemand[],
  { resample, resizer, timing = noTiming }: Pick<BuildTilesOptions, "resample" | "resizer" | "timing">,
): Promise<{ size: number; data: Uint8Array }[]> {
  const cells: { size: number; data: Uint8Array }[] = [];
  let image: DecodedImage | undefined;
  for (const size of sizes) {
    const { width, height } = demands[size] ?? fail("internal", `no tile size ${size}`);
    const start = timing.now();
    if (resample.name === "fast" && shrinks(pool, row, width, height)) {
      cells.push({ size, data: (await shrinkPoolImage(pool, row, width, height)).data });
      timing.since("decode", start);
      continue;
    }
    image ??= await decodePoolImage(pool, row);
    const decoded = timing.since("decode", start);
    const data = resizer(resample.name)(image, { width, height });
    timing.since("resize", decoded);
    cells.push({ size, data });
  }
  return cells;
}

/** The content hash of an image row, by which its tiles are found. */
export function hashOf(pool: Pool, row: number): string {
  return pool.images.hash[row] ?? fail("internal", `no image row ${row}`);
}

/** The plan of building for a person. */
export function tilesPlanText({ sizes, bytes, leftOut, covered }: TilesPlan): string {
  return [
    ...sizes.map(
      (size) =>
        `  ${`${size.width}×${size.height}`.padEnd(9)} ${String(size.tiles).padStart(8)} tiles, ${byteText(size.bytes)}, ${size.missing} to make`,
    ),
    `  together ${byteText(bytes)}${leftOut === 0 ? "" : `; ${leftOut} tiles do not fit`}: ${(100 * covered).toFixed(1)} % of an epoch's cells`,
  ].join("\n");
}
