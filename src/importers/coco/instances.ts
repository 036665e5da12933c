/**
 * COCO's instances.json, as REFER and its descendants ship it:
 *
 *   {info, licenses,
 *    images:      [{id, file_name, height, width, …}],
 *    annotations: [{id, image_id, category_id, bbox [x, y, w, h], segmentation, area, iscrowd}],
 *    categories:  [{id, name, supercategory}]}
 *
 * in any order of members. RRSIS-D says `categories_id`, gives its boxes as corners [x1, y1, x2, y2] and its masks as
 * lists of run lengths. In nemosaic's own exports an annotation with `target_ids` is no object: it is the union of those
 * annotations, made for the one ref that means them, or none. The file is streamed twice: images and categories first, then annotations, so that memory holds
 * the images' ids and sizes but never the polygons.
 */
import { readJsonArrays } from "../../codecs/index.ts";
import {
  type AnnotationRecord,
  type BadRecord,
  type Box,
  type DatasetRecord,
  fail,
  type ImageRecord,
} from "../../model/index.ts";
import { bad, note } from "../findings.ts";
import type { ImagesFolder } from "../places.ts";
import { parseSegmentation } from "../segmentation.ts";
import { boxOf, type Dict, exactId, field, finite, idComplaint, isDict, isInnerPath, pixelsOf } from "../values.ts";

/** What refs are checked against: filled while `instanceRecords` streams. */
export interface Catalog {
  /** Sizes by image id; undefined where the dataset does not say. */
  readonly images: Map<string, readonly [width: number, height: number] | undefined>;
  /** Image ids by annotation id. */
  readonly annotations: Map<string, string>;
  /** Ids of the annotations that cover a crowd. */
  readonly crowds: Set<string>;
  /** The form of the segmentations that give no mask, by annotation id: no ref may name these. */
  readonly unusable: Map<string, string>;
  /** The annotations that others stand for the union of, by the id of those. */
  readonly unions: Map<string, readonly string[]>;
}

/** A catalog without entries. */
export function emptyCatalog(): Catalog {
  return { images: new Map(), annotations: new Map(), crowds: new Set(), unusable: new Map(), unions: new Map() };
}

/** The file names of the first `count` images, to look for on disk. Errors: "bad-input". */
export async function firstImageNames(path: string, count: number): Promise<string[]> {
  const names: string[] = [];
  for await (const { value } of readJsonArrays(path, ["images"])) {
    const name = isDict(value) ? field(value, "file_name") : undefined;
    if (typeof name === "string" && isInnerPath(name)) names.push(name);
    if (names.length >= count) break;
  }
  return names;
}

/**
 * Streams every image, then every annotation of the file at `path`, and fills `catalog` with what it yields.
 * Errors: "bad-input" where the file is no JSON object, or one without images.
 */
export async function* instanceRecords(
  path: string,
  file: string,
  images: ImagesFolder,
  catalog: Catalog,
): AsyncGenerator<DatasetRecord> {
  const categories = new Map<string, string>();
  let anyImage = false;
  for await (const { key, index, value } of readJsonArrays(path, ["images", "categories"])) {
    if (key === "images") {
      anyImage = true;
      yield imageRecord(value, `${file}, images[${index}]`, images, catalog);
    } else {
      addCategory(value, categories);
    }
  }
  if (!anyImage) {
    fail(
      "bad-input",
      `expected COCO's {"images": [{id, file_name, …}], "annotations": […], …} in "${path}", found no image`,
    );
  }
  for await (const { index, value } of readJsonArrays(path, ["annotations"])) {
    yield* annotationRecords(value, `${file}, annotations[${index}]`, categories, catalog);
  }
}

function imageRecord(value: unknown, where: string, images: ImagesFolder, catalog: Catalog): ImageRecord | BadRecord {
  if (!isDict(value)) return notARecord("an image {id, file_name, …}", value, where);
  const id = exactId(field(value, "id"));
  if (id === undefined) return bad("bad id", where, idComplaint("id", field(value, "id")));
  if (catalog.images.has(id)) {
    return bad("duplicate image id", where, {
      expected: "an image id once",
      came: id,
      remedy: "remove one of the two",
    });
  }
  const name = field(value, "file_name");
  if (typeof name !== "string" || !isInnerPath(name)) {
    const expected = `"file_name" to be a path inside the images' folder`;
    return bad("unsafe file name", where, { expected, came: name, remedy: "correct the name" });
  }
  const [width, height] = [pixelsOf(field(value, "width")), pixelsOf(field(value, "height"))];
  const isSized = width !== undefined && height !== undefined;
  if (!isSized && (isGiven(field(value, "width")) || isGiven(field(value, "height")))) {
    const came = [field(value, "width"), field(value, "height")];
    const remedy = "correct both, or remove both and the image's header is read";
    return bad("bad image size", where, { expected: `"width" and "height" in whole pixels`, came, remedy });
  }
  catalog.images.set(id, isSized ? [width, height] : undefined);
  return { type: "image", id, file: images.fileOf(name), ...(isSized ? { width, height } : {}) };
}

