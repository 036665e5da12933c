import { type PixelBox, type Placement, sceneHeight, sceneWidth } from "../scene.ts";
import type { Sprite } from "./sprites.ts";

/** An object as it is put on the canvas: premultiplied R G B A bytes for each pixel of `frame`, row by row. */
export interface Stamp {
  readonly frame: PixelBox;
  readonly data: Uint8Array;
}

/** Opacity of 0 … 255 from which on a pixel belongs to an object: at least one half. */
export const solidFrom = 128;

/**
 * Scales, turns and flips a sprite to its place; what lies outside of the picture is cut off.
 *
 * Bilinear, from the coarsest level that still has as many pixels as the object on the canvas: no aliasing, and the
 * same bytes everywhere.
 */
export function stampOf(sprite: Sprite, placement: Placement): Stamp {
  const scale = placement.side / Math.max(sprite.width, sprite.height);
  const step = Math.max(0, Math.min(sprite.levels.length - 1, Math.floor(Math.log2(1 / scale) + 1e-9)));
  const level = sprite.levels[step] ?? { width: 0, height: 0, data: new Uint8Array(0) };
  const { width: columns, height: rows, data: source } = level;
  const frame = frameOf(sprite, placement);
  const [left, top, width, height] = frame;
  const data = new Uint8Array(width * height * 4);
  const angle = (placement.rotation * Math.PI) / 180;
  const perPixel = 1 / (scale * 2 ** step);
  const uAcross = (placement.isFlipped ? -1 : 1) * Math.cos(angle) * perPixel;
  const uDown = (placement.isFlipped ? -1 : 1) * Math.sin(angle) * perPixel;
  const vAcross = -Math.sin(angle) * perPixel;
  const vDown = Math.cos(angle) * perPixel;
  const uStart = sprite.width / 2 ** step / 2 - 0.5;
  const vStart = sprite.height / 2 ** step - 0.5;
  for (let y = 0, at = 0; y < height; y++) {
    const dy = top + y + 0.5 - placement.ground;
    for (let x = 0; x < width; x++, at += 4) {
      const dx = left + x + 0.5 - placement.x;
      const u = uAcross * dx + uDown * dy + uStart;
      const v = vAcross * dx + vDown * dy + vStart;
      const x0 = Math.floor(u);
      const y0 = Math.floor(v);
      if (x0 < -1 || y0 < -1 || x0 >= columns || y0 >= rows) continue;
      const fx = u - x0;
      const fy = v - y0;
      const hasLeft = x0 >= 0;
      const hasRight = x0 + 1 < columns;
      const upperLeft = y0 >= 0 && hasLeft ? (1 - fx) * (1 - fy) : 0;
      const upperRight = y0 >= 0 && hasRight ? fx * (1 - fy) : 0;
      const lowerLeft = y0 + 1 < rows && hasLeft ? (1 - fx) * fy : 0;
      const lowerRight = y0 + 1 < rows && hasRight ? fx * fy : 0;
      const from = (y0 * columns + x0) * 4;
      const below = from + columns * 4;
      for (let channel = 0; channel < 4; channel++) {
        // A corner outside of the sprite has weight 0, and whatever is read for it does not matter.
        data[at + channel] =
          0.5 +
          (upperLeft === 0 ? 0 : upperLeft * (source[from + channel] ?? 0)) +
          (upperRight === 0 ? 0 : upperRight * (source[from + channel + 4] ?? 0)) +
          (lowerLeft === 0 ? 0 : lowerLeft * (source[below + channel] ?? 0)) +
          (lowerRight === 0 ? 0 : lowerRight * (source[below + channel + 4] ?? 0));
      }
    }
  }
  return { frame, data };
}

/** The pixels that a placed sprite may touch, cut to the picture. */
export function frameOf(sprite: Sprite, placement: Placement): PixelBox {
  const scale = placement.side / Math.max(sprite.width, sprite.height);
  const angle = (placement.rotation * Math.PI) / 180;
  const half = (sprite.width * scale) / 2;
  const tall = sprite.height * scale;
  const leanX = Math.abs(half * Math.cos(angle));
  const leanY = Math.abs(half * Math.sin(angle));
  const tipX = tall * Math.sin(angle);
  const tipY = -tall * Math.cos(angle);
  const left = Math.max(0, Math.floor(placement.x - leanX + Math.min(0, tipX)) - 1);
  const top = Math.max(0, Math.floor(placement.ground - leanY + tipY) - 1);
  const right = Math.min(sceneWidth, Math.ceil(placement.x + leanX + Math.max(0, tipX)) + 1);
  const bottom = Math.min(sceneHeight, Math.ceil(placement.ground + leanY) + 1);
  return [left, top, Math.max(0, right - left), Math.max(0, bottom - top)];
}
