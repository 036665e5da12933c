import type { Many, Pole } from "../grammar/logic.ts";
import { type SceneObject, sceneHeight, sceneWidth } from "../scene.ts";
import { groundOf, middleX, middleY, sizeOf } from "./geometry.ts";
import { gradeTruth, negateTruth, type Truth } from "./truth.ts";

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

/** How a pole is meant: see `Modifier`. */
interface PolarWords {
  readonly pole: Pole;
  readonly isMost: boolean;
  readonly many?: Many;
}

/**
 * Which of `objects` is the "left" (`isMost` false) or "leftmost" (true) one, or are the left ones, and so for every pole.
 *
 * "Leftmost" is the one ahead of all others by the margin. "Left" is that too where it is not plainly on the other side
 * of the picture; with a third object about, another one that is plainly on the left is in doubt; one alone is left
 * where it is plainly in the left of the picture. "The two left mugs" are the first two, in the same way; "the left mugs"
 * all in the left of the picture, "the big mugs" those that others fall behind and none outdoes.
 */
export function polarTruths({ pole, isMost, many }: PolarWords, objects: readonly SceneObject[]): Truth[] {
  const scale = scales[pole];
  return mergeTruths(scale, objects, (values, value, position) => {
    const standing = standingOf(values, position, (a, b) => a >= b + scale.margin);
    const alone = gradeTruth(value, scale.no, scale.yes);
    if (many === "all") {
      if (isMost) return foremostTruth(standing);
      return pole === "big" || pole === "small" ? sizeTruth(standing, alone) : alone;
    }
    const lead = isAmongFirst(standing, many ?? 1);
    if (isMost) return lead;
    if (objects.length <= (many ?? 1)) return alone;
    if (lead === 2) return alone === 0 ? 1 : 2;
    if (lead === 1) return objects.length === 2 && alone === 0 ? 0 : 1;
    return objects.length > 2 && alone === 2 ? 1 : 0;
  });
}

/** Of which of `objects` the same words are denied: "not on the left" is in doubt of what stands in the left of the picture. */
export function deniedPolarTruths(words: PolarWords, objects: readonly SceneObject[]): Truth[] {
  const said = polarTruths(words, objects);
  const alone = objects.map((object) => polarTruths({ pole: words.pole, isMost: false }, [object])[0] ?? 0);
  const isSize = words.pole === "big" || words.pole === "small";
  return said.map((truth, position) => {
    const denied = negateTruth(truth);
    return !words.isMost && !isSize && denied === 2 && alone[position] === 2 ? 1 : denied;
  });
}

/** Which of `objects` is the `rank`-th (1 = first) counted from the pole. */
export function ordinalTruths(rank: number, from: Pole, objects: readonly SceneObject[]): Truth[] {
  const scale = scales[from];
  return mergeTruths(scale, objects, (values, _, position) => {
    const standing = standingOf(values, position, (a, b) => a >= b + scale.margin);
    return rankTruth(standing, rank, rank);
  });
}

/**
 * Which of `objects` is in the middle: of the picture, and (where three or five are about) of their row. "The two in the
 * middle" are so where as many stand on either side of them.
 */
export function middleTruths(objects: readonly SceneObject[], many?: Many): Truth[] {
  const aside = many === "all" ? 0 : (objects.length - (many ?? 1)) / 2;
  const inRow =
    many !== "all" && Number.isInteger(aside) && aside > 0
      ? mergeTruths(scales.left, objects, (values, _, position) =>
          rankTruth(
            standingOf(values, position, (a, b) => a >= b + scales.left.margin),
            aside + 1,
            objects.length - aside,
          ),
        )
      : undefined;
  return objects.map((object, position) => {
    const offCentre = Math.abs(middleX(object) / sceneWidth - 0.5);
    const inPicture = negateTruth(gradeTruth(offCentre, 0.1, 0.2));
    const ordered = inRow?.[position];
    if (typeof many === "number") return ordered ?? inPicture;
    return ordered === undefined || ordered === inPicture ? inPicture : 1;
  });
}

/** For each distance, whether it is the least (or among the `many` least), by a third and 20 pixels. */
export function leastTruths(distances: readonly number[], many?: Many): Truth[] {
  return distances.map((_, position) => {
    const standing = standingOf(distances, position, (a, b) => b >= a * 1.33 + 20);
    return many === "all" ? foremostTruth(standing) : isAmongFirst(standing, many ?? 1);
  });
}

/** Judges each object by every reading of a scale; true or false is what all readings say. */
function mergeTruths(
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

/** Where one value stands among others. */
interface Standing {
  /** How many are plainly ahead of it. */
  readonly ahead: number;
  /** How many are not told apart from it. */
  readonly close: number;
  /** How many of the close ones have one plainly ahead of them. */
  readonly beaten: number;
  readonly behind: number;
}

function standingOf(values: readonly number[], position: number, isAhead: (a: number, b: number) => boolean): Standing {
  const own = values[position] ?? 0;
  let [ahead, close, beaten, behind] = [0, 0, 0, 0];
  values.forEach((other, place) => {
    if (place === position) return;
    if (isAhead(other, own)) ahead++;
    else if (isAhead(own, other)) behind++;
    else {
      close++;
      if (values.some((third) => isAhead(third, other))) beaten++;
    }
  });
  return { ahead, close, beaten, behind };
}

/** Whether its rank (1 = first) is one of `from` … `to`. */
function rankTruth({ ahead, close }: Standing, from: number, to: number): Truth {
  if (ahead + 1 >= from && ahead + close + 1 <= to) return 2;
  return ahead + 1 > to || ahead + close + 1 < from ? 0 : 1;
}

function isAmongFirst(standing: Standing, count: number): Truth {
  return rankTruth(standing, 1, count);
}

/** Whether it is one of those that none is ahead of, and these are a group of their own. */
function foremostTruth({ ahead, beaten }: Standing): Truth {
  return ahead > 0 ? 0 : beaten > 0 ? 1 : 2;
}

/** "Big mugs": by comparison where sizes differ, else by the size in the picture. */
function sizeTruth(standing: Standing, alone: Truth): Truth {
  const { ahead, behind } = standing;
  if (ahead > 0) return behind > 0 || alone === 2 ? 1 : 0;
  if (behind > 0) return foremostTruth(standing);
  return alone;
}
