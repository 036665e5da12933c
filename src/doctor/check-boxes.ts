/**
 * Compares each target's mask with the box and the area that its dataset states. Where they disagree, one of them was
 * made by other rules: the table `ways` holds the usual ones, each as what it does to a box.
 *
 *   mask [10, 5, 20, 10] in 100 × 50, box [10, 35, 20, 10]: the mask's y counted from the bottom gives the box, "y flipped"
 */
import { rleArea, rleBox, rleUnion } from "../kernels/index.ts";
import { type Box, NemosaicError } from "../model/index.ts";
import type { AnnotationMeasures, Pool } from "../pool/index.ts";
import { Cases, type Finding, plural } from "./finding.ts";

/** By how much sides may differ: rounded coordinates, outlines drawn on the pixels' centres, a published box's slack. */
const slackPx = 3;
const slackShare = 0.1;
/** A stated area may be the polygon's, which of small and thin objects is far from the pixels'. */
const slackArea = { share: 0.5, px: 100 };
/** From this share of the compared targets on the dataset as a whole is wrong. */
const manyShare = 0.1;

type Size = readonly [width: number, height: number];

/** What a mask's box becomes under a usual mistake; the first that fits the stated box is told. */
const ways: readonly (readonly [name: string, change: (mask: Box, size: Size) => Box])[] = [
  ["y flipped", ([x, y, w, h], [, height]) => [x, height - y - h, w, h]],
  ["x flipped", ([x, y, w, h], [width]) => [width - x - w, y, w, h]],
  ["turned by 180°", ([x, y, w, h], [width, height]) => [width - x - w, height - y - h, w, h]],
  ["x and y exchanged", ([x, y, w, h]) => [y, x, h, w]],
  ["box given as corners [x1, y1, x2, y2]", ([x, y, w, h]) => [x, y, x + w, y + h]],
  ["box given by its centre", ([x, y, w, h]) => [x + w / 2, y + h / 2, w, h]],
  ["mask in coordinates of 0 to 1", ([x, y, w, h], [width, height]) => [x * width, y * height, w * width, h * height]],
  ["box in coordinates of 0 to 1", ([x, y, w, h], [width, height]) => [x / width, y / height, w / width, h / height]],
];

/** Looks at the box and the area of every target that has a mask. */
export function checkBoxes(pool: Pool, measures: AnnotationMeasures): Finding[] {
  const boxes = new Cases();
  const areas = new Cases();
  const unit = new Cases();
  const causes = new Map<string, number>();
  let compared = 0;
  for (const target of new Set(
    Array.from({ length: pool.refs.count }, (_, ref) => [...pool.targetsOfRef(ref)]).flat(),
  )) {
    const image = pool.annotations.image[target] ?? 0;
    const size: Size = [pool.images.width[image] ?? 0, pool.images.height[image] ?? 0];
    const mask = maskBox(pool, target, size);
    if (mask === undefined) continue;
    const name = `annotation ${pool.annotationKey(target)}`;
    if (isInUnit(mask, size)) unit.add(() => `${name}: mask box [${describeBox(mask)}] in ${size.join("×")}`);
    const box = measures.box(target);
    if (box !== null) {
      compared++;
      const cause = causeOf(mask, box, size);
      if (cause !== undefined) {
        causes.set(cause, (causes.get(cause) ?? 0) + 1);
        boxes.add(
          () => `${name}: mask [${describeBox(mask)}], box [${describeBox(box)}] in ${size.join("×")}: ${cause}`,
        );
      }
    }
    const stated = measures.area[target] ?? Number.NaN;
    const area = stated > 0 ? maskArea(pool, target, size) : undefined;
    if (area !== undefined && isOtherArea(stated, area))
      areas.add(() => `${name}: mask of ${area} pixels, area ${Number(stated.toFixed(1))}`);
  }
  const listed = [...causes].sort((a, b) => b[1] - a[1]).map(([cause, count]) => `${count} ${cause}`);
  return [
    ...unit.finding(
      "error",
      "mask-in-unit-coordinates",
      (n) => `${plural(n, "target")} whose polygons run from 0 to 1: they cover a single pixel`,
      "multiply x by the image's width and y by its height, and import again",
    ),
    ...boxes.finding(
      boxes.count > manyShare * compared ? "error" : "warning",
      "mask-box-differs",
      (n) => `${plural(n, "target")} whose mask and box disagree (${listed.join(", ")})`,
      "look at them: one of the two does not follow the image's pixels; correct it and import again",
    ),
    ...areas.finding(
      "warning",
      "mask-area-differs",
      (n) => `${plural(n, "target")} whose mask has another area than the dataset states`,
      "look at them: parts of the mask may be missing, or it belongs to the image at another size",
    ),
  ];
}

