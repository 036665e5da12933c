import { type DecodedImage, decodeImage, decodeImageTo } from "../codecs/index.ts";
import { noTiming, type StageTimer } from "../io/index.ts";
import type { CellPixels } from "../kernels/index.ts";
import { fail, isShortage, type Layer, NemosaicError, type Resample } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import { type MemoryShelf, openMemoryShelf } from "./memory-shelf.ts";

/** What a layer asks for: which part of an image, at which size. */
export type CellRequest = Pick<Layer, "source" | "destination" | "window">;

/** Pixels for layers: decoded images, or tiles already at the size of a cell. */
export interface CellSource {
  /** The pixels of a layer whose image is image row `row`. Rejects with the decoder's error, the image named. */
  pixels(row: number, layer: CellRequest, resample: Resample): Promise<CellPixels>;
  /**
   * Reads the tile of a layer into `into` (width · height · 3 bytes; of a window the rows that hold it, as wide as its whole)
   * without leaving the thread; false where there is no tile. Never tried where it is absent.
   */
  tile?(row: number, layer: CellRequest, resample: Resample, into: Uint8Array): boolean;
  /** Makes the tile of a layer unless it is there; false where it cannot be kept. Never tried where it is absent. */
  keep?(row: number, layer: CellRequest, resample: Resample): Promise<boolean>;
  close(): Promise<void>;
}

/** Memory kept for files and cells between two samples. */
const mostShelved = 64 * 2 ** 20;

/**
 * Decodes on demand. `opencv` needs the full image; `fast` lets the decoder shrink it to the cell where the layer uses
 * the whole image and does not enlarge it. `timing` gets the stage "decode", summed over what is decoded at the same time.
 */
export function decodingCells(pool: Pool, timing: StageTimer = noTiming): CellSource {
  const shelf = openMemoryShelf(mostShelved);
  return {
    async pixels(row, layer, resample) {
      const [width, height] = wholeSize(layer);
      const [x, y, sourceWidth, sourceHeight] = layer.source;
      const start = timing.now();
      if (resample.name === "fast" && isWhole(pool, row, layer) && shrinks(pool, row, width, height)) {
        const cell = await shrinkPoolImage(pool, row, width, height, shelf);
        timing.since("decode", start);
        return inWindow(cell, layer);
      }
      const image = await decodePoolImage(pool, row);
      timing.since("decode", start);
      const part = isWhole(pool, row, layer)
        ? { x: 0, y: 0, width: image.width, height: image.height }
        : { x, y, width: sourceWidth, height: sourceHeight };
      return { kind: "image", ...image, part };
    },
    close: async () => undefined,
  };
}

/** Whether the decoder can make the cell by itself: enlarging is left to our kernel. */
export function shrinks(pool: Pool, row: number, width: number, height: number): boolean {
  return (pool.images.width[row] ?? 0) >= width && (pool.images.height[row] ?? 0) >= height;
}

/** Whether a layer shows all of an image, or a window of all of it at another size: what tiles are made of. */
export function isWhole(pool: Pool, row: number, { source, window }: CellRequest): boolean {
  if (window !== undefined) return true;
  const [x, y, width, height] = source;
  return x === 0 && y === 0 && width === pool.images.width[row] && height === pool.images.height[row];
}

/** The size of the tile that such a layer is, or is a window of. */
export function wholeSize({ destination: [, , width, height], window }: CellRequest): readonly [number, number] {
  return window?.of ?? [width, height];
}

/** A tile of the whole as what the layer shows of it. */
export function inWindow(tile: TilePixels, { window }: CellRequest): TilePixels {
  if (window === undefined) return tile;
  const [width] = window.of;
  const [x, y] = window.at;
  return { ...tile, stride: width * 3, offset: (y * width + x) * 3 };
}

type TilePixels = Extract<CellPixels, { kind: "tile" }>;

/** Decodes an image of the pool and checks that it still has its recorded size. */
export async function decodePoolImage(pool: Pool, row: number): Promise<DecodedImage> {
  return decoding(pool, row, async (where) => {
    const image = await decodeImage(await pool.imageBytes(row), { where });
    const [width, height] = [pool.images.width[row], pool.images.height[row]];
    if (image.width !== width || image.height !== height) {
      fail(
        "bad-input",
        `expected ${width}×${height} pixels in ${where} as when it was imported, got ${image.width}×${image.height}; import again`,
      );
    }
    return image;
  });
}

/** An image of the pool at the size of a cell, by the `fast` kernel, in memory of the shelf's where that is possible. */
export async function shrinkPoolImage(
  pool: Pool,
  row: number,
  width: number,
  height: number,
  shelf?: MemoryShelf,
): Promise<Extract<CellPixels, { kind: "tile" }>> {
  return decoding(pool, row, async (where) => {
    if (shelf === undefined)
      return { kind: "tile", data: (await decodeImageTo(await pool.imageBytes(row), width, height, { where })).data };
    const bytes = await pool.imageBytes(row, shelf.take);
    const into = shelf.take(width * height * 3);
    const { data } = await decodeImageTo(bytes, width, height, { where, into });
    if (data !== into) {
      shelf.give(into);
      return { kind: "tile", data }; // by the image library, which may hold on to the bytes
    }
    shelf.give(bytes);
    return { kind: "tile", data, release: () => shelf.give(into) };
  });
}

async function decoding<T>(pool: Pool, row: number, decode: (where: string) => Promise<T>): Promise<T> {
  const where = pool.imageName(row);
  try {
    return await decode(where);
  } catch (error) {
    if (error instanceof NemosaicError || isShortage(error)) throw error;
    return fail("bad-input", `image ${where} cannot be read: ${(error as Error).message}`, error);
  }
}
