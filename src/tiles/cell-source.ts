import { type DecodedImage, decodeImage, decodeImageAtLeast } from "../codecs/index.ts";
import type { PixelRectangle } from "../kernels/index.ts";
import { fail, type Layer, NemosaicError, type Resample } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";

/** Pixels for layers: decoded images, or tiles already at the size of a cell. */
export interface CellSource {
  /** The pixels of a layer whose image is image row `row`. Rejects with the decoder's error, the image named. */
  pixels(row: number, layer: Pick<Layer, "source" | "destination">, resample: Resample): Promise<CellPixels>;
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
 * Decodes on demand. `opencv` needs the full image; `fast` decodes at the smallest JPEG scale that is still at least
 * as large as the cell, where the layer uses the whole image.
 */
export function decodingCells(pool: Pool): CellSource {
  return {
    async pixels(row, layer, resample) {
      const [, , width, height] = layer.destination;
      const [x, y, sourceWidth, sourceHeight] = layer.source;
      const whole = sourceWidth === pool.images.width[row] && sourceHeight === pool.images.height[row];
      if (resample.name === "fast" && whole) {
        const image = await decodePoolImage(pool, row, [width, height]);
        return { kind: "image", ...image, part: { x: 0, y: 0, width: image.width, height: image.height } };
      }
      const part = { x, y, width: sourceWidth, height: sourceHeight };
      return { kind: "image", ...(await decodePoolImage(pool, row)), part };
    },
    close: async () => undefined,
  };
}

/** Decodes an image of the pool, at least as large as `atLeast` where given, and checks that it still has its recorded size. */
export async function decodePoolImage(
  pool: Pool,
  row: number,
  atLeast?: readonly [width: number, height: number],
): Promise<DecodedImage> {
  const where = pool.imageName(row);
  try {
    const bytes = await pool.imageBytes(row);
    const image =
      atLeast === undefined
        ? await decodeImage(bytes, { where })
        : await decodeImageAtLeast(bytes, ...atLeast, { where });
    const [width, height] = [pool.images.width[row], pool.images.height[row]];
    if (atLeast === undefined && (image.width !== width || image.height !== height)) {
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
