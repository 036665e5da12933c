import {
  maxMaskPixels,
  type Rle,
  rleArea,
  rleBox,
  rleFromCounts,
  rleFromString,
  rleToString,
  rleUnion,
} from "../kernels/index.ts";
import { type Box, quoteValue, type Segmentation } from "../model/index.ts";
import { type Complaint, InWords, type NoteReason } from "./findings.ts";
import { type Dict, field, isDict, numbersOf, pixelsOf } from "./values.ts";

/**
 * A segmentation as understood, with what had to be left out of it; or why it cannot be. `box` is the mask's tight
 * box where the segmentation is a list of run lengths. `unusable` names the form of one that gives no mask: an object
 * that nothing refers to may have it, a target must not (`targetComplaint`).
 */
export type ParsedSegmentation =
  | {
      readonly segmentation: Segmentation;
      readonly notes: readonly NoteReason[];
      readonly box?: Box;
      readonly unusable?: string;
    }
  | { readonly complaint: Complaint };

/** The complaint about a target whose segmentation has the `unusable` form: it would be trained on with an empty mask. */
export function targetComplaint(unusable: string, name = "the target"): Complaint {
  return {
    expected: `${name} to have a mask: polygons [[x0, y0, x1, y1, x2, y2, …], …] or run lengths {size, counts}`,
    came: new InWords(unusable),
    remedy: "correct its segmentation or remove the ref",
  };
}

/** Corners farther out than this overflow pycocotools' rasteriser. */
const maxCoordinate = 2 ** 27;

/**
 * Reads a segmentation in any of the spellings of COCO and its descendants:
 * polygons in parts [[x0, y0, x1, y1, …], …]; one flat polygon [x0, y0, …]; run lengths {size: [height, width], counts}
 * with counts compressed (text or bytes) or a list of numbers; a list of such (RRSIS-D), which stands for its union;
 * nothing (null, an absent member, an empty list).
 * Run lengths are checked to add up; a list of counts is compressed, which loses nothing.
 */
export function parseSegmentation(value: unknown): ParsedSegmentation {
  if (value === undefined || value === null) return noMask("no segmentation");
  if (isDict(value)) return parseRle(value);
  if (!Array.isArray(value)) return { complaint: complain(value) };
  if (value.length === 0) return noMask("an empty list");
  if (value.every(isDict)) return parseRleList(value);
  return parsePolygons(typeof value[0] === "number" ? [value] : value);
}

/** A raster's run lengths as a segmentation. */
export function segmentationOf(rle: Rle): Segmentation {
  return { kind: "rle", size: [rle.height, rle.width], counts: rleToString(rle) };
}

function noMask(unusable: string, notes: readonly NoteReason[] = []): ParsedSegmentation {
  return { segmentation: { kind: "none" }, notes: [...notes, "annotation without a usable segmentation"], unusable };
}

const tooShort: NoteReason = "polygon with fewer than 6 or an odd number of coordinates skipped";

function parsePolygons(parts: readonly unknown[]): ParsedSegmentation {
  const kept: number[][] = [];
  const notes: NoteReason[] = [];
  for (const part of parts) {
    const numbers = numbersOf(part);
    if (numbers === undefined || numbers.some((x) => Math.abs(x) > maxCoordinate))
      return { complaint: isPointList(part) ? pointsComplaint(part) : complain(part) };
    if (numbers.length < 6 || numbers.length % 2 !== 0) notes.push(tooShort);
    else kept.push(numbers);
  }
  if (kept.length > 0) return { segmentation: { kind: "polygons", parts: kept }, notes };
  if (isPointList(parts))
    return noMask("a polygon as a list of points [[x, y], …]; write each as one flat list [x0, y0, x1, y1, …]", notes);
  return noMask(formOf(parts), notes);
}

/** Three points [x, y] or more. */
function isPointList(value: unknown): boolean {
  return Array.isArray(value) && value.length >= 3 && value.every((point) => numbersOf(point)?.length === 2);
}

function formOf(parts: readonly unknown[]): string {
  const lengths = parts.map((part) => numbersOf(part)?.length ?? 0);
  if (lengths.every((length) => length === 0)) return "polygons without a corner";
  const isOdd = lengths.some((length) => length % 2 === 1);
  const form = isOdd ? "an odd number of coordinates" : "fewer than three corners";
  return `polygons of ${form} (${lengths.slice(0, 5).join(", ")}${lengths.length > 5 ? ", …" : ""} numbers)`;
}

function parseRle(value: Dict): ParsedSegmentation {
  const rle = rleOf(value);
  if ("complaint" in rle) return rle;
  return { segmentation: rle.given ?? segmentationOf(rle.rle), notes: [], ...describeEmptyMask(rle.rle) };
}

function parseRleList(values: readonly Dict[]): ParsedSegmentation {
  const rles: Rle[] = [];
  let given: Segmentation | undefined;
  for (const value of values) {
    const rle = rleOf(value);
    if ("complaint" in rle) return rle;
    rles.push(rle.rle);
    given = rle.given;
  }
  const [first] = rles;
  if (first === undefined) return noMask("an empty list");
  if (rles.some((rle) => rle.height !== first.height || rle.width !== first.width)) {
    const sizes = rles.map((rle) => [rle.height, rle.width]);
    return { complaint: { expected: "run lengths of one size", came: sizes, remedy: "correct their sizes" } };
  }
  const union = rles.length === 1 ? first : rleUnion(rles, first.height, first.width);
  const segmentation = rles.length === 1 && given !== undefined ? given : segmentationOf(union);
  return { segmentation, notes: [], box: rleBox(union), ...describeEmptyMask(union) };
}

function describeEmptyMask(rle: Rle): { unusable?: string } {
  return rleArea(rle) > 0 ? {} : { unusable: "run lengths without a pixel inside" };
}

/** `given` is the segmentation unchanged, where its counts came compressed. */
function rleOf(value: Dict): { rle: Rle; given: Segmentation | undefined } | { complaint: Complaint } {
  const size = numbersOf(field(value, "size"));
  const [height, width] = [pixelsOf(size?.[0]), pixelsOf(size?.[1])];
  if (size?.length !== 2 || height === undefined || width === undefined || height * width > maxMaskPixels) {
    const expected = `"size" to be [height, width] in pixels`;
    return { complaint: { expected, came: field(value, "size"), remedy: "correct the run lengths' size" } };
  }
  const raw = field(value, "counts");
  const counts = raw instanceof Uint8Array ? Buffer.from(raw).toString("latin1") : raw;
  try {
    if (typeof counts === "string") {
      return { rle: rleFromString(counts, height, width), given: { kind: "rle", size: [height, width], counts } };
    }
    const numbers = numbersOf(counts);
    if (numbers !== undefined) return { rle: rleFromCounts(numbers, height, width), given: undefined };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { complaint: { expected: "COCO run lengths", came: error, remedy: "write the mask anew" } };
  }
  return {
    complaint: { expected: `"counts" to be text or a list of numbers`, came: raw, remedy: "write the mask anew" },
  };
}

function pointsComplaint(value: unknown): Complaint {
  return {
    expected: "polygons as flat lists [[x0, y0, x1, y1, …], …]",
    came: new InWords(`lists of points [[[x, y], …], …] such as ${quoteValue(value)}`),
    remedy: "flatten each polygon",
  };
}

function complain(value: unknown): Complaint {
  return {
    expected: "polygons [[x0, y0, x1, y1, …], …] of finite numbers, or run lengths {size, counts}",
    came: value,
    remedy: "correct the segmentation or leave the annotation out",
  };
}
