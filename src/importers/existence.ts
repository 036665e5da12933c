/**
 * Robust referring segmentation (R-RefCOCO, R-RefCOCO+, R-RefCOCOg) adds sentences to a ref that are true of nothing in
 * its image, and marks each with `exist: false`. Their mask is empty, so they are no expressions of the ref's target.
 */
import { type Dict, field } from "./values.ts";

/** What `existsIn` asks for, in words. */
export const existExpected = `"exist" to be true or false`;

/** Whether a sentence says that its target is in the image: true where it says nothing; undefined where it is no answer. */
export function existsIn(sentence: Dict): boolean | undefined {
  const exist = field(sentence, "exist");
  if (exist === undefined || exist === null || exist === true || exist === 1 || exist === 1n) return true;
  return exist === false || exist === 0 || exist === 0n ? false : undefined;
}

/** The id of the ref that gathers a ref's sentences about nothing in the image. */
export function absentRefId(refId: string): string {
  return `${refId}:no-target`;
}

/**
 * An id that is new among `taken` (which learns it): such sentences are derived from others and may share their ids.
 * "7", "7.1", "7.2", …
 */
export function numberedId(id: string, taken: Set<string>): string {
  let free = id;
  for (let n = 1; taken.has(free); n++) free = `${id}.${n}`;
  taken.add(free);
  return free;
}
