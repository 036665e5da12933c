import { walkSprite } from "./rasterize.ts";
import { type Appearance, type PixelBox, type Placement, sceneHeight, sceneWidth } from "./scene.ts";
import type { Sprite } from "./sprites.ts";

/** Opacity (0 … 255) from which on a pixel belongs to an object. */
export const solidFrom = 127.5;

/**
 * Which object each pixel belongs to: `sceneWidth * sceneHeight` bytes, row by row, 0 for the backdrop, else 1 + the
 * position in `placed`. The last in `placed` is the nearest; a pixel goes to the nearest that is at least half opaque.
 */
export function instanceMapOf(placed: readonly { sprite: Sprite; placement: Placement }[]): {
  map: Uint8Array;
  appearances: Appearance[];
} {
  const map = new Uint8Array(sceneWidth * sceneHeight);
  const whole = placed.map(({ sprite, placement }, position) => {
    const extent = new Extent();
    walkSprite(sprite, placement, (at, _red, _green, _blue, alpha) => {
      if (alpha < solidFrom) return;
      map[at] = position + 1;
      extent.add(at);
    });
    return extent;
  });
  const visible = placed.map(() => new Extent());
  for (let at = 0; at < map.length; at++) {
    const owner = map[at] ?? 0;
    if (owner !== 0) visible[owner - 1]?.add(at);
  }
  return {
    map,
    appearances: whole.map((extent, position) => ({
      box: visible[position]?.box() ?? [0, 0, 0, 0],
      wholeBox: extent.box(),
      area: visible[position]?.count ?? 0,
      wholeArea: extent.count,
    })),
  };
}

/** Counts pixels and keeps their bounding box. */
class Extent {
  count = 0;
  #left = sceneWidth;
  #right = -1;
  #top = sceneHeight;
  #bottom = -1;

  add(at: number): void {
    const y = Math.floor(at / sceneWidth);
    const x = at - y * sceneWidth;
    this.count++;
    if (x < this.#left) this.#left = x;
    if (x > this.#right) this.#right = x;
    if (y < this.#top) this.#top = y;
    if (y > this.#bottom) this.#bottom = y;
  }

  box(): PixelBox {
    if (this.count === 0) return [0, 0, 0, 0];
    return [this.#left, this.#top, this.#right - this.#left + 1, this.#bottom - this.#top + 1];
  }
}