/** The box of a mask as its coordinates give it; undefined where there is none that can be read. */
function maskBox(pool: Pool, target: number, [width, height]: Size): Box | undefined {
  const segmentation = pool.segmentation(target);
  if (segmentation.kind === "none") return undefined;
  if (segmentation.kind === "rle") {
    const box = readable(() => rleBox(rleUnion(pool.maskParts(target), height, width)));
    return box !== undefined && box[2] > 0 ? box : undefined;
  }
  const [xs, ys] = [0, 1].map((odd) => segmentation.parts.flatMap((part) => part.filter((_, i) => i % 2 === odd)));
  if (xs === undefined || ys === undefined || xs.length === 0) return undefined;
  const [left, top] = [findLeast(xs), findLeast(ys)];
  return [left, top, -findLeast(xs.map((x) => -x)) - left, -findLeast(ys.map((y) => -y)) - top];
}

function maskArea(pool: Pool, target: number, [width, height]: Size): number | undefined {
  return readable(() => rleArea(rleUnion(pool.maskParts(target), height, width)));
}

/** Masks that cannot be read are the finding `mask-broken`. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof NemosaicError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Why a box is not the mask's; undefined where it is. */
function causeOf(mask: Box, box: Box, size: Size): string | undefined {
  if (fits(mask, box)) return undefined;
  for (const [name, change] of ways) if (fits(change(mask, size), box)) return name;
  const scale = Math.sqrt((box[2] * box[3]) / (mask[2] * mask[3]));
  const scaled: Box = [mask[0] * scale, mask[1] * scale, mask[2] * scale, mask[3] * scale];
  if (scale > 0 && Number.isFinite(scale) && fits(scaled, box))
    return `mask at ${shortScale(scale)} of the box's scale`;
  return "otherwise";
}

function fits(a: Box, b: Box): boolean {
  const ends = ([x, y, w, h]: Box): number[] => [x, y, x + w, y + h];
  // The slack is the smaller box's, so that coordinates of 0 to 1 are not all alike.
  const side = Math.min(Math.max(a[2], a[3]), Math.max(b[2], b[3]));
  const slack = side <= 2 ? 0.1 * side : Math.max(slackPx, slackShare * side);
  const others = ends(b);
  return ends(a).every((end, i) => Math.abs(end - (others[i] ?? 0)) <= slack);
}

function isInUnit([x, y, w, h]: Box, [width, height]: Size): boolean {
  return x >= 0 && y >= 0 && x + w <= 1 && y + h <= 1 && w > 0 && h > 0 && Math.min(width, height) > 4;
}

function isOtherArea(stated: number, area: number): boolean {
  const apart = Math.abs(stated - area);
  return apart > slackArea.px && apart > slackArea.share * Math.max(stated, area);
}

/** The mask's scale as people say it: "half", "2 times". */
function shortScale(boxOverMask: number): string {
  const scale = 1 / boxOverMask;
  if (Math.abs(scale - 0.5) < 0.03) return "half";
  return `${Number(scale.toFixed(2))} times`;
}

function describeBox(box: Box): string {
  return box.map((side) => Number(side.toFixed(2))).join(", ");
}

function findLeast(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}
