import type { Relation } from "../grammar/logic.ts";
import { type SceneObject, sceneHeight, sceneWidth } from "../scene.ts";
import { andTruth, gradeTruth, negateTruth, type Truth } from "./truth.ts";

/** From this share of visible pixels on an object is seen; at or below `hiddenBelow` it is not; between is doubt. */
export const seenFrom = 0.4;
/** See `seenFrom`. */
export const hiddenBelow = 0.15;

/** Whether a person sees the object. */
export function isSeen(object: SceneObject): Truth {
  return object.wholeArea === 0 ? 0 : gradeTruth(object.area / object.wholeArea, hiddenBelow, seenFrom);
}

/** Middle of the visible box, pixels from the left. */
export function middleX(object: SceneObject): number {
  return object.box[0] + object.box[2] / 2;
}

/** Middle of the visible box, pixels from the top. */
export function middleY(object: SceneObject): number {
  return object.box[1] + object.box[3] / 2;
}

/** Where it stands: lower edge of the whole box, pixels from the top. */
export function groundOf(object: SceneObject): number {
  return object.wholeBox[1] + object.wholeBox[3];
}

/** Apparent size in pixels: root of the whole box's area. */
export function sizeOf(object: SceneObject): number {
  return Math.sqrt(object.wholeBox[2] * object.wholeBox[3]);
}

/** Whether an object is in a corner quarter of the picture. */
export function areaTruth(vertical: "top" | "bottom", horizontal: "left" | "right", object: SceneObject): Truth {
  const x = middleX(object) / sceneWidth;
  const y = middleY(object) / sceneHeight;
  return andTruth(
    gradeTruth(
      horizontal === "left" ? -x : x,
      horizontal === "left" ? -0.47 : 0.53,
      horizontal === "left" ? -0.36 : 0.64,
    ),
    gradeTruth(vertical === "top" ? -y : y, vertical === "top" ? -0.54 : 0.56, vertical === "top" ? -0.45 : 0.68),
  );
}

/** Whether `object` stands so to `other`. Not defined for one and the same object. */
export function relationTruth(relation: Relation, object: SceneObject, other: SceneObject): Truth {
  switch (relation) {
    case "left of":
      return sideTruth(object, other);
    case "right of":
      return sideTruth(other, object);
    case "behind":
      return behindTruth(object, other);
    case "in front of":
      return behindTruth(other, object);
    case "next to":
      return besideTruth(object, other);
  }
}

/** Whether `object` is between the two: its middle between theirs, at about their height. */
export function betweenTruth(object: SceneObject, first: SceneObject, second: SceneObject): Truth {
  const x = middleX(object);
  const [left, right] = [middleX(first), middleX(second)].sort((a, b) => a - b) as [number, number];
  const [high, low] = [groundOf(first), groundOf(second)].sort((a, b) => a - b) as [number, number];
  const off = Math.max(high - groundOf(object), groundOf(object) - low, 0);
  return andTruth(gradeTruth(Math.min(x - left, right - x), 0, 34), negateTruth(gradeTruth(off, 30, 110)));
}

/** Pixels between the middles of two objects. */
export function distance(a: SceneObject, b: SceneObject): number {
  return Math.hypot(middleX(a) - middleX(b), middleY(a) - middleY(b));
}

/** Left of: the middles apart by most of the half widths, and more across than up or down. */
function sideTruth(object: SceneObject, other: SceneObject): Truth {
  const across = middleX(other) - middleX(object);
  if (across <= 4) return 0;
  const isClear = across >= 0.375 * (object.box[2] + other.box[2]);
  return isClear && Math.abs(middleY(other) - middleY(object)) <= 0.9 * across ? 2 : 1;
}

/** Behind: farther away, and one column of the picture goes through both, which meet or nearly so. */
function behindTruth(object: SceneObject, other: SceneObject): Truth {
  const farther = groundOf(other) - groundOf(object);
  const gap = other.box[1] - groundOf(object);
  const overlap = overlapAcross(object, other) / Math.min(object.box[2], other.box[2]);
  if (farther <= 5 || overlap <= -0.4 || gap >= 80) return 0;
  return farther >= 20 && overlap >= 0.35 && gap <= 6 ? 2 : 1;
}

/** Next to: little between them across, standing at about the same depth, neither before the other. */
function besideTruth(object: SceneObject, other: SceneObject): Truth {
  const width = (object.box[2] + other.box[2]) / 2;
  const overlap = overlapAcross(object, other);
  const apart = Math.abs(groundOf(object) - groundOf(other));
  const height = Math.min(object.wholeBox[3], other.wholeBox[3]);
  if (-overlap >= 0.75 * width || apart >= 0.8 * height + 20) return 0;
  const isApartInDepth = apart > 0.3 * height + 6;
  const isAcross = overlap > 0.3 * Math.min(object.box[2], other.box[2]);
  return -overlap <= 0.35 * width && !isApartInDepth && !isAcross ? 2 : 1;
}

/** Pixels by which two boxes overlap across; the gap between them as a negative number. */
function overlapAcross(a: SceneObject, b: SceneObject): number {
  return Math.min(a.box[0] + a.box[2], b.box[0] + b.box[2]) - Math.max(a.box[0], b.box[0]);
}
