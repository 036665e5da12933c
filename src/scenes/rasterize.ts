import { type Placement, type PixelBox, sceneHeight, sceneWidth } from "./scene.ts";
import type { Sprite, SpriteLevel } from "./sprites.ts";

/**
 * Calls `paint(at, level, ...)` for no pixel outside the picture: walks the pixels that a placed sprite touches, with
 * the sprite's premultiplied R, G, B and A at each (0 … 255, not rounded), row by row. `at` is y * sceneWidth + x.
 *
 * Bilinear, from the coarsest level that still has as many pixels as the object on the canvas: no aliasing, and the
 * same numbers everywhere.
 */
export function walkSprite(
  sprite: Sprite,
  placement: Placement,
  paint: (at: number, red: number, green: number, blue: number, alpha: number) => void,
): void {
  const scale = placement.side / Math.max(sprite.width, sprite.height);
  const step = Math.max(0, Math.min(sprite.levels.length - 1, Math.floor(Math.log2(1 / scale) + 1e-9)));
  const level = sprite.levels[step];
  if (level === undefined) return;
  const shrink = 2 ** step;
  const angle = (placement.rotation * Math.PI) / 180;
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  const [left, top, width, height] = frameOf(sprite, placement);
  const mirror = placement.isFlipped ? -1 : 1;
  for (let y = top; y < top + height; y++) {
    for (let x = left; x < left + width; x++) {
      const dx = x + 0.5 - placement.x;
      const dy = y + 0.5 - placement.ground;
      const u = (mirror * (cosine * dx + sine * dy)) / scale + sprite.width / 2;
      const v = (cosine * dy - sine * dx) / scale + sprite.height;
      sampleInto(level, u / shrink - 0.5, v / shrink - 0.5);
      if (sample.alpha > 0) paint(y * sceneWidth + x, sample.red, sample.green, sample.blue, sample.alpha);
    }
  }
}

/** The pixels that a placed sprite may touch, cut to the picture. */
export function frameOf(sprite: Sprite, placement: Placement): PixelBox {
  const scale = placement.side / Math.max(sprite.width, sprite.height);
  const angle = (placement.rotation * Math.PI) / 180;
  const half = (sprite.width * scale) / 2;
  const tall = sprite.height * scale;
  const xs: number[] = [];
  const ys: number[] = [];
  for (const [dx, dy] of [
    [-half, 0],
    [half, 0],
    [-half, -tall],
    [half, -tall],
  ] as const) {
    xs.push(placement.x + dx * Math.cos(angle) - dy * Math.sin(angle));
    ys.push(placement.ground + dx * Math.sin(angle) + dy * Math.cos(angle));
  }
  const left = Math.max(0, Math.floor(Math.min(...xs)) - 1);
  const top = Math.max(0, Math.floor(Math.min(...ys)) - 1);
  const right = Math.min(sceneWidth, Math.ceil(Math.max(...xs)) + 1);
  const bottom = Math.min(sceneHeight, Math.ceil(Math.max(...ys)) + 1);
  return [left, top, Math.max(0, right - left), Math.max(0, bottom - top)];
}

const sample = { red: 0, green: 0, blue: 0, alpha: 0 };

function sampleInto(level: SpriteLevel, u: number, v: number): void {
  const { width, height, data } = level;
  const x = Math.floor(u);
  const y = Math.floor(v);
  if (x < -1 || y < -1 || x >= width || y >= height) {
    sample.alpha = 0;
    return;
  }
  const fx = u - x;
  const fy = v - y;
  let red = 0;
  let green = 0;
  let blue = 0;
  let alpha = 0;
  for (let corner = 0; corner < 4; corner++) {
    const cx = x + (corner & 1);
    const cy = y + (corner >> 1);
    if (cx < 0 || cy < 0 || cx >= width || cy >= height) continue;
    const weight = (corner & 1 ? fx : 1 - fx) * (corner >> 1 ? fy : 1 - fy);
    const at = (cy * width + cx) * 4;
    red += weight * (data[at] ?? 0);
    green += weight * (data[at + 1] ?? 0);
    blue += weight * (data[at + 2] ?? 0);
    alpha += weight * (data[at + 3] ?? 0);
  }
  sample.red = red;
  sample.green = green;
  sample.blue = blue;
  sample.alpha = alpha;
}