function addCategory(value: unknown, categories: Map<string, string>): void {
  if (!isDict(value)) return; // annotations that name it are noted
  const id = exactId(field(value, "id"));
  const name = field(value, "name");
  if (id !== undefined && typeof name === "string") categories.set(id, name);
}

function* annotationRecords(
  value: unknown,
  where: string,
  categories: ReadonlyMap<string, string>,
  catalog: Catalog,
): Generator<DatasetRecord> {
  if (!isDict(value)) return yield notARecord("an annotation {id, image_id, …}", value, where);
  const id = exactId(field(value, "id"));
  if (id === undefined) return yield bad("bad id", where, idComplaint("id", field(value, "id")));
  if (catalog.annotations.has(id)) {
    const remedy = "remove one of the two";
    return yield bad("duplicate annotation id", where, { expected: "an annotation id once", came: id, remedy });
  }
  const imageId = exactId(field(value, "image_id"));
  if (imageId === undefined) return yield bad("bad id", where, idComplaint("image_id", field(value, "image_id")));
  if (!catalog.images.has(imageId)) {
    const remedy = "add the image or remove the annotation";
    return yield bad("unknown image", where, { expected: `"image_id" to be one of "images"`, came: imageId, remedy });
  }
  const union = idsOf(field(value, "target_ids"));
  if (union !== undefined) {
    catalog.annotations.set(id, imageId);
    catalog.unions.set(id, union);
    return;
  }
  const parsed = parseSegmentation(field(value, "segmentation"));
  if ("complaint" in parsed) return yield bad("bad segmentation", where, parsed.complaint);
  const { segmentation } = parsed;
  const size = catalog.images.get(imageId);
  if (segmentation.kind === "rle" && size !== undefined) {
    const [height, width] = segmentation.size;
    if (height !== size[1] || width !== size[0]) {
      const expected = `run lengths of the image's size [${size[1]}, ${size[0]}]`;
      const remedy = "correct the image's size or the mask's";
      return yield bad("mask of another size", where, { expected, came: [height, width], remedy });
    }
  }
  for (const reason of parsed.notes) yield note(reason, where);
  const categoryId = field(value, "category_id") ?? field(value, "categories_id");
  const category = categories.get(exactId(categoryId) ?? "");
  if (category === undefined) yield note("unknown category", where);
  const given = boxOf(field(value, "bbox"));
  if (given === undefined && isGiven(field(value, "bbox"))) yield note("box of four numbers expected, left out", where);
  const box = given === undefined ? undefined : settledBox(given, value, parsed.box, size);
  const area = finite(field(value, "area"));
  const isCrowd = isTrue(field(value, "iscrowd"));
  catalog.annotations.set(id, imageId);
  if (isCrowd) catalog.crowds.add(id);
  if (parsed.unusable !== undefined) catalog.unusable.set(id, parsed.unusable);
  const record: AnnotationRecord = {
    type: "annotation",
    id,
    imageId,
    category: category ?? exactId(categoryId) ?? "",
    segmentation,
    isCrowd,
    ...(area === undefined || area < 0 ? {} : { area }),
    ...(box === undefined ? {} : { box }),
  };
  yield record;
}

/** A list of ids; undefined for anything else. */
function idsOf(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const ids = value.map(exactId);
  return ids.every((id) => id !== undefined) ? ids : undefined;
}

/**
 * RRSIS-D writes corners where COCO writes sides. Nothing in the file says so, so the reading that lies nearer to the
 * mask's own box is taken; only for masks in RRSIS-D's spelling (a list of run lengths, or `categories_id`).
 */
function settledBox(
  given: Box,
  annotation: Dict,
  maskBox: Box | undefined,
  size: readonly [width: number, height: number] | undefined,
): Box {
  const [x, y, right, bottom] = given;
  const corners: Box = [x, y, right - x, bottom - y];
  if (right < x || bottom < y) return given;
  if (maskBox !== undefined && maskBox[2] > 0)
    return distance(corners, maskBox) < distance(given, maskBox) ? corners : given;
  const isRrsis = field(annotation, "categories_id") !== undefined;
  const leaves = size !== undefined && (x + right > size[0] + 1 || y + bottom > size[1] + 1);
  return isRrsis && leaves ? corners : given;
}

function distance(a: Box, b: Box): number {
  return a.reduce((sum, side, i) => sum + Math.abs(side - (b[i] ?? 0)), 0);
}

function notARecord(expected: string, came: unknown, where: string): BadRecord {
  return bad("not a record", where, { expected, came, remedy: "correct or remove it" });
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === 1n;
}
