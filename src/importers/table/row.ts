import { parseJson } from "../../codecs/index.ts";
import { hashBytes, hashJson } from "../../io/index.ts";
import { type DatasetRecord, NemosaicError } from "../../model/index.ts";
import { type Entry, type EntryState, entryRecords, newEntryState } from "../entry-records.ts";
import { absentRefId, existExpected, existsIn } from "../existence.ts";
import { type BadReason, bad, note } from "../findings.ts";
import { decodeMaskImage, emptyMaskComplaint, type ReadMask, type ReadMaskImage } from "../mask-file.ts";
import { parseSegmentation } from "../segmentation.ts";
import { boxOf, exactId, field, isDict, isInnerPath } from "../values.ts";
import { type Columns, cellOf } from "./columns.ts";
import type { TableRow } from "./rows.ts";

/** What earlier rows brought. */
export interface TableState {
  readonly entries: EntryState;
  /** Annotation ids by image and mask. */
  readonly known: Map<string, string>;
  /** What each ref said of its target, and how many sentences it has. */
  readonly refs: Map<string, { readonly content: string; readonly ids: Set<string> }>;
}

export function newTableState(): TableState {
  return { entries: newEntryState(), known: new Map(), refs: new Map() };
}

/** How rows are read. */
export interface RowReading {
  readonly columns: Columns;
  /** The split of rows that do not say. */
  readonly split: string;
  readonly state: TableState;
  readonly readMask: ReadMask;
  fileOf(name: string): string;
}

type Target = Omit<Entry["targets"][number], "id" | "category" | "isCrowd">;

/** The records of one row. */
export async function rowRecords(row: TableRow, reading: RowReading): Promise<DatasetRecord[]> {
  const { where } = row;
  const { columns, state } = reading;
  const complain = (reason: BadReason, expected: string, came: unknown, remedy: string): DatasetRecord[] => [
    bad(reason, where, { expected, came, remedy }),
  ];
  if ("error" in row) return complain("not a record", "a row that can be read", row.error, "correct the line");
  if (!isDict(row.value)) return complain("not a record", "a row of named cells", row.value, "correct or remove it");
  const value = row.value;
  const image = imageOf(cellOf(value, columns.image), reading);
  if (image === undefined) {
    const expected = `"${columns.image}" to be a path inside the images' folder, or an image {bytes, path}`;
    return complain("unsafe file name", expected, cellOf(value, columns.image), "correct the row");
  }
  const texts = textsOf(cellOf(value, columns.text));
  if (texts === undefined)
    return complain("wrong type", `"${columns.text}" to be text`, cellOf(value, columns.text), "correct the row");
  const exists = existsAt(cellOf(value, columns.exist));
  if (exists === undefined)
    return complain("wrong type", existExpected, cellOf(value, columns.exist), "correct the row");
  const mask = exists
    ? await targetOf(cellOf(value, columns.mask), columns.mask, where, reading)
    : { target: undefined, notes: [] };
  if ("type" in mask) return [mask];
  const box = boxOf(readList(cellOf(value, columns.bbox)));
  if (exists && mask.target === undefined && box !== undefined)
    return complain(
      "target without a mask",
      `"${columns.mask}" to hold a mask where "${columns.bbox}" holds a box`,
      undefined,
      "give the row a mask, or no box where its text means nothing",
    );
  const own = exactId(cellOf(value, columns.ref)) ?? `${reading.split}-${row.number}`;
  const refId = exists ? own : absentRefId(own);
  const given = exactId(cellOf(value, columns.sentence));
  const content = hashJson([image.id, mask.target?.segmentation ?? null]);
  const before = state.refs.get(refId);
  if (before !== undefined && before.content !== content) {
    const expected = `rows of ref "${refId}" to have one image and one mask`;
    return complain("contradictory target", expected, refId, "give each target a ref of its own");
  }
  const ids = before?.ids ?? new Set<string>();
  const sentences = texts.map((sent, i) => ({
    id: given === undefined ? String(ids.size + i) : texts.length === 1 ? given : `${given}.${i}`,
    sent,
  }));
  const taken = sentences.find(({ id }) => ids.has(id));
  if (taken !== undefined) {
    const remedy = "give each sentence its own id";
    return complain("duplicate sentence id", "a sentence's id once in its ref", taken.id, remedy);
  }
  const category = cellOf(value, columns.category);
  const split = cellOf(value, columns.split);
  const targetId = state.known.get(content) ?? refId;
  const targets =
    mask.target === undefined
      ? []
      : [
          {
            ...mask.target,
            id: targetId,
            category: typeof category === "string" ? category : (exactId(category) ?? ""),
            isCrowd: false,
            ...(box === undefined ? {} : { box }),
          },
        ];
  const entry: Entry = {
    image,
    targets,
    refId,
    split: typeof split === "string" && split.trim() !== "" ? split.trim() : reading.split,
    sentences,
    unusable: mask.unusable,
  };
  if (before !== undefined) state.entries.refs.delete(refId);
  const records = entryRecords(entry, where, state.entries);
  if (!records.some((record) => record.type === "expression")) return records;
  for (const { id } of sentences) ids.add(id);
  state.refs.set(refId, { content, ids });
  if (mask.target !== undefined) state.known.set(content, targetId);
  const isKnown = (record: DatasetRecord): boolean => before !== undefined && record.type === "ref";
  return [...mask.notes, ...records.filter((record) => !isKnown(record))];
}

