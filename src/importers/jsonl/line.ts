import type { Box, Segmentation } from "../../model/index.ts";
import { nearest } from "../../model/index.ts";
import type { BadReason, Complaint } from "../findings.ts";
import { parseSegmentation, targetComplaint } from "../segmentation.ts";
import { boxOf, type Dict, exactId, field, fieldNames, isDict, isInnerPath, pixelsOf } from "../values.ts";

/** An object of an image as a line gives it; a mask file is named, not yet read. */
export interface LineObject {
  readonly category: string;
  readonly segmentation: Segmentation | { readonly kind: "mask-file"; readonly path: string };
  readonly box?: Box;
}

/** One line of the plain format, understood. */
export interface Line {
  readonly image: string;
  readonly size: readonly [width: number, height: number] | undefined;
  readonly refId: string | undefined;
  readonly split: string;
  /** Several: multi-target; none: no target. */
  readonly targets: readonly LineObject[];
  /** Objects that the expressions do not mean. */
  readonly others: readonly LineObject[];
  /** Not empty; each expression is still unchecked. */
  readonly expressions: readonly unknown[];
}

/** Why a line, or a part of it, cannot be used. */
export class LineProblem extends Error {
  readonly reason: BadReason;
  readonly complaint: Complaint;

  constructor(reason: BadReason, complaint: Complaint) {
    super(reason);
    this.reason = reason;
    this.complaint = complaint;
  }
}

const lineKeys = [
  "image",
  "ref_id",
  "category",
  "expressions",
  "segmentation",
  "bbox",
  "split",
  "width",
  "height",
  "objects",
];
const objectKeys = ["category", "segmentation", "bbox"];

/** Reads one line's value by docs/formats/jsonl.md. Throws a LineProblem. */
export function parseLine(value: unknown): Line {
  if (!isDict(value))
    throw problem("not a record", "a JSON object {image, expressions, segmentation, …}", value, "correct the line");
  checkKeys(value, lineKeys, "a line");
  const image = field(value, "image");
  if (image === undefined) throw problem("missing field", `"image"`, undefined, "name the image's file");
  if (typeof image !== "string" || !isInnerPath(image)) {
    throw problem(
      "unsafe file name",
      `"image" to be a path inside the images' folder, with "/"`,
      image,
      "correct the name",
    );
  }
  const given = field(value, "ref_id");
  const refId = given === undefined ? undefined : exactId(given);
  if (given !== undefined && refId === undefined)
    throw problem("bad id", `"ref_id" to be an integer or text`, given, "correct or remove it");
  return {
    image,
    size: sizeOf(value),
    refId,
    split: splitOf(value),
    targets: targetsOf(value),
    others: othersOf(value),
    expressions: expressionsOf(value),
  };
}

/** One expression of a line: text, or {sent, raw?, id?}; its id where none is given is its place in the list. */
export function parseExpression(value: unknown, index: number): { id: string; sent: string; raw: string } {
  const remedy = "correct or remove the expression";
  if (isDict(value)) checkKeys(value, ["sent", "raw", "id"], "an expression");
  const sent = isDict(value) ? field(value, "sent") : value;
  const raw = isDict(value) ? (field(value, "raw") ?? sent) : value;
  if (typeof sent !== "string" || typeof raw !== "string")
    throw problem("wrong type", "text, or {sent, raw, id}", value, remedy);
  if (sent.trim() === "") throw problem("empty sentence", "an expression", sent, "remove it or write one");
  const given = isDict(value) ? field(value, "id") : undefined;
  const id = given === undefined ? String(index) : exactId(given);
  if (id === undefined) throw problem("bad id", `"id" to be an integer or text`, given, "correct or remove it");
  return { id, sent, raw };
}

function sizeOf(line: Dict): Line["size"] {
  const given = [field(line, "width"), field(line, "height")];
  if (given.every((side) => side === undefined)) return undefined;
  const [width, height] = given.map(pixelsOf);
  if (width !== undefined && height !== undefined) return [width, height];
  throw problem("bad image size", `"width" and "height" in whole pixels`, given, "give both or neither");
}

function splitOf(line: Dict): string {
  const split = field(line, "split") ?? "train";
  if (typeof split === "string" && split !== "") return split;
  throw problem("wrong type", `"split" to be text such as "train"`, split, "correct or remove it");
}

function expressionsOf(line: Dict): readonly unknown[] {
  const expressions = field(line, "expressions");
  if (expressions === undefined) throw problem("missing field", `"expressions"`, undefined, "write a list of texts");
  if (typeof expressions === "string") {
    throw problem("wrong type", `"expressions" to be a list of texts`, expressions, "put the text into [ ]");
  }
  if (!Array.isArray(expressions))
    throw problem("wrong type", `"expressions" to be a list of texts`, expressions, "correct the line");
  if (expressions.length > 0) return expressions as readonly unknown[];
  throw problem("no sentences", "an expression or more", expressions, "remove the line or write one");
}

