import { type Appearance, type PixelBox, sceneHeight, sceneWidth } from "../scene.ts";
import { type Stamp, solidFrom } from "./rasterize.ts";

/** Which object each pixel belongs to, and what can be seen of each. */
export interface InstanceMap {
  /** `sceneWidth * sceneHeight` bytes, row by row: 0 for the backdrop, else 1 + the position in `stamps`. */
  readonly map: Uint8Array;
  /** In the order of `stamps`. */
  readonly appearances: readonly Appearance[];
}

/**
 * Lays stamps over each other, the last one nearest. A pixel belongs to the nearest object that is at least half opaque
 * there.
 */
export function instanceMapOf(stamps: readonly Stamp[]): InstanceMap {
  const map = new Uint8Array(sceneWidth * sceneHeight);
  for (const [position, { frame, data }] of stamps.entries()) {
    const [left, top, width, height] = frame;
    for (let y = 0, from = 3; y < height; y++) {
      let at = (top + y) * sceneWidth + left;
      for (let x = 0; x < width; x++, at++, from += 4) {
        if ((data[from] ?? 0) >= solidFrom) map[at] = position + 1;
      }
    }
  }
  return { map, appearances: stamps.map((stamp, position) => appearanceOf(stamp, position + 1, map)) };
}

function appearanceOf({ frame, data }: Stamp, value: number, map: Uint8Array): Appearance {
  const [left, top, width, height] = frame;
  const whole = emptyExtent();
  const visible = emptyExtent();
  for (let y = top, from = 3; y < top + height; y++) {
    for (let x = left; x < left + width; x++, from += 4) {
      if ((data[from] ?? 0) < solidFrom) continue;
      extend(whole, x, y);
      if (map[y * sceneWidth + x] === value) extend(visible, x, y);
    }
  }
  return { box: boxOf(visible), wholeBox: boxOf(whole), area: visible.count, wholeArea: whole.count };
}

interface Extent {
  count: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function emptyExtent(): Extent {
  return { count: 0, left: sceneWidth, right: -1, top: sceneHeight, bottom: -1 };
}

function extend(extent: Extent, x: number, y: number): void {
  extent.count++;
  if (x < extent.left) extent.left = x;
  if (x > extent.right) extent.right = x;
  if (y < extent.top) extent.top = y;
  if (y > extent.bottom) extent.bottom = y;
}

function boxOf({ count, left, right, top, bottom }: Extent): PixelBox {
  return count === 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1];
}
