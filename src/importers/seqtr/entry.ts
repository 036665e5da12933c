import { cocoCategory } from "../../codecs/index.ts";
import { hashJson } from "../../io/index.ts";
import type { BadRecord, DatasetRecord } from "../../model/index.ts";
import { type Entry, type EntrySentence, type EntryState, entryRecords, entrySentence } from "../entry-records.ts";
import { existsIn } from "../existence.ts";
import { type BadReason, bad, InWords, note } from "../findings.ts";
import { parseSegmentation } from "../segmentation.ts";
import { boxOf, type Dict, exactId, field, finite, idComplaint, isDict, pixelsOf } from "../values.ts";

/** Where an entry stands, and what the ones before it brought. */
export interface EntryPlace {
  readonly where: string;
  readonly refId: string;
  readonly split: string;
  readonly state: EntryState;
  /** Annotation ids by image and segmentation: the targets of entries of GRES. */
  readonly known: Map<string, string>;
  /** The image's file; undefined where the entry names an unsafe one. */
  fileOf(entry: Dict, imageId: string): string | undefined;
}

type Targets = Pick<Entry, "targets" | "unusable"> & { readonly notes: readonly DatasetRecord[] };

/** The records of one entry of SeqTR's, or of GRES. */
export function* seqtrRecords(value: unknown, place: EntryPlace): Generator<DatasetRecord> {
  const { where, refId, split, state } = place;
  const complain = (reason: BadReason, expected: string, came: unknown, remedy: string): BadRecord =>
    bad(reason, where, { expected, came, remedy });
  if (!isDict(value)) {
    return yield complain("not a record", "an entry {image_id, expressions, mask, …}", value, "correct or remove it");
  }
  const imageId = exactId(field(value, "image_id"));
  if (imageId === undefined || /[/\\\0]/.test(imageId)) {
    return yield bad("bad id", where, idComplaint("image_id", field(value, "image_id")));
  }
  const file = place.fileOf(value, imageId);
  if (file === undefined) {
    const expected = `"file_name" to be a path inside the images' folder`;
    return yield complain("unsafe file name", expected, field(value, "file_name"), "correct the name");
  }
  const listed = sentencesOf(field(value, "expressions"));
  if (listed === undefined) {
    const expected = `"expressions" to be a list of texts, or {raw: text or a list}`;
    return yield complain("wrong type", expected, field(value, "expressions"), "correct the entry");
  }
  // As R-RefCOCO marks a sentence that is true of nothing: on the entry, or beside its sentence.
  const exists = existsIn(value);
  const sentences = exists === true ? listed : listed.map((sentence) => ({ ...sentence, exists }));
  const [width, height] = [pixelsOf(field(value, "width")), pixelsOf(field(value, "height"))];
  const size = width !== undefined && height !== undefined ? { width, height } : undefined;
  const found = isGres(value) ? gresTargets(value, imageId, size, place) : seqtrTargets(value, size, place);
  if ("type" in found) return yield found;
  const { targets, unusable, notes } = found;
  const image = { id: imageId, file, ...size };
  const records = entryRecords({ image, targets, refId, split, sentences, unusable }, where, state);
  if (records.some((record) => record.type === "ref")) yield* notes;
  yield* records;
}

function isGres(entry: Dict): boolean {
  return field(entry, "mask") === undefined && Array.isArray(field(entry, "annotations"));
}

/** The expressions' texts: a list of them, or of GRES {raw, sent?} whose members are a text or a list. */
function sentencesOf(expressions: unknown): EntrySentence[] | undefined {
  if (Array.isArray(expressions))
    return expressions.map((item: unknown, id) => (isDict(item) ? entrySentence(item, id) : { id, sent: item }));
  if (!isDict(expressions)) return undefined;
  const listed = (name: string): readonly unknown[] | undefined => {
    const value = field(expressions, name);
    if (Array.isArray(value)) return value;
    return typeof value === "string" ? [value] : undefined;
  };
  const raw = listed("raw");
  const sent = listed("sent") ?? raw;
  if (sent === undefined || (raw !== undefined && raw.length !== sent.length)) return undefined;
  const exists = existsIn(expressions);
  return sent.map((text, id) => ({ id, sent: text, raw: raw?.[id], exists }));
}

