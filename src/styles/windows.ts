import { rleAreaInside, rleBox } from "../kernels/index.ts";
import type { PixelRect } from "../model/index.ts";
import type { StyleRequest } from "./style.ts";

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
