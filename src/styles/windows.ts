import { type CounterRandom, rleAreaInside, rleBox } from "../kernels/index.ts";
import type { Layer, LayerWindow, PixelRect } from "../model/index.ts";
import type { StyleRequest } from "./style.ts";

/** A window of an image's version stretched to S × S, as a layer has it: its source, and the window for exact pixels. */
export function windowOf(
  { width, height }: { readonly width: number; readonly height: number },
  size: number,
  [x, y, w, h]: PixelRect,
): Pick<Layer, "source"> & { readonly window: LayerWindow } {
  return { source: sourceOfWindow(width, height, size, [x, y, w, h]), window: { of: [size, size], at: [x, y] } };
}

/** What of an image of width × height shows through a window of its version stretched to S × S: whole pixels. */
export function sourceOfWindow(width: number, height: number, size: number, window: PixelRect): PixelRect {
  const [x, y, w, h] = window;
  const span = (start: number, length: number, extent: number): [number, number] => {
    const from = Math.min(extent - 1, Math.round((start * extent) / size));
    return [from, Math.max(1, Math.min(extent, Math.round(((start + length) * extent) / size)) - from)];
  };
  const [left, across] = span(x, w, width);
  const [top, down] = span(y, h, height);
  return [left, top, across, down];
}

/** The target's box in S × S, [x, y, width, height]; undefined where there is no target. */
export function targetBox({
  facts,
  ref,
  settings,
}: StyleRequest): readonly [number, number, number, number] | undefined {
  const mask = facts.targetMask(ref);
  if (mask === undefined) return undefined;
  const [x, y, width, height] = rleBox(mask);
  if (width === 0) return undefined;
  const across = settings.size / mask.width;
  const down = settings.size / mask.height;
  return [x * across, y * down, width * across, height * down];
}

/** The share of the target's pixels inside a rectangle of its image; 1 where there is no target. */
export function shareInside({ facts, ref }: StyleRequest, part: PixelRect): number {
  const mask = facts.targetMask(ref);
  if (mask === undefined) return 1;
  const all = rleAreaInside(mask, { x: 0, y: 0, width: mask.width, height: mask.height });
  if (all === 0) return 1;
  const [x, y, width, height] = part;
  return rleAreaInside(mask, { x, y, width, height }) / all;
}

/** The share of its image that the target covers; 0 where there is none. */
export function targetShare({ facts, ref }: Pick<StyleRequest, "facts" | "ref">): number {
  const mask = facts.targetMask(ref);
  if (mask === undefined) return 0;
  return rleAreaInside(mask, { x: 0, y: 0, width: mask.width, height: mask.height }) / (mask.width * mask.height);
}

/** [left, top, width, height], with fractions. */
export type FloatRect = readonly [x: number, y: number, width: number, height: number];

/** A box of an image as it lies where the image is stretched to S × S. */
export function inSample({ facts, settings }: StyleRequest, image: number, [x, y, w, h]: PixelRect): FloatRect {
  const { width, height } = facts.image(image);
  const [across, down] = [settings.size / width, settings.size / height];
  return [x * across, y * down, w * across, h * down];
}

/** The least box around boxes; undefined for none. */
export function boxAround(boxes: readonly FloatRect[]): FloatRect | undefined {
  if (boxes.length === 0) return undefined;
  const left = Math.min(...boxes.map(([x]) => x));
  const top = Math.min(...boxes.map(([, y]) => y));
  const right = Math.max(...boxes.map(([x, , w]) => x + w));
  const bottom = Math.max(...boxes.map(([, y, , h]) => y + h));
  return [left, top, right - left, bottom - top];
}

/** Uniform among the windows that hold the box, or, where it is longer, lie within it. */
export function drawHoldingStart(
  size: number,
  window: number,
  start: number | undefined,
  extent: number | undefined,
  random: CounterRandom,
): number {
  const last = size - window;
  if (start === undefined || extent === undefined) return random.below(last + 1);
  const [a, b] = [Math.ceil(start + extent - window), Math.floor(start)];
  const low = Math.max(0, Math.min(a, b, last));
  const high = Math.min(last, Math.max(a, b, 0));
  return low + random.below(Math.max(0, high - low) + 1);
}
