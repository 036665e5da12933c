import { type Backdrop, type Scene, type SceneObject, sceneHeight, sceneWidth } from "../scene.ts";
import { paintBackdrop } from "./backdrop.ts";
import { instanceMapOf } from "./instance-map.ts";
import { type Stamp, stampOf } from "./rasterize.ts";
import type { Sprite, SpriteSet } from "./sprites.ts";

/** A drawn scene. The caller owns both. */
export interface DrawnScene {
  /** `3 * sceneWidth * sceneHeight` bytes R G B, row by row. */
  readonly image: Uint8Array;
  /** `sceneWidth * sceneHeight` bytes: the id of the object that a pixel belongs to, or 0. */
  readonly instances: Uint8Array;
}

/** Drawn on and read within one call of `renderScene`. */
const canvas = new Float32Array(sceneWidth * sceneHeight * 3);

/**
 * Draws a scene: backdrop, shadows on the ground, objects from the farthest to the nearest. Shadows and soft borders
 * change colours only; a pixel belongs to the nearest object that is at least half opaque there.
 */
export function renderScene(scene: Scene, sprites: SpriteSet): DrawnScene {
  paintBackdrop(canvas, scene.backdrop);
  for (const object of scene.objects) {
    paintShadow(sprites.get(object.className, object.variant), object, scene.backdrop);
  }
  const stamps = stampsOf(scene, sprites);
  for (const { frame, data } of stamps) {
    const [left, top, width, height] = frame;
    for (let y = 0, from = 0; y < height; y++) {
      let at = ((top + y) * sceneWidth + left) * 3;
      for (let x = 0; x < width; x++, at += 3, from += 4) {
        const alpha = data[from + 3] ?? 0;
        if (alpha === 0) continue;
        const rest = 1 - alpha / 255;
        canvas[at] = (data[from] ?? 0) + (canvas[at] ?? 0) * rest;
        canvas[at + 1] = (data[from + 1] ?? 0) + (canvas[at + 1] ?? 0) * rest;
        canvas[at + 2] = (data[from + 2] ?? 0) + (canvas[at + 2] ?? 0) * rest;
      }
    }
  }
  // Clamped arrays round and clip on their own.
  return { image: new Uint8Array(new Uint8ClampedArray(canvas).buffer), instances: instanceMapOf(stamps).map };
}

/** The instance map alone, as `renderScene` gives it; a fifth of the time. */
export function instancesOf(scene: Scene, sprites: SpriteSet): Uint8Array {
  return instanceMapOf(stampsOf(scene, sprites)).map;
}

function stampsOf(scene: Scene, sprites: SpriteSet): Stamp[] {
  return scene.objects.map(({ className, variant, placement }) => stampOf(sprites.get(className, variant), placement));
}

/** A wide soft shadow away from the light, and a dark narrow one where the object touches the ground. */
function paintShadow(sprite: Sprite, object: SceneObject, backdrop: Backdrop): void {
  const { placement, wholeBox } = object;
  const width = (placement.side * sprite.width) / Math.max(sprite.width, sprite.height);
  const [from, to] = placement.isFlipped ? [1 - sprite.footing[1], 1 - sprite.footing[0]] : sprite.footing;
  const contactX = placement.x + ((from + to) / 2 - 0.5) * width;
  const contact = Math.max(0.16, to - from) * width;
  const bottom = wholeBox[1] + wholeBox[3];
  paintEllipse(
    contactX - backdrop.light * 0.1 * width,
    bottom - 0.03 * width,
    0.3 * width + 0.4 * contact,
    0.085 * width + 5,
    0.3,
  );
  paintEllipse(contactX, bottom - 2, 0.56 * contact + 3, 0.055 * contact + 4.5, 0.5);
}

function paintEllipse(x: number, y: number, radiusX: number, radiusY: number, strength: number): void {
  const top = Math.max(0, Math.floor(y - radiusY));
  const bottom = Math.min(sceneHeight - 1, Math.ceil(y + radiusY));
  const left = Math.max(0, Math.floor(x - radiusX));
  const right = Math.min(sceneWidth - 1, Math.ceil(x + radiusX));
  for (let row = top; row <= bottom; row++) {
    const dy = (row - y) / radiusY;
    for (let column = left; column <= right; column++) {
      const dx = (column - x) / radiusX;
      const inside = 1 - dx * dx - dy * dy;
      if (inside <= 0) continue;
      const factor = 1 - strength * inside * inside * (3 - 2 * inside);
      const at = (row * sceneWidth + column) * 3;
      // Shadows are a little blue.
      canvas[at] = (canvas[at] ?? 0) * factor;
      canvas[at + 1] = (canvas[at + 1] ?? 0) * factor;
      canvas[at + 2] = (canvas[at + 2] ?? 0) * (0.12 + 0.88 * factor);
    }
  }
}
