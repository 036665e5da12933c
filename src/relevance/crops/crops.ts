/*
 * Crops of images, to be embedded beside the whole: an expression's score with an image is then the best of all its vectors, so that
 * a small thing is not lost in a large picture.
 *
 *   objects    a square about the box of each annotated object, 1.3 times its longer side and at least 32 pixels, moved into the image.
 *              By hand: the box [100, 20, 20, 40] in 640 × 480 gives 52 pixels about (110, 40): [84, 14, 52, 52]. Where the image is
 *              smaller than the square it ends there; crowds, equal squares and those that are the whole image are left out.
 *   grid:N     N × N tiles that share nothing, remainders of pixels spread: 10 in 3 are 3, 4, 3.
 */
import { hashJson } from "../../io/index.ts";
import { rleBox } from "../../kernels/index.ts";
import { type Box, fail, quoteValue } from "../../model/index.ts";
import { type AnnotationMeasures, type Pool, readMeasures } from "../../pool/index.ts";

/** Which crops of an image are embedded beside the whole. */
export interface Crops {
  /** Squares about its objects: all (Infinity), or the largest of them. */
  readonly objects?: number | undefined;
  /** Tiles a side. */
  readonly grid?: number | undefined;
}

/** The crops of all images of a pool. */
export interface CropTable {
  /** What was asked for, as `cropsText` writes it. */
  readonly of: string;
  /** Those of image i are rows starts[i] up to starts[i + 1]; the first is the whole image. */
  readonly starts: Int32Array;
  /** x, y, width and height of each row, in pixels as stored. */
  readonly boxes: Int32Array;
  /** Changes with any box. */
  readonly hash: string;
  /** Images without an object that has a crop; 0 where objects were not asked for. */
  readonly withoutObjects: number;
  /** Objects beyond the most an image. */
  readonly leftOut: number;
}

/** Reads "objects", "objects:8", "grid", "grid:3", or one of each with a comma between. Errors: "usage". */
export function parseCrops(text: string): Crops {
  const crops: { objects?: number; grid?: number } = {};
  for (const word of text.split(",")) {
    const [, kind, number] = /^(objects|grid)(?::([1-9]\d{0,3}))?$/.exec(word.trim()) ?? [];
    if ((kind !== "objects" && kind !== "grid") || crops[kind] !== undefined) failCrops(text);
    crops[kind] = number === undefined ? defaults[kind] : Number(number);
  }
  if (crops.grid !== undefined && (crops.grid < 2 || crops.grid > mostTiles)) failCrops(text);
  return crops;
}

/** The text that `parseCrops` reads the same crops from; always the same for the same. */
export function cropsText({ objects, grid }: Crops): string {
  const words: string[] = [];
  if (objects !== undefined) words.push(objects === Number.POSITIVE_INFINITY ? "objects" : `objects:${objects}`);
  if (grid !== undefined) words.push(`grid:${grid}`);
  return words.join(",");
}

/**
 * The crops of a pool's images; `stated` are its annotations' boxes where they are read already. Errors: "bad-input" where objects
 * alone were asked for and there is none.
 */
