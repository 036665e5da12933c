import { type DecodedImage, decodeImage, decodeImageTo } from "../codecs/index.ts";
import { noTiming, type StageTimer } from "../io/index.ts";
import type { PixelRectangle } from "../kernels/index.ts";
import { fail, type Layer, NemosaicError, type Resample } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";

/** What a layer asks for: which part of an image, at which size. */
export type CellRequest = Pick<Layer, "source" | "destination">;

/** Pixels for layers: decoded images, or tiles already at the size of a cell. */
export interface CellSource {
  /** The pixels of a layer whose image is image row `row`. Rejects with the decoder's error, the image named. */
  pixels(row: number, layer: CellRequest, resample: Resample): Promise<CellPixels>;
  /**
   * Reads the tile of a layer into `into` (width · height · 3 bytes) without leaving the thread; false where there is no
   * tile. Never tried where it is absent.
   */
  tile?(row: number, layer: CellRequest, resample: Resample, into: Uint8Array): boolean;
  close(): Promise<void>;
}

/** As mosaic's LayerPixels: `part` is the rectangle of `data` that the layer's source names. */
export type CellPixels =
  | {
      readonly kind: "image";
      readonly width: number;
      readonly height: number;
      readonly data: Uint8Array;
      readonly part: PixelRectangle;
    }
  | { readonly kind: "tile"; readonly data: Uint8Array };

/**
 * Decodes on demand. `opencv` needs the full image; `fast` lets the decoder shrink it to the cell where the layer uses
 * the whole image and does not enlarge it. `timing` gets the stage "decode", summed over what is decoded at the same time.
 */
export function decodingCells(pool: Pool, timing: StageTimer = noTiming): CellSource {
  return {
    async pixels(row, layer, resample) {
      const [, , width, height] = layer.destination;
      const [x, y, sourceWidth, sourceHeight] = layer.source;
      const start = timing.now();
      if (resample.name === "fast" && isWhole(pool, row, layer) && shrinks(pool, row, width, height)) {
        const image = await decodePoolImage(pool, row, [width, height]);
        timing.since("decode", start);
        return { kind: "tile", data: image.data };
      }
      const part = { x, y, width: sourceWidth, height: sourceHeight };
      const image = await decodePoolImage(pool, row);
      timing.since("decode", start);
      return { kind: "image", ...image, part };
    },
    close: async () => undefined,
  };
}

/** Whether the decoder can make the cell by itself: enlarging is left to our kernel. */
export function shrinks(pool: Pool, row: number, width: number, height: number): boolean {
  return (pool.images.width[row] ?? 0) >= width && (pool.images.height[row] ?? 0) >= height;
}

/** Whether a layer shows all of an image: what tiles are made of. */
export function isWhole(pool: Pool, row: number, { source: [x, y, width, height] }: CellRequest): boolean {
  return x === 0 && y === 0 && width === pool.images.width[row] && height === pool.images.height[row];
}

/**
 * Decodes an image of the pool and checks that it still has its recorded size; with `size`, decodes it straight to that
 * size by the `fast` kernel.
 */
export async function decodePoolImage(
  pool: Pool,
  row: number,
  size?: readonly [width: number, height: number],
): Promise<DecodedImage> {
  const where = pool.imageName(row);
  try {
    const bytes = await pool.imageBytes(row);
    if (size !== undefined) return await decodeImageTo(bytes, ...size, { where });
    const image = await decodeImage(bytes, { where });
    const [width, height] = [pool.images.width[row], pool.images.height[row]];
    if (image.width !== width || image.height !== height) {
      fail(
        "bad-input",
        `expected ${width}×${height} pixels in ${where} as when it was imported, got ${image.width}×${image.height}; import again`,
      );
    }
    return image;
  } catch (error) {
    if (error instanceof NemosaicError) throw error;
    return fail("bad-input", `image ${where} cannot be read: ${(error as Error).message}`, error);
  }
}
