import type { Pole, Relation } from "./logic.ts";
import { type SceneObject, sceneHeight, sceneWidth } from "./scene.ts";
import { both, graded, opposite, type Truth } from "./truth.ts";

/** From this share of visible pixels on an object is seen; at or below `hiddenBelow` it is not; between is doubt. */
export const seenFrom = 0.4;
/** See `seenFrom`. */
export const hiddenBelow = 0.15;

/** Whether a person sees the object. */
export function isSeen(object: SceneObject): Truth {
  return object.wholeArea === 0 ? 0 : graded(object.area / object.wholeArea, hiddenBelow, seenFrom);
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

/**
 * A scale on which objects are compared: more is more so. Where a part is hidden people may go by what they see or by the
 * whole object: with two readings, what they disagree on is in doubt.
 */
interface PoleScale {
  readonly readings: readonly ((object: SceneObject) => number)[];
  /** Less than this apart, two objects are not told apart. */
  readonly margin: number;
  /** An object alone is plainly so from `yes` on, plainly not up to `no`. */
  readonly no: number;
  readonly yes: number;
}

const wholeX = (object: SceneObject): number => object.wholeBox[0] + object.wholeBox[2] / 2;
const wholeY = (object: SceneObject): number => object.wholeBox[1] + object.wholeBox[3] / 2;

/** The scales, in pixels of the 640 x 480 picture; sizes as logarithms. */
const scales: Readonly<Record<Pole, PoleScale>> = {
  left: {
    readings: [(object) => -middleX(object), (object) => -wholeX(object)],
    margin: 26,
    no: -0.52 * sceneWidth,
    yes: -0.42 * sceneWidth,
  },
  right: { readings: [middleX, wholeX], margin: 26, no: 0.48 * sceneWidth, yes: 0.58 * sceneWidth },
  top: {
    readings: [(object) => -middleY(object), (object) => -wholeY(object)],
    margin: 30,
    no: -0.56 * sceneHeight,
    yes: -0.46 * sceneHeight,
  },
  bottom: { readings: [middleY, wholeY], margin: 30, no: 0.54 * sceneHeight, yes: 0.66 * sceneHeight },
  front: { readings: [groundOf], margin: 28, no: 0.72 * sceneHeight, yes: 0.84 * sceneHeight },
  back: { readings: [(object) => -groundOf(object)], margin: 28, no: -0.74 * sceneHeight, yes: -0.62 * sceneHeight },
  big: {
    readings: [(object) => Math.log(sizeOf(object))],
    margin: Math.log(1.28),
    no: Math.log(120),
    yes: Math.log(160),
  },
  small: {
    readings: [(object) => -Math.log(sizeOf(object))],
    margin: Math.log(1.28),
    no: -Math.log(112),
    yes: -Math.log(80),
  },
};

/**
 * Which of `objects` is the "left" (`isMost` false) or "leftmost" (true) one, and so for every pole.
 *
 * "Leftmost" is the one ahead of all others by the margin. "Left" is that too where it is not plainly on the other side
 * of the picture; with a third object about, another one that is plainly on the left is in doubt; one alone is left
 * where it is plainly in the left of the picture.
 */
export function polarTruths(pole: Pole, isMost: boolean, objects: readonly SceneObject[]): Truth[] {
  const scale = scales[pole];
  return agreed(scale, objects, (values, value, position) => {
    const lead = leadOf(values, position, scale.margin);
    if (isMost) return lead;
    const alone = graded(value, scale.no, scale.yes);
    if (objects.length === 1) return alone;
    if (lead === 2) return alone === 0 ? 1 : 2;
    if (lead === 1) return objects.length === 2 && alone === 0 ? 0 : 1;
    return objects.length > 2 && alone === 2 ? 1 : 0;
  });
}

/** Which of `objects` is the `rank`-th (1 = first) counted from the pole. */
export function ordinalTruths(rank: number, from: Pole, objects: readonly SceneObject[]): Truth[] {
  const scale = scales[from];
  return agreed(scale, objects, (values, value, position) => {
    let ahead = 0;
    let close = 0;
    values.forEach((other, place) => {
      if (place === position) return;
      if (other >= value + scale.margin) ahead++;
      else if (other > value - scale.margin) close++;
    });
    if (rank - 1 < ahead || rank - 1 > ahead + close) return 0;
    return close === 0 ? 2 : 1;
  });
}

/** Which of `objects` is in the middle: of the picture, and (where three or five are about) of their row. */
export function middleTruths(objects: readonly SceneObject[]): Truth[] {
  const count = objects.length;
  const inRow = count >= 3 && count % 2 === 1 ? ordinalTruths((count + 1) / 2, "left", objects) : undefined;
  return objects.map((object, position) => {
    const offCentre = Math.abs(middleX(object) / sceneWidth - 0.5);
    const inPicture = opposite(graded(offCentre, 0.1, 0.2));
    const ordered = inRow?.[position];
    return ordered === undefined || ordered === inPicture ? inPicture : 1;
  });
}

/** Whether an object is in a corner quarter of the picture. */
export function areaTruth(vertical: "top" | "bottom", horizontal: "left" | "right", object: SceneObject): Truth {
  const x = middleX(object) / sceneWidth;
  const y = middleY(object) / sceneHeight;
  return both(
    graded(horizontal === "left" ? -x : x, horizontal === "left" ? -0.47 : 0.53, horizontal === "left" ? -0.36 : 0.64),
    graded(vertical === "top" ? -y : y, vertical === "top" ? -0.54 : 0.56, vertical === "top" ? -0.45 : 0.68),
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
  return both(graded(Math.min(x - left, right - x), 0, 34), opposite(graded(off, 30, 110)));
}

/** Pixels between the middles of two objects. */
export function distance(a: SceneObject, b: SceneObject): number {
  return Math.hypot(middleX(a) - middleX(b), middleY(a) - middleY(b));
}

/** For each distance, whether it is the least, by a third and 20 pixels. */
export function leastTruths(distances: readonly number[]): Truth[] {
  return distances.map((own, position) => {
    const others = distances.filter((_, place) => place !== position);
    if (others.every((other) => other >= own * 1.33 + 20)) return 2;
    return others.some((other) => own >= other * 1.33 + 20) ? 0 : 1;
  });
}

/** Judges each object by every reading of a scale; true or false is what all readings say. */
function agreed(
  scale: PoleScale,
  objects: readonly SceneObject[],
  judge: (values: readonly number[], value: number, position: number) => Truth,
): Truth[] {
  const judged = scale.readings.map((reading) => {
    const values = objects.map(reading);
    return values.map((value, position) => judge(values, value, position));
  });
  return objects.map((_, position) => {
    const first = judged[0]?.[position] ?? 0;
    return judged.every((truths) => truths[position] === first) ? first : 1;
  });
}

function leadOf(values: readonly number[], position: number, margin: number): Truth {
  const own = values[position] ?? 0;
  const others = values.filter((_, place) => place !== position);
  if (others.some((other) => other >= own + margin)) return 0;
  return others.every((other) => own >= other + margin) ? 2 : 1;
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