/** Whether a row's text is true of its image, as R-RefCOCO says it: cells of CSV are text. Undefined for no answer. */
function existsAt(cell: unknown): boolean | undefined {
  if (typeof cell !== "string") return existsIn({ exist: cell });
  const answers: Readonly<Record<string, boolean>> = { "": true, true: true, "1": true, false: false, "0": false };
  const answer = cell.trim().toLowerCase();
  return Object.hasOwn(answers, answer) ? answers[answer] : undefined;
}

function imageOf(cell: unknown, { fileOf, state }: RowReading): Entry["image"] | undefined {
  if (typeof cell === "string") return isInnerPath(cell) ? { id: cell, file: fileOf(cell) } : undefined;
  const bytes = isDict(cell) ? field(cell, "bytes") : cell;
  const path = isDict(cell) ? field(cell, "path") : undefined;
  if (!(bytes instanceof Uint8Array) || bytes.length === 0)
    return typeof path === "string" && isInnerPath(path) ? { id: path, file: fileOf(path) } : undefined;
  const name = typeof path === "string" && isInnerPath(path) ? path : `${hashBytes(bytes).slice(0, 16)}.jpg`;
  // A copy: the reader's bytes are a view into a whole row group.
  return { id: name, file: name, bytes: state.entries.images.has(name) ? bytes : bytes.slice() };
}

function textsOf(cell: unknown): string[] | undefined {
  if (typeof cell === "string") return [cell];
  return Array.isArray(cell) && cell.every((text) => typeof text === "string") ? (cell as string[]) : undefined;
}

type ReadTarget = {
  readonly target: Target | undefined;
  readonly unusable?: string | undefined;
  readonly notes: readonly DatasetRecord[];
};

async function targetOf(
  cell: unknown,
  column: string,
  where: string,
  { readMask }: RowReading,
): Promise<ReadTarget | DatasetRecord> {
  const isEmpty = cell === undefined || cell === null || (typeof cell === "string" && cell.trim() === "");
  if (isEmpty) return { target: undefined, notes: [note("row without a mask taken as one that means nothing", where)] };
  const bytes = isDict(cell) && field(cell, "counts") === undefined ? field(cell, "bytes") : cell;
  if (bytes instanceof Uint8Array) {
    const read = await decodeMaskImage(bytes, `"${column}"`).catch((error: unknown) => {
      if (!(error instanceof NemosaicError)) throw error;
      return { complaint: { expected: "a readable mask", came: error, remedy: "correct the row" } };
    });
    return settleMask(read, column, where);
  }
  if (typeof cell === "string" && !/^\s*[[{]/.test(cell)) return settleMask(await readMask(cell.trim()), cell, where);
  const parsed = parseSegmentation(readList(cell));
  if ("complaint" in parsed) return bad("bad segmentation", where, parsed.complaint);
  const notes = parsed.notes.map((reason) => note(reason, where));
  return { target: { segmentation: parsed.segmentation }, unusable: parsed.unusable, notes };
}

function settleMask(
  read: ReadMaskImage | { readonly complaint: Parameters<typeof bad>[2] },
  name: string,
  where: string,
): ReadTarget | DatasetRecord {
  if ("complaint" in read) return bad("unreadable mask", where, read.complaint);
  if (read.isEmpty) return bad("target without a mask", where, emptyMaskComplaint(`the mask "${name}"`));
  return { target: { segmentation: read.segmentation }, notes: read.notes.map((reason) => note(reason, where)) };
}

/** JSON text as its value: cells of CSV are text. What is no JSON is returned as it is. */
function readList(cell: unknown): unknown {
  if (typeof cell !== "string") return cell;
  try {
    return parseJson(cell, "a cell");
  } catch (error) {
    if (error instanceof NemosaicError) return cell;
    throw error;
  }
}
