import type { DecodedImage } from "../../codecs/index.ts";
import { type PixelRectangle, resizeWindow } from "../../kernels/index.ts";
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
  const resized = resizedSize(image, preprocessing);
  const left = offsetOf(resized.width - width, preprocessing);
  const top = offsetOf(resized.height - height, preprocessing);
  const [x, y] = [Math.max(0, left), Math.max(0, top)];
  const window = {
    x,
    y,
    width: Math.min(resized.width, left + width) - x,
    height: Math.min(resized.height, top + height) - y,
  };
  const tables = normalisation(preprocessing);
  const plane = width * height;
  if (window.width < width || window.height < height) fillBlack(out, tables, plane);
  const [red, green, blue] = tables;
  const { data, start, stride } = windowOf(image, resized, window, preprocessing);
  for (let row = 0; row < window.height; row++) {
    let from = start + row * stride;
    let at = (y - top + row) * width + x - left;
    for (const end = at + window.width; at < end; at++, from += 3) {
      out[at] = red[data[from]!]!;
      out[at + plane] = green[data[from + 1]!]!;
      out[at + 2 * plane] = blue[data[from + 2]!]!;
    }
  }
}

/** Pixels cut off before the crop, of `rest` in all; below zero where the crop is larger and padded. */
function offsetOf(rest: number, { crop }: Preprocessing): number {
  // Python's // rounds down and its padding up, so a short side is padded more before than behind.
  const down = Math.floor(rest / 2);
  return crop?.rounding === "half to even" && rest > 0 && rest % 2 === 1 ? down + (down % 2) : down;
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

/** Pixels of a window of the resized image: where it starts in `data`, and bytes from row to row. */
function windowOf(
  image: DecodedImage,
  resized: { readonly width: number; readonly height: number },
  window: PixelRectangle,
  preprocessing: Preprocessing,
): { data: Uint8Array; start: number; stride: number } {
  const { width, height } = resized;
  if (width === image.width && height === image.height)
    return { data: image.data, start: (window.y * width + window.x) * 3, stride: width * 3 };
  const data = resizeWindow(preprocessing.resample, image, resized, window);
  return { data, start: 0, stride: window.width * 3 };
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