export async function cropTable(pool: Pool, crops: Crops, stated?: AnnotationMeasures): Promise<CropTable> {
  const measures = crops.objects === undefined ? undefined : (stated ?? (await readMeasures(pool)));
  const starts = new Int32Array(pool.images.count + 1);
  const boxes: number[] = [];
  const lists: Box[][] = [];
  let [withoutObjects, leftOut] = [0, 0];
  for (let image = 0; image < pool.images.count; image++) {
    const size = { width: pool.images.width[image]!, height: pool.images.height[image]! };
    const whole: Box = [0, 0, size.width, size.height];
    const objects = measures === undefined ? [] : objectBoxes(pool, measures, image);
    const kept = distinct(objects.slice(0, crops.objects).map((box) => squareAbout(box, size)));
    leftOut += Math.max(0, objects.length - (crops.objects ?? 0));
    const list = distinct([whole, ...kept, ...(crops.grid === undefined ? [] : tiles(size, crops.grid))]);
    if (measures !== undefined && objects.length === 0) withoutObjects++;
    for (const box of list) boxes.push(...box);
    lists.push(list);
    starts[image + 1] = starts[image]! + list.length;
  }
  if (crops.grid === undefined && pool.images.count > 0 && withoutObjects === pool.images.count)
    fail(
      "bad-input",
      `expected annotated objects for crops of "objects", found none in "${pool.folder}"; "grid:2" needs none`,
    );
  return {
    of: cropsText(crops),
    starts,
    boxes: Int32Array.from(boxes),
    hash: hashJson(lists),
    withoutObjects,
    leftOut: crops.objects === undefined ? 0 : leftOut,
  };
}

const defaults = { objects: Number.POSITIVE_INFINITY, grid: 2 } as const;
const mostTiles = 8;
/** Left about an object's longer side, as a share of it, on each end. */
const margin = 0.15;
const leastSide = 32;

function failCrops(text: string): never {
  return fail(
    "usage",
    `expected crops as "objects", "objects:N" (the N largest), "grid:N" (N × N tiles, 2 to ${mostTiles}) or "objects,grid:N", got ${quoteValue(text)}`,
  );
}

/** Boxes of an image's objects inside it, the largest first: as stated, else those of their masks. */
function objectBoxes(pool: Pool, measures: AnnotationMeasures, image: number): Box[] {
  const found: Box[] = [];
  for (const row of pool.annotationsOfImage(image)) {
    if (pool.annotations.isCrowd[row]) continue;
    const box = clipBox(pool, image, measures.box(row)) ?? clipBox(pool, image, rleBox(pool.mask(image, [row])));
    if (box !== undefined) found.push(box);
  }
  return found.sort((a, b) => b[2] * b[3] - a[2] * a[3]); // stable: ties stay in the order of their rows
}

/** The part of a box inside its image; undefined where there is none. */
function clipBox(pool: Pool, image: number, box: Box | null): Box | undefined {
  if (box === null) return undefined;
  const [left, top] = [Math.max(0, box[0]), Math.max(0, box[1])];
  const width = Math.min(pool.images.width[image]!, box[0] + box[2]) - left;
  const height = Math.min(pool.images.height[image]!, box[1] + box[3]) - top;
  return width > 0 && height > 0 ? [left, top, width, height] : undefined; // NaN is no box either
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function squareAbout([x, y, width, height]: Box, size: Size): Box {
  const side = Math.max(leastSide, Math.round((1 + 2 * margin) * Math.max(width, height)));
  const [across, down] = [Math.min(side, size.width), Math.min(side, size.height)];
  const left = Math.round(x + width / 2 - across / 2);
  const top = Math.round(y + height / 2 - down / 2);
  return [
    Math.max(0, Math.min(size.width - across, left)),
    Math.max(0, Math.min(size.height - down, top)),
    across,
    down,
  ];
}

/** Tiles row by row; fewer a side where there are fewer pixels. */
function tiles(size: Size, perSide: number): Box[] {
  const cuts = (length: number): number[] =>
    Array.from({ length: perSide + 1 }, (_, at) => Math.round((at * length) / perSide));
  const [columns, rows] = [cuts(size.width), cuts(size.height)];
  const found: Box[] = [];
  for (let row = 0; row < perSide; row++)
    for (let column = 0; column < perSide; column++) {
      const [left, top] = [columns[column]!, rows[row]!];
      const box: Box = [left, top, columns[column + 1]! - left, rows[row + 1]! - top];
      if (box[2] > 0 && box[3] > 0) found.push(box);
    }
  return found;
}

function distinct(boxes: readonly Box[]): Box[] {
  return [...new Map(boxes.map((box) => [box.join(), box])).values()];
}