/**
 * "segmentation" of a line: null means that nothing is meant; a list that holds anything but lists of numbers is one
 * segmentation a target; anything else is a single target.
 */
function targetsOf(line: Dict): LineObject[] {
  const value = field(line, "segmentation");
  const [category, box] = [field(line, "category"), field(line, "bbox")];
  if (value === null) {
    if (box === undefined || box === null) return [];
    throw problem(
      "contradictory target",
      `no "bbox" beside "segmentation": null (no target)`,
      box,
      "remove one of the two",
    );
  }
  if (!Array.isArray(value) || value.every(isFlatList)) return [objectOf(value, category, box)];
  const categories = perTarget(
    category,
    value.length,
    "category",
    typeof category === "string" || category === undefined,
  );
  const boxes = perTarget(box, value.length, "bbox", box === undefined);
  return value.map((target: unknown, index) => {
    if (target !== null) return objectOf(target, categories[index], boxes[index]);
    throw problem("bad segmentation", "a segmentation for each target", target, "leave the target out of the list");
  });
}

function othersOf(line: Dict): LineObject[] {
  const objects = field(line, "objects") ?? [];
  if (!Array.isArray(objects))
    throw problem(
      "wrong type",
      `"objects" to be a list of {category, segmentation, bbox}`,
      objects,
      "correct the line",
    );
  return objects.map((value: unknown) => {
    if (!isDict(value))
      throw problem("wrong type", `"objects" to hold {category, segmentation, bbox}`, value, "correct the line");
    checkKeys(value, objectKeys, "an object");
    return objectOf(field(value, "segmentation"), field(value, "category"), field(value, "bbox"));
  });
}

function objectOf(segmentation: unknown, category: unknown, bbox: unknown): LineObject {
  if (category !== undefined && typeof category !== "string") {
    throw problem("wrong type", `"category" to be text`, category, "correct or remove it");
  }
  const hasBox = bbox !== undefined && bbox !== null;
  const box = hasBox ? boxOf(bbox) : undefined;
  if (hasBox && box === undefined)
    throw problem("wrong type", `"bbox" to be [x, y, width, height]`, bbox, "correct or remove it");
  const rest = { category: category ?? "", ...(box === undefined ? {} : { box }) };
  if (segmentation === undefined || segmentation === null) {
    if (box !== undefined) return { ...rest, segmentation: { kind: "none" } };
    throw problem("missing field", `"segmentation"`, undefined, "give one; null in a line says that nothing is meant");
  }
  if (typeof segmentation === "string") return { ...rest, segmentation: { kind: "mask-file", path: segmentation } };
  const isBare = Array.isArray(segmentation) && typeof segmentation[0] === "number";
  if (isBare)
    throw problem("bad segmentation", "a list of polygons [[x0, y0, …], …]", segmentation, "put the polygon into [ ]");
  const parsed = parseSegmentation(segmentation);
  if ("complaint" in parsed) throw new LineProblem("bad segmentation", parsed.complaint);
  if (parsed.unusable !== undefined)
    throw new LineProblem("bad segmentation", {
      ...targetComplaint(parsed.unusable, "an object"),
      remedy: "correct it (for an expression without a target write null)",
    });
  if (parsed.notes.length === 0) return { ...rest, segmentation: parsed.segmentation };
  const expected = "polygons of 6 coordinates or more, an even number each";
  throw problem("bad segmentation", expected, segmentation, "correct it");
}

function perTarget(value: unknown, count: number, name: string, isShared: boolean): unknown[] {
  if (isShared) return new Array(count).fill(value);
  if (Array.isArray(value) && value.length === count) return value as unknown[];
  throw problem("wrong type", `"${name}" to be a list of ${count}, one a target`, value, "correct or remove it");
}

/** Polygons are lists of numbers; an empty list counts, so that it is told apart from a list of targets. */
function isFlatList(value: unknown): boolean {
  return typeof value === "number" || (Array.isArray(value) && value.every((item) => typeof item === "number"));
}

function checkKeys(value: Dict, known: readonly string[], what: string): void {
  const unknown = fieldNames(value).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  const remedy = near === undefined ? "remove it" : `did you mean "${near}"?`;
  throw problem("unknown field", `the keys of ${what} to be ${known.join(", ")}`, unknown, remedy);
}

function problem(reason: BadReason, expected: string, came: unknown, remedy: string): LineProblem {
  return new LineProblem(reason, { expected, came, remedy });
}
