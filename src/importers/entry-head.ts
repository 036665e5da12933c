import type { BadRecord } from "../model/index.ts";
import { bad } from "./findings.ts";
import { type Dict, exactId, field, idComplaint, isDict, isInnerPath } from "./values.ts";

/** How a format writes an entry, in words, and what it calls the entry's id and its image's file. */
export interface EntryKeys {
  readonly shape: string;
  readonly id: string;
  readonly file: string;
}

/** What every entry opens with. */
export interface EntryHead {
  readonly entry: Dict;
  readonly id: string;
  /** The path of its image inside the images' folder. */
  readonly file: string;
}

/** The head of an entry; a bad record where it is no object, or its id or its file cannot be used. */
export function entryHead(value: unknown, where: string, { shape, id, file }: EntryKeys): EntryHead | BadRecord {
  if (!isDict(value))
    return bad("not a record", where, { expected: shape, came: value, remedy: "correct or remove it" });
  const known = exactId(field(value, id));
  if (known === undefined) return bad("bad id", where, idComplaint(id, field(value, id)));
  const name = field(value, file);
  if (typeof name !== "string" || !isInnerPath(name)) {
    const expected = `"${file}" to be a path inside the images' folder`;
    return bad("unsafe file name", where, { expected, came: name, remedy: "correct the name" });
  }
  return { entry: value, id: known, file: name };
}
