import type { DecodedImage } from "../../codecs/index.ts";
import { resizeBicubic, resizeTriangle } from "../../kernels/index.ts";
import { fail } from "../../model/index.ts";
import type { Preprocessing } from "./preprocessing.ts";

/**
 * Resizes, crops and normalises one image into `out` ([3, height, width] of `preprocessing`, float32). Equal to
 * transformers' CLIPImageProcessor: the longer side is int(edge · long / short), resampling is Pillow's, a crop larger than
 * the image is filled with black. Does not modify `image`.
 */
export function preprocessImage(image: DecodedImage, preprocessing: Preprocessing, out: Float32Array): void {
  const { width, height } = preprocessing;
  if (out.length !== 3 * width * height)
    fail("internal", `expected room for 3×${height}×${width}, got ${out.length} values`);
  const resized = resizeFor(image, preprocessing);
  // Python's // rounds down and its padding up, so a short side is padded more before than behind.
  const left = Math.floor((resized.width - width) / 2);
  const top = Math.floor((resized.height - height) / 2);
  const tables = normalisation(preprocessing);
  const plane = width * height;
  const firstColumn = Math.max(0, -left);
  const endColumn = Math.min(width, resized.width - left);
  if (firstColumn > 0 || endColumn < width || top < 0) fillBlack(out, tables, plane);
  const [red, green, blue] = tables;
  const { data } = resized;
  for (let y = Math.max(0, -top); y < Math.min(height, resized.height - top); y++) {
    let from = ((y + top) * resized.width + firstColumn + left) * 3;
    for (let at = y * width + firstColumn; at < y * width + endColumn; at++, from += 3) {
      out[at] = red[data[from] ?? 0] ?? 0;
      out[at + plane] = green[data[from + 1] ?? 0] ?? 0;
      out[at + 2 * plane] = blue[data[from + 2] ?? 0] ?? 0;
    }
  }
}

/** The size that an image gets before the crop. */
export function resizedSize(
  image: { readonly width: number; readonly height: number },
  { resize }: Preprocessing,
): { width: number; height: number } {
  if (resize === undefined) return { width: image.width, height: image.height };
  if (resize.kind === "exact") return { width: resize.width, height: resize.height };
  const { edge } = resize;
  return image.width <= image.height
    ? { width: edge, height: Math.trunc((edge * image.height) / image.width) }
    : { width: Math.trunc((edge * image.width) / image.height), height: edge };
}

function resizeFor(image: DecodedImage, preprocessing: Preprocessing): DecodedImage {
  const { width, height } = resizedSize(image, preprocessing);
  if (width === image.width && height === image.height) return image;
  const resize = preprocessing.resample === "bicubic" ? resizeBicubic : resizeTriangle;
  const whole = { x: 0, y: 0, width: image.width, height: image.height };
  return { width, height, channels: 3, data: resize(image.data, image.width, image.height, 3, whole, width, height) };
}

type Tables = readonly [Float32Array, Float32Array, Float32Array];
const tablesOf = new WeakMap<Preprocessing, Tables>();

/** For each channel, what the 256 levels become: (level · rescale - mean) / std. */
function normalisation(preprocessing: Preprocessing): Tables {
  const known = tablesOf.get(preprocessing);
  if (known !== undefined) return known;
  const { rescale, mean, std } = preprocessing;
  const table = (channel: 0 | 1 | 2): Float32Array =>
    Float32Array.from({ length: 256 }, (_, level) => (level * rescale - mean[channel]) / std[channel]);
  const tables: Tables = [table(0), table(1), table(2)];
  tablesOf.set(preprocessing, tables);
  return tables;
}

function fillBlack(out: Float32Array, tables: Tables, plane: number): void {
  tables.forEach((table, channel) => {
    out.fill(table[0] ?? 0, channel * plane, (channel + 1) * plane);
  });
}
