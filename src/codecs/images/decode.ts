import type { Sharp } from "sharp";
import { fail } from "../../model/index.ts";
import { isForShrinking, shrinkJpeg } from "./shrink-jpeg.ts";
import {
  type ImageHeader,
  type ImageInput,
  type ImageOptions,
  type ImageSource,
  imageStep,
  openImage,
  openPixels,
} from "./source.ts";

/** An image in memory: `width * height * 3` bytes, row by row from the top, R G B for each pixel. The caller owns it. */
export interface DecodedImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
  readonly data: Uint8Array;
}

/** What an image's header says. */
export interface ImageSize {
  /** Pixels as stored, before any EXIF orientation. */
  readonly width: number;
  readonly height: number;
  /** "jpeg", "png", "webp", "gif", "tiff", … */
  readonly format: string;
  /** EXIF orientation, 1 to 8; 1 where the file does not say. */
  readonly orientation: number;
}

/**
 * Decodes a JPEG, PNG, WebP, GIF or TIFF into 8-bit RGB, as `cv2.imread` and Pillow's `convert("RGB")` see it, except
 * that EXIF orientation is *not* applied: masks are drawn on the pixels as stored.
 *
 * Greyscale is repeated in three channels, palettes are looked up, an alpha channel is dropped (not blended), 16 bits are
 * cut to the upper 8, CMYK is converted, colour profiles are ignored, and of an animation the first frame is taken.
 *
 * Errors, on one line with the file: "not-found"; "bad-input" for what is no image, damaged, or ends before its last
 * row (JPEG and PNG alike; stray bytes that decoders skip are no error); "refused" above `maxPixels`, by the header.
 */
export async function decodeImage(input: ImageInput, options: ImageOptions = {}): Promise<DecodedImage> {
  const source = await openPixels(input, options);
  return toRgb(source, source.pipeline());
}

/**
 * As `decodeImage`, at the smallest of the scales 1, 1/2, 1/4, 1/8 (rounded up) that is still at least `width` x
 * `height`; JPEGs are partly scaled while they are decoded. For a fast path that resizes afterwards: the pixels are
 * not those of a full decode and resize. Gives the full size where even that is smaller than asked for.
 */
export async function decodeImageAtLeast(
  input: ImageInput,
  width: number,
  height: number,
  options: ImageOptions = {},
): Promise<DecodedImage> {
  if (!(width >= 1) || !(height >= 1)) fail("usage", `expected a size of 1 x 1 or more, got ${width} x ${height}`);
  const source = await openPixels(input, options);
  const { metadata } = source;
  const scale = [8, 4, 2].find(
    (by) => Math.ceil(metadata.width / by) >= width && Math.ceil(metadata.height / by) >= height,
  );
  if (scale === undefined) return toRgb(source, source.pipeline());
  const pipeline = source.pipeline().resize(Math.ceil(metadata.width / scale), Math.ceil(metadata.height / scale), {
    fit: "fill",
    kernel: "cubic",
    fastShrinkOnLoad: true,
  });
  return toRgb(source, pipeline);
}

/**
 * As `decodeImage`, shrunk to width x height by a triangle filter that widens with the scale. JPEGs are decoded by a faster
 * inverse DCT; those of at least four times the size are scaled by 2, 4 or 8 while they are decoded instead. So the pixels
 * differ a little from a full decode and resize: docs/performance.md has the numbers, and a test holds them. Errors: "usage"
 * for a size that is larger than the image's, since the library's enlarging lies half a pixel beside everyone else's.
 *
 * `into` is memory of width · height · 3 bytes for the pixels; they are in it where `data` of the result is `into`.
 */
export async function decodeImageTo(
  input: ImageInput,
  width: number,
  height: number,
  options: ImageOptions & { readonly into?: Uint8Array } = {},
): Promise<DecodedImage> {
  const source = await openPixels(input, options);
  const { metadata } = source;
  const fits = width >= 1 && height >= 1 && width <= metadata.width && height <= metadata.height;
  if (!Number.isInteger(width) || !Number.isInteger(height) || !fits)
    fail(
      "usage",
      `expected a size within the ${metadata.width} x ${metadata.height} of ${source.where}, got ${width} x ${height}`,
    );
  const { jpeg } = metadata;
  if (jpeg !== undefined && isForShrinking(jpeg, width, height)) {
    const data = await shrinkJpeg(source.bytes, jpeg, width, height, options.into);
    if (data !== undefined) return { width, height, channels: 3, data };
  }
  const pipeline = source.pipeline().resize(width, height, { fit: "fill", kernel: "linear", fastShrinkOnLoad: false });
  return toRgb(source, pipeline);
}

/** Reads an image's header only. Errors as `decodeImage`. */
export async function imageSize(input: ImageInput, options: ImageOptions = {}): Promise<ImageSize> {
  const { metadata } = await openImage(input, { maxPixels: Number.POSITIVE_INFINITY, ...options });
  return {
    width: metadata.width,
    height: metadata.height,
    format: metadata.format ?? "unknown",
    orientation: metadata.orientation ?? 1,
  };
}

async function toRgb(source: ImageSource<ImageHeader>, pipeline: Sharp): Promise<DecodedImage> {
  if (source.metadata.space === "cmyk") return cmykToRgb(source, pipeline);
  const { data, info } = await imageStep(source.where, () =>
    pipeline.toColourspace("srgb").removeAlpha().raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true }),
  );
  const { width, height } = info;
  if (info.channels !== 3)
    fail("unsupported", `expected an image of 3 channels in ${source.where}, got ${info.channels}`);
  return { width, height, channels: 3, data: bytesOf(data) };
}

/** OpenCV's arithmetic; the library itself would go through a printer's colour profile. Pillow's differs by 1. */
async function cmykToRgb(source: ImageSource<ImageHeader>, pipeline: Sharp): Promise<DecodedImage> {
  const { data, info } = await imageStep(source.where, () =>
    pipeline
      .pipelineColourspace("cmyk")
      .toColourspace("cmyk")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true }),
  );
  const { width, height } = info;
  const channels: number = info.channels;
  if (channels < 4) fail("unsupported", `expected a CMYK image of 4 channels in ${source.where}, got ${channels}`);
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += channels, to += 3) {
    const light = 255 - (data[from + 3] ?? 0);
    for (let c = 0; c < 3; c++) rgb[to + c] = light - (((data[from + c] ?? 0) * light) >> 8);
  }
  return { width, height, channels: 3, data: rgb };
}

function bytesOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
