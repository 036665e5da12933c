import type { BadRecord, NoteRecord } from "../model/index.ts";
import { quoteValue } from "../model/index.ts";

/** Why a record could not be understood: short fixed phrases, which a pool's manifest counts. */
export type BadReason =
  | "not a record"
  | "missing field"
  | "unknown field"
  | "wrong type"
  | "bad id"
  | "duplicate image id"
  | "duplicate annotation id"
  | "duplicate ref id"
  | "duplicate sentence id"
  | "unknown image"
  | "unknown annotation"
  | "annotation of another image"
  | "contradictory target"
  | "target without a mask"
  | "unsafe file name"
  | "bad image size"
  | "bad segmentation"
  | "mask of another size"
  | "unreadable mask"
  | "unreadable value"
  | "image differs"
  | "empty sentence"
  | "no sentences"
  | "not JSON";

/** What is left out, or taken in another sense than written, as the field does. */
export type NoteReason =
  | "polygon with fewer than 6 or an odd number of coordinates skipped"
  | "annotation without a usable segmentation"
  | "box of four numbers expected, left out"
  | "unknown category"
  | "sent_ids differ from sentences"
  | "iscrowd target skipped"
  | "ref of iscrowd targets only skipped"
  | "empty sentence skipped"
  | "ref without sentences skipped"
  | "row without a mask taken as one that means nothing"
  | "text read as Windows-1252, as the dataset's own program does"
  | "sentence that is no UTF-8 read as latin-1"
  | "mask in a lossy format (JPEG, WebP), cut at half its range";

/** What was expected, what came and what to do: the three parts of an error line beside its place. */
export interface Complaint {
  readonly expected: string;
  /** The offending value itself, quoted and cut; or the error that explains it, or `InWords`, which are not quoted. */
  readonly came: unknown;
  readonly remedy: string;
}

/** What came, in words of ours instead of the value. */
export class InWords {
  readonly words: string;

  constructor(words: string) {
    this.words = words;
  }
}

/** A bad record of a fixed reason; `where` names file and position. */
export function bad(reason: BadReason, where: string, complaint: Complaint): BadRecord {
  const { expected, came, remedy } = complaint;
  return { type: "bad", reason, where, message: `${where}: expected ${expected}, got ${quoteShort(came)}; ${remedy}` };
}

/** A note of a fixed reason. */
export function note(reason: NoteReason, where: string): NoteRecord {
  return { type: "note", reason, where };
}

/** Quotes what came on one line: `undefined` as "nothing", large and deep values cut before they are written out. */
function quoteShort(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value instanceof InWords) return value.words;
  if (value instanceof Error) return `an error: ${value.message.slice(0, 400).replaceAll(/\s+/g, " ")}`;
  return quoteValue(outlineValue(value, 3));
}

/** A JSON value that shows `value` down to `depth`; a pickle's graph may be deep, or hold itself. */
function outlineValue(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string") return value.slice(0, 100);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (depth === 0) return "…";
  if (Array.isArray(value)) return value.slice(0, 10).map((item) => outlineValue(item, depth - 1));
  const entries = value instanceof Map ? [...value].slice(0, 10) : Object.entries(value).slice(0, 10);
  return Object.fromEntries(
    entries.map(([name, item]) => [String(outlineValue(name, 0)), outlineValue(item, depth - 1)]),
  );
}
