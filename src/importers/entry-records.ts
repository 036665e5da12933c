import { hashBytes } from "../io/index.ts";
import type { AnnotationRecord, BadRecord, DatasetRecord, ImageRecord } from "../model/index.ts";
import { absentRefId, existExpected, existsIn, numberedId } from "./existence.ts";
import { type BadReason, bad } from "./findings.ts";
import { targetComplaint } from "./segmentation.ts";
import { type Dict, exactId, field } from "./values.ts";

/** One ref with everything that belongs to it, as the formats with an entry a ref hold it. */
export interface Entry {
  readonly image: Omit<ImageRecord, "type">;
  /** The ref's targets; one whose id came before stands for the same object and is not streamed again. */
  readonly targets: readonly Omit<AnnotationRecord, "type" | "imageId">[];
  readonly refId: string;
  readonly split: string;
  readonly sentences: readonly EntrySentence[];
  /** The form of a target's segmentation that gives no mask, where there is one: the entry is bad. */
  readonly unusable?: string | undefined;
}

/** A sentence as found: `id` and `sent` are still unchecked. */
export interface EntrySentence {
  readonly id: unknown;
  readonly sent: unknown;
  readonly raw?: unknown;
  /** False where it is true of nothing in the image. */
  readonly exists?: boolean | undefined;
}

/** A sentence's dict as an entry's sentence; its id is its place where it gives none. */
export function entrySentence(sentence: Dict, index: number): EntrySentence {
  return {
    id: field(sentence, "sent_id") ?? index,
    sent: field(sentence, "sent") ?? field(sentence, "raw"),
    raw: field(sentence, "raw"),
    exists: existsIn(sentence),
  };
}

/** What earlier entries brought. */
export interface EntryState {
  readonly images: Map<
    string,
    { readonly width: number | undefined; readonly height: number | undefined; readonly hash: string }
  >;
  /** Image ids by annotation id. */
  readonly annotations: Map<string, string>;
  readonly refs: Set<string>;
}

/** The state before the first entry. */
export function newEntryState(): EntryState {
  return { images: new Map(), annotations: new Map(), refs: new Set() };
}

/**
 * The records of an entry in their order: the image where it is new, the targets where they are new, the ref, its
 * expressions. An entry that contradicts earlier ones gives one bad record; a bad sentence costs only itself.
 */
export function entryRecords(entry: Entry, where: string, state: EntryState): DatasetRecord[] {
  const { image, refId } = entry;
  const problem = findContradiction(entry, where, state);
  if (problem !== undefined) return [problem];
  const expressions = sentenceRecords(entry, where);
  if (!expressions.some((record) => record.type === "expression")) {
    const complaint = { expected: "a sentence or more", came: [], remedy: "remove the entry or write one" };
    return entry.sentences.length === 0 ? [bad("no sentences", where, complaint)] : expressions;
  }
  const found: DatasetRecord[] = [];
  if (!state.images.has(image.id)) {
    state.images.set(image.id, { width: image.width, height: image.height, hash: hashOf(image) });
    found.push({ type: "image", ...image });
  }
  for (const target of entry.targets) {
    if (state.annotations.has(target.id)) continue;
    state.annotations.set(target.id, image.id);
    found.push({ type: "annotation", imageId: image.id, ...target });
  }
  const annotationIds = [...new Set(entry.targets.map((target) => target.id))];
  for (const [id, targets] of [
    [refId, annotationIds],
    [absentRefId(refId), []],
  ] as const) {
    if (!expressions.some((record) => record.type === "expression" && record.refId === id)) continue;
    found.push({ type: "ref", id, imageId: image.id, annotationIds: targets, split: entry.split });
  }
  state.refs.add(refId);
  return [...found, ...expressions];
}

function findContradiction(entry: Entry, where: string, state: EntryState): BadRecord | undefined {
  const { image, refId } = entry;
  const complain = (reason: BadReason, expected: string, came: unknown, remedy: string): BadRecord =>
    bad(reason, where, { expected, came, remedy });
  if (entry.unusable !== undefined) return bad("target without a mask", where, targetComplaint(entry.unusable));
  if (state.refs.has(refId)) return complain("duplicate ref id", "a ref's id once", refId, "remove one of the two");
  const known = state.images.get(image.id);
  if (known !== undefined && known.hash !== hashOf(image)) {
    return complain(
      "image differs",
      `the bytes that came before for "${image.id}"`,
      image.bytes,
      "give different images different names",
    );
  }
  if (
    known?.width !== undefined &&
    image.width !== undefined &&
    (known.width !== image.width || known.height !== image.height)
  ) {
    const expected = `${known.width} × ${known.height} as before for "${image.id}"`;
    return complain("bad image size", expected, [image.width, image.height], "correct one of the two");
  }
  const stray = entry.targets.find((target) => (state.annotations.get(target.id) ?? image.id) !== image.id);
  if (stray === undefined) return undefined;
  const owner = state.annotations.get(stray.id);
  return complain(
    "annotation of another image",
    `an annotation of "${image.id}"`,
    `${stray.id} of "${owner}"`,
    "correct one of the two",
  );
}

function sentenceRecords(entry: Entry, where: string): DatasetRecord[] {
  const ids = new Set<string>();
  const absent = new Set<string>();
  return entry.sentences.map((sentence, index): DatasetRecord => {
    const place = `${where}, sentence ${index}`;
    const { sent } = sentence;
    const raw = sentence.raw ?? sent;
    const id = exactId(sentence.id);
    const complain = (reason: BadReason, expected: string, came: unknown): BadRecord =>
      bad(reason, place, { expected, came, remedy: "correct or remove the sentence" });
    if (typeof sent !== "string" || typeof raw !== "string")
      return complain("wrong type", "a sentence to be text", sent);
    if (sent.trim() === "") return complain("empty sentence", "a sentence", sent);
    if (id === undefined) return complain("bad id", "a sentence's id to be an integer or text", sentence.id);
    if ("exists" in sentence && sentence.exists === undefined) return complain("wrong type", existExpected, undefined);
    if (sentence.exists === false)
      return { type: "expression", id: numberedId(id, absent), refId: absentRefId(entry.refId), raw, sent };
    if (ids.has(id)) return complain("duplicate sentence id", "a sentence's id once in its ref", id);
    ids.add(id);
    return { type: "expression", id, refId: entry.refId, raw, sent };
  });
}

function hashOf(image: Entry["image"]): string {
  return image.bytes === undefined ? "" : hashBytes(image.bytes);
}
