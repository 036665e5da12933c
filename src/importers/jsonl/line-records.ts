import { hashJson } from "../../io/index.ts";
import type { DatasetRecord, Segmentation } from "../../model/index.ts";
import { bad, type NoteReason, note } from "../findings.ts";
import { emptyMaskComplaint, type ReadMask } from "../mask-file.ts";
import { type Line, type LineObject, LineProblem, parseExpression, parseLine } from "./line.ts";

/** What earlier lines said: sizes by image, annotation ids by content, ref ids, annotation ids. */
export interface LineState {
  readonly images: Map<string, Line["size"]>;
  readonly annotations: Map<string, string>;
  readonly annotationIds: Set<string>;
  readonly refs: Set<string>;
}

/** The state before the first line. */
export function newLineState(): LineState {
  return { images: new Map(), annotations: new Map(), annotationIds: new Set(), refs: new Set() };
}

/**
 * The records of one line: its image where it is new, its objects where they are new (equal category, segmentation and
 * box in one image are one object), the ref, its expressions. A line with a problem gives one bad record; a bad
 * expression costs only itself.
 */
export async function lineRecords(
  value: unknown,
  lineNumber: number,
  where: string,
  state: LineState,
  readMask: ReadMask,
  fileOf: (name: string) => string,
): Promise<DatasetRecord[]> {
  try {
    const line = parseLine(value);
    const refId = line.refId ?? String(lineNumber);
    if (state.refs.has(refId)) {
      throw new LineProblem("duplicate ref id", {
        expected: `"ref_id" once`,
        came: refId,
        remedy: "give each line its own, or none",
      });
    }
    const image = imageRecords(line, state, fileOf);
    const size = line.size ?? state.images.get(line.image);
    const targets = await Promise.all(line.targets.map((object) => settleMask(object, size, readMask)));
    const others = await Promise.all(line.others.map((object) => settleMask(object, size, readMask)));
    const expressions = expressionRecords(line, refId, where);
    if (!expressions.some((record) => record.type === "expression")) return expressions;
    // Nothing of the line was kept until here, so that a bad line leaves no trace.
    state.refs.add(refId);
    if (image.length > 0) state.images.set(line.image, line.size);
    const found: DatasetRecord[] = [...image];
    const isSingle = targets.length === 1;
    const annotationIds = targets.map((object, i) =>
      annotate(object, isSingle ? refId : `${refId}.${i}`, line.image, state, found),
    );
    for (const [i, object] of others.entries()) annotate(object, `${refId}+${i}`, line.image, state, found);
    found.push({
      type: "ref",
      id: refId,
      imageId: line.image,
      annotationIds: [...new Set(annotationIds)],
      split: line.split,
    });
    const notes = [...targets, ...others].flatMap((object) => object.notes).map((reason) => note(reason, where));
    return [...notes, ...found, ...expressions];
  } catch (error) {
    if (error instanceof LineProblem) return [bad(error.reason, where, error.complaint)];
    throw error;
  }
}

interface SettledObject extends LineObject {
  readonly segmentation: Segmentation;
  readonly notes: readonly NoteReason[];
}

function imageRecords(line: Line, state: LineState, fileOf: (name: string) => string): DatasetRecord[] {
  const { image, size } = line;
  if (!state.images.has(image)) {
    const sides = size === undefined ? {} : { width: size[0], height: size[1] };
    return [{ type: "image", id: image, file: fileOf(image), ...sides }];
  }
  const known = state.images.get(image);
  if (size === undefined || known === undefined || (known[0] === size[0] && known[1] === size[1])) return [];
  const complaint = {
    expected: `${known[0]} × ${known[1]} as an earlier line says`,
    came: size,
    remedy: "correct one of the two",
  };
  throw new LineProblem("bad image size", complaint);
}

async function settleMask(object: LineObject, size: Line["size"], readMask: ReadMask): Promise<SettledObject> {
  const { segmentation } = object;
  if (segmentation.kind !== "mask-file") return { ...object, segmentation: fitMask(segmentation, size), notes: [] };
  const mask = await readMask(segmentation.path);
  if ("complaint" in mask) throw new LineProblem("unreadable mask", mask.complaint);
  if (mask.isEmpty)
    throw new LineProblem("target without a mask", emptyMaskComplaint(`the mask "${segmentation.path}"`));
  return { ...object, segmentation: fitMask(mask.segmentation, size), notes: mask.notes };
}

function fitMask(mask: Segmentation, size: Line["size"]): Segmentation {
  if (mask.kind === "rle" && size !== undefined && (mask.size[0] !== size[1] || mask.size[1] !== size[0])) {
    const expected = `a mask of the image's size [${size[1]}, ${size[0]}]`;
    throw new LineProblem("mask of another size", {
      expected,
      came: mask.size,
      remedy: "correct the size or the mask",
    });
  }
  return mask;
}

function annotate(
  object: SettledObject,
  id: string,
  imageId: string,
  state: LineState,
  found: DatasetRecord[],
): string {
  const content = hashJson([imageId, object.category, object.segmentation, object.box ?? null]);
  const known = state.annotations.get(content);
  if (known !== undefined) return known;
  const free = freeId(id, state.annotationIds);
  state.annotations.set(content, free);
  state.annotationIds.add(free);
  const { category, segmentation, box } = object;
  const rest = box === undefined ? {} : { box };
  found.push({ type: "annotation", id: free, imageId, category, segmentation, isCrowd: false, ...rest });
  return free;
}

/** A ref may be called "7.0" where another's target already is. */
function freeId(id: string, taken: ReadonlySet<string>): string {
  let free = id;
  while (taken.has(free)) free += "'";
  return free;
}

function expressionRecords(line: Line, refId: string, where: string): DatasetRecord[] {
  const ids = new Set<string>();
  return line.expressions.map((value, index) => {
    const place = `${where}, expressions[${index}]`;
    try {
      const expression = parseExpression(value, index);
      if (ids.has(expression.id)) {
        const complaint = {
          expected: `"id" once in a line`,
          came: expression.id,
          remedy: "give each expression its own, or none",
        };
        return bad("duplicate sentence id", place, complaint);
      }
      ids.add(expression.id);
      return { type: "expression", id: expression.id, refId, raw: expression.raw, sent: expression.sent };
    } catch (error) {
      if (error instanceof LineProblem) return bad(error.reason, place, error.complaint);
      throw error;
    }
  });
}