type Size = { readonly width: number; readonly height: number } | undefined;

function seqtrTargets(entry: Dict, size: Size, { where, refId }: EntryPlace): Targets | BadRecord {
  const read = readTarget(entry, "mask", refId, size, where);
  if ("type" in read) return read;
  const { target, unusable, notes } = read;
  const noBox = target.box === undefined ? [note("box of four numbers expected, left out", where)] : [];
  return { targets: [target], unusable, notes: [...notes, ...noBox] };
}

function gresTargets(entry: Dict, imageId: string, size: Size, place: EntryPlace): Targets | BadRecord {
  const { where, refId, known } = place;
  const listed = field(entry, "annotations") as readonly unknown[];
  const meant = listed.filter(isMeant);
  if (meant.length === 0) return { targets: [], unusable: undefined, notes: [] };
  if (meant.length < listed.length) {
    const came = new InWords(`${listed.length - meant.length} of ${listed.length} without box and segmentation`);
    const expected = `"annotations" of targets, or none with a box or a segmentation where nothing is meant`;
    return bad("contradictory target", where, { expected, came, remedy: "correct the entry" });
  }
  const targets: Entry["targets"][number][] = [];
  const notes: DatasetRecord[] = [];
  let unusable: string | undefined;
  for (const [i, annotation] of meant.entries()) {
    const read = readTarget(annotation, "segmentation", `${refId}.${i}`, size, `${where}, annotations[${i}]`);
    if ("type" in read) return read;
    const content = hashJson([imageId, read.target.category, read.target.segmentation]);
    const id = known.get(content) ?? read.target.id;
    if (read.unusable === undefined) known.set(content, id);
    unusable ??= read.unusable;
    targets.push({ ...read.target, id });
    notes.push(...read.notes);
  }
  return { targets, unusable, notes };
}

/** GRES says "nothing" as an annotation whose box and segmentation are null, empty or not there. */
function isMeant(annotation: unknown): boolean {
  if (!isDict(annotation)) return annotation !== null && annotation !== -1;
  return ["bbox", "segmentation"].some((name) => {
    const value = field(annotation, name);
    return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
  });
}

type ReadTarget = {
  readonly target: Entry["targets"][number];
  readonly unusable: string | undefined;
  readonly notes: readonly DatasetRecord[];
};

function readTarget(value: unknown, mask: string, id: string, size: Size, where: string): ReadTarget | BadRecord {
  if (!isDict(value)) {
    const complaint = { expected: "an annotation {bbox, segmentation}", came: value, remedy: "correct the entry" };
    return bad("not a record", where, complaint);
  }
  const parsed = parseSegmentation(field(value, mask));
  if ("complaint" in parsed) return bad("bad segmentation", where, parsed.complaint);
  const { segmentation, unusable } = parsed;
  if (segmentation.kind === "rle" && size !== undefined && differs(segmentation.size, size)) {
    const expected = `run lengths of the image's size [${size.height}, ${size.width}]`;
    const remedy = "correct the size or the mask";
    return bad("mask of another size", where, { expected, came: segmentation.size, remedy });
  }
  const [box, area] = [boxOf(field(value, "bbox")), finite(field(value, "area"))];
  const [categoryId, name] = [field(value, "category_id"), field(value, "category")];
  const target = {
    id,
    category: typeof name === "string" ? name : (cocoCategory(categoryId) ?? exactId(categoryId) ?? ""),
    segmentation,
    isCrowd: false,
    ...(box === undefined ? {} : { box }),
    ...(area === undefined ? {} : { area }),
  };
  return { target, unusable, notes: parsed.notes.map((reason) => note(reason, where)) };
}

function differs([height, width]: readonly [number, number], size: NonNullable<Size>): boolean {
  return height !== size.height || width !== size.width;
}
