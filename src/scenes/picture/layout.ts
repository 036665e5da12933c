import type { CounterRandom } from "../../kernels/index.ts";
import type { ObjectClass } from "../object-class.ts";
import { type Backdrop, type PixelBox, type Placement, sceneHeight, sceneWidth } from "../scene.ts";
import { frameOf } from "./rasterize.ts";
import type { Sprite } from "./sprites.ts";

/** An object that waits for its place. */
export interface Waiting {
  readonly entry: ObjectClass;
  readonly variant: number;
  readonly sprite: Sprite;
}

/** An object with its place. */
export interface Placed extends Waiting {
  readonly placement: Placement;
}

/** Least and most pixels of an object's larger side. */
const sideRange = [72, 300] as const;
/** Categories of things that may lie askew; others stand nearly upright. */
const loose: ReadonlySet<string> = new Set(["fruit", "vegetable", "food", "sports", "tool"]);
/** Pixels kept free at the picture's border. */
const border = 7;

/**
 * Finds places on the ground for all of `waiting`, spread out, some in company of one that stands already (before it, behind
 * it, beside it), or with `inRow` the first ones side by side. Undefined where the picture is too full: draw again.
 */
export function layOut(
  waiting: readonly Waiting[],
  backdrop: Backdrop,
  inRow: number,
  random: CounterRandom,
): Placed[] | undefined {
  const crowd = 1.12 - 0.042 * waiting.length;
  const placed: Placed[] = [];
  const row = inRow >= 3 ? rowOf(inRow, random) : undefined;
  for (const [position, object] of waiting.entries()) {
    const factor = crowd * random.pick([0.8, 0.8, 1, 1, 1, 1.25, 1.25]) * (0.96 + 0.08 * random.float());
    const isFlipped = random.below(2) === 1;
    const lean = loose.has(object.entry.category) ? 18 : 5;
    const rotation = random.below(2) === 0 ? Math.round((random.float() - 0.5) * lean) : 0;
    const slot = position < inRow ? row?.[position] : undefined;
    const place = bestPlace(object, { factor, isFlipped, rotation }, placed, backdrop, slot, random);
    if (place === undefined) return undefined;
    placed.push({ ...object, placement: place });
  }
  // Painted from the farthest to the nearest; equal ones in a fixed order.
  return placed.sort((a, b) => a.placement.ground - b.placement.ground || a.placement.x - b.placement.x);
}

interface Pose {
  readonly factor: number;
  readonly isFlipped: boolean;
  readonly rotation: number;
}

interface Slot {
  readonly x: number;
  readonly depth: number;
}

/** Middles and depths (0 far … 1 near) of objects side by side. */
function rowOf(count: number, random: CounterRandom): Slot[] {
  const depth = 0.3 + 0.45 * random.float();
  const step = (sceneWidth - 110) / count;
  const slots = Array.from({ length: count }, (_, position) => ({
    x: 55 + step * (position + 0.5) + (random.float() - 0.5) * 0.28 * step,
    depth: depth + (random.float() - 0.5) * 0.12,
  }));
  return random.shuffle(slots);
}

function bestPlace(
  object: Waiting,
  pose: Pose,
  placed: readonly Placed[],
  backdrop: Backdrop,
  slot: Slot | undefined,
  random: CounterRandom,
): Placement | undefined {
  const company = slot === undefined && placed.length > 0 && random.below(100) < 46 ? random.pick(placed) : undefined;
  let best: Placement | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let attempt = 0, found = 0; attempt < 70 && found < 6; attempt++) {
    const beside = company !== undefined && attempt < 30 ? company : undefined;
    const placement =
      slot !== undefined && attempt < 12
        ? placeAt(slot.x, slot.depth, object, pose, backdrop)
        : beside !== undefined
          ? placeBy(beside, object, pose, backdrop, random)
          : placeAt(
              border + random.float() * (sceneWidth - 2 * border),
              random.float() ** 0.85,
              object,
              pose,
              backdrop,
            );
    const frame = frameOf(object.sprite, placement);
    if (!isInside(frame)) continue;
    const overlap = placed.reduce(
      (most, other) => Math.max(most, overlapOf(frame, frameOf(other.sprite, other.placement))),
      0,
    );
    if (overlap > (beside === undefined ? 0.22 : 0.42)) continue;
    found++;
    const score = Math.min(1000, ...placed.map((other) => spacing(frame, frameOf(other.sprite, other.placement))));
    if (score > bestScore) {
      bestScore = score;
      best = placement;
    }
    if (beside !== undefined || slot !== undefined) break;
  }
  return best;
}

function placeAt(x: number, depth: number, object: Waiting, pose: Pose, backdrop: Backdrop): Placement {
  const far = backdrop.horizon + 42;
  const near = sceneHeight - 16;
  return placementAt(x, far + (near - far) * Math.min(1, Math.max(0, depth)), object, pose, backdrop);
}

/** Behind, before or beside `other`. */
function placeBy(other: Placed, object: Waiting, pose: Pose, backdrop: Backdrop, random: CounterRandom): Placement {
  const [, , otherWidth] = frameOf(other.sprite, other.placement);
  const way = random.below(4);
  const side = random.below(2) === 0 ? -1 : 1;
  if (way === 0) {
    const shift = side * (0.25 + 0.3 * random.float()) * otherWidth;
    return placementAt(
      other.placement.x + shift,
      other.placement.ground - 26 - 34 * random.float(),
      object,
      pose,
      backdrop,
    );
  }
  if (way === 1) {
    const shift = side * (0.25 + 0.3 * random.float()) * otherWidth;
    return placementAt(
      other.placement.x + shift,
      other.placement.ground + 26 + 34 * random.float(),
      object,
      pose,
      backdrop,
    );
  }
  const ground = other.placement.ground + (random.float() - 0.5) * 22;
  const own = placementAt(0, ground, object, pose, backdrop);
  const width = (own.side * object.sprite.width) / Math.max(object.sprite.width, object.sprite.height);
  return { ...own, x: rounded(other.placement.x + side * ((otherWidth + width) / 2 + 4 + 18 * random.float())) };
}

function placementAt(x: number, ground: number, object: Waiting, pose: Pose, backdrop: Backdrop): Placement {
  const depth = (ground - backdrop.horizon) / (sceneHeight - backdrop.horizon);
  const wished = 166 * object.entry.size ** 0.8 * pose.factor * (0.58 + 0.58 * depth);
  const side = Math.min(sideRange[1], Math.max(sideRange[0], wished));
  return {
    x: rounded(x),
    ground: rounded(ground),
    side: rounded(side),
    isFlipped: pose.isFlipped,
    rotation: pose.rotation,
  };
}

/** Quarters of a pixel: short to write, the same everywhere. */
function rounded(value: number): number {
  return Math.round(value * 4) / 4;
}

function isInside([left, top, width, height]: PixelBox): boolean {
  return (
    left >= border && top >= border && left + width <= sceneWidth - border && top + height <= sceneHeight - border + 3
  );
}

/** The overlap of two boxes as a share of the smaller one. */
function overlapOf(a: PixelBox, b: PixelBox): number {
  const across = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const down = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  return across <= 0 || down <= 0 ? 0 : (across * down) / Math.min(a[2] * a[3], b[2] * b[3]);
}

/** Pixels between the middles of two boxes, less half their sizes. */
function spacing(a: PixelBox, b: PixelBox): number {
  const across = a[0] + a[2] / 2 - b[0] - b[2] / 2;
  const down = a[1] + a[3] / 2 - b[1] - b[3] / 2;
  return Math.hypot(across, 1.4 * down) - (a[2] + b[2]) / 3;
}
