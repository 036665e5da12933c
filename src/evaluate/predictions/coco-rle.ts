/**
 * Predictions as COCO run lengths, one record a prediction:
 *
 *   {"sentence_id": 17, "segmentation": {"size": [height, width], "counts": "…"}, "score": 0.9, "no_target": false}
 *
 * in a .jsonl file (one record a line) or a .json file (a list of records, or an object that holds one under
 * "predictions" or "annotations"). Named by one of "key" (source/ref/sentence), "sentence_id" (or "sent_id"), "ref_id",
 * or "id" (which of the two, is found out); "source" narrows an id. "counts" are compressed text or a list of numbers.
 * "segmentation" may be missing or null where "no_target" is true. "score" and other members are not read.
 */
import { open } from "node:fs/promises";
import { readJsonArrays, readJsonLines, readJsonList } from "../../codecs/index.ts";
import { hashJson } from "../../io/index.ts";
import { type Rle, rleFromCounts, rleFromString, rleToString, rleUnion } from "../../kernels/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import { isObject } from "../read-text.ts";
import type { NamedId, PredictionEntry, PredictionSource, RawMask } from "./prediction.ts";

/** Reads predictions as COCO run lengths from a .jsonl or .json file. Errors: "bad-input", with file and record. */
export async function readCocoRlePredictions(path: string): Promise<PredictionSource> {
  const entries: PredictionEntry[] = [];
  for await (const { name, record } of recordsOf(path)) entries.push(entryOf(record, name));
  if (entries.length === 0) {
    fail("bad-input", `${path}: expected a list of records, or one under "predictions" or "annotations", got none`);
  }
  return { path, form: "coco-rle", entries, ignored: [], close: async () => undefined };
}

async function* recordsOf(path: string): AsyncGenerator<{ readonly name: string; readonly record: unknown }> {
  if (/\.jsonl$|\.ndjson$/i.test(path)) {
    for await (const { line, value } of readJsonLines(path)) yield { name: `${path}:${line}`, record: value };
    return;
  }
  const lists = (await isList(path)) ? readJsonList(path) : readJsonArrays(path, ["predictions", "annotations"]);
  for await (const { index, value } of lists) yield { name: `${path}, record ${index}`, record: value };
}

/** Whether a JSON file is a list: by its first character, so that a file of any size is read element by element. */
async function isList(path: string): Promise<boolean> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
    return buffer
      .toString("utf8", 0, bytesRead)
      .replace(/^\uFEFF/, "")
      .trimStart()
      .startsWith("[");
  } finally {
    await handle.close();
  }
}

function entryOf(record: unknown, name: string): PredictionEntry {
  if (!isObject(record))
    fail(
      "bad-input",
      `${name}: expected a record such as {"sentence_id": …, "segmentation": …}, got ${quoteValue(record)}`,
    );
  const id = idOf(record, name);
  const noTarget = record.no_target ?? undefined;
  if (noTarget !== undefined && typeof noTarget !== "boolean") {
    fail("bad-input", `${name}: expected "no_target" to be true or false, got ${quoteValue(noTarget)}`);
  }
  const segmentation = record.segmentation ?? undefined;
  if (segmentation === undefined && noTarget !== true) {
    fail("bad-input", `${name}: expected "segmentation", which only a record with "no_target": true may lack`);
  }
  return {
    name,
    id,
    read: async () => ({ mask: maskOf(segmentation, name), noTarget }),
    fingerprint: async () => hashJson({ mask: contentOf(maskOf(segmentation, name)), noTarget: noTarget ?? null }),
  };
}

function idOf(record: Readonly<Record<string, unknown>>, name: string): NamedId {
  const source = record.source === undefined || record.source === null ? undefined : String(record.source);
  const members = [
    ["key", "key"],
    ["sentence", "sentence_id"],
    ["sentence", "sent_id"],
    ["ref", "ref_id"],
    ["any", "id"],
  ] as const;
  for (const [by, member] of members) {
    const value = record[member];
    if (value === undefined || value === null) continue;
    if (typeof value !== "string" && !Number.isSafeInteger(value)) {
      fail("bad-input", `${name}: expected "${member}" to be text or a whole number, got ${quoteValue(value)}`);
    }
    return { by, id: String(value), source };
  }
  return fail(
    "bad-input",
    `${name}: expected one of "key", "sentence_id", "ref_id" or "id", got members ${Object.keys(record).join(", ")}`,
  );
}

function maskOf(segmentation: unknown, name: string): RawMask {
  if (segmentation === undefined) return { kind: "none" };
  if (!isObject(segmentation)) {
    fail(
      "bad-input",
      `${name}: expected "segmentation" to be run lengths {"size": [height, width], "counts": …}, got ${quoteValue(segmentation)}`,
    );
  }
  const size: readonly unknown[] = Array.isArray(segmentation.size) ? segmentation.size : [];
  const [height, width] = size;
  if (size.length !== 2 || typeof height !== "number" || typeof width !== "number") {
    fail("bad-input", `${name}: expected "size" to be [height, width], got ${quoteValue(segmentation.size)}`);
  }
  return { kind: "rle", mask: decodeCounts(segmentation.counts, height, width, name) };
}

/** Equal for equal masks, however their run lengths were written. */
function contentOf(mask: RawMask): readonly (string | number)[] | null {
  if (mask.kind !== "rle") return null;
  const { height, width } = mask.mask;
  return [height, width, rleToString(rleUnion([mask.mask], height, width))];
}

function decodeCounts(counts: unknown, height: number, width: number, name: string): Rle {
  if (typeof counts === "string" && /^b(['"]).*\1$/s.test(counts)) {
    fail("bad-input", `${name}: expected "counts" to be text, got Python's bytes printed: write counts.decode()`);
  }
  try {
    if (typeof counts === "string") return rleFromString(counts, height, width);
    if (Array.isArray(counts)) return rleFromCounts(counts, height, width);
  } catch (error) {
    if (error instanceof RangeError) fail("bad-input", `${name}: ${error.message}`, error);
    throw error;
  }
  return fail("bad-input", `${name}: expected "counts" to be text or a list of numbers, got ${quoteValue(counts)}`);
}
