import sharp, { type Sharp } from "sharp";
import { fail } from "../../model/index.ts";
import { imageStep } from "./source.ts";

/** Pixels to write: `width * height * channels` bytes, row by row; 1 = grey, 3 = RGB, 4 = RGBA (alpha not premultiplied). */
export interface PixelImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array;
}

/**
 * Writes a PNG of 8 bits a channel, without loss. `compression`: 0 (fast) to 9 (small), default 6. The same pixels
 * give the same bytes on one machine. Errors: "usage" where size and data disagree.
 */
export async function encodePng(
  image: PixelImage,
  options: { readonly compression?: number } = {},
): Promise<Uint8Array> {
  const { compression = 6 } = options;
  if (!Number.isInteger(compression) || compression < 0 || compression > 9) {
    fail("usage", `expected a PNG compression of 0 to 9, got ${compression}`);
  }
  return toBytes(pixels(image).png({ compressionLevel: compression, adaptiveFiltering: false, palette: false }));
}

/**
 * Writes a baseline JPEG of `quality` 1 to 100 from 1 or 3 channels. `chroma`: "4:2:0" (default) halves the colour's
 * resolution, "4:4:4" keeps it. Errors: "usage".
 */
export async function encodeJpeg(
  image: PixelImage,
  quality: number,
  options: { readonly chroma?: "4:2:0" | "4:4:4" } = {},
): Promise<Uint8Array> {
  checkQuality(quality);
  if (image.channels === 4)
    fail("usage", "expected 1 or 3 channels for a JPEG, got 4: drop or blend the alpha channel");
  return toBytes(pixels(image).jpeg({ quality, chromaSubsampling: options.chroma ?? "4:2:0", mozjpeg: false }));
}

/** Writes a WebP of `quality` 1 to 100, or without loss. Grey becomes RGB. Errors: "usage". */
export async function encodeWebp(
  image: PixelImage,
  options: { readonly quality?: number; readonly lossless?: boolean } = {},
): Promise<Uint8Array> {
  const { quality = 80, lossless = false } = options;
  checkQuality(quality);
  return toBytes(pixels(image).webp({ quality, lossless }));
}

/**
 * Draws an SVG document as a PNG with transparency, at the size that the document states (in CSS pixels). Text needs
 * fonts that the system has. Errors: "bad-input" for a document that cannot be drawn.
 */
export async function renderSvg(svg: string): Promise<Uint8Array> {
  return imageStep("an SVG drawing", () => toBytes(sharp(Buffer.from(svg), { density: 72 }).png({ palette: false })));
}

/**
 * Sets how many threads the library uses for one image, and switches its cache off (nothing is decoded twice here, and
 * a file that changes must not come from a cache). Images are decoded in parallel by the number of calls under way, up
 * to UV_THREADPOOL_SIZE; with many at once, 1 thread each is fastest.
 */
export function setImageThreads(threads: number): void {
  if (!Number.isInteger(threads) || threads < 1) fail("usage", `expected 1 thread or more, got ${threads}`);
  sharp.concurrency(threads);
  sharp.cache(false);
}

function pixels(image: PixelImage): Sharp {
  const { width, height, channels, data } = image;
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    fail("usage", `expected an image of 1 x 1 pixels or more, got ${width} x ${height}`);
  }
  if (data.length !== width * height * channels) {
    fail(
      "usage",
      `expected ${width * height * channels} bytes for ${width} x ${height} x ${channels}, got ${data.length}`,
    );
  }
  const pipeline = sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
  return channels === 1 ? pipeline.toColourspace("b-w") : pipeline;
}

function checkQuality(quality: number): void {
  if (!Number.isInteger(quality) || quality < 1 || quality > 100)
    fail("usage", `expected a quality of 1 to 100, got ${quality}`);
}

async function toBytes(pipeline: Sharp): Promise<Uint8Array> {
  const buffer = await pipeline.toBuffer();
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
