import { readFile, rename, rm } from "node:fs/promises";
import { fail, NemosaicError, shown } from "../model/index.ts";
import { temporaryMark } from "./atomic.ts";
import { hashFile } from "./hash.ts";
import { onDisk } from "./on-disk.ts";
import { partsFolder, type Shard, type ShardFolder, shardText } from "./shards.ts";

/** Any JSON object of a part's file. */
export type PartTree = Readonly<Record<string, unknown>>;

/**
 * Reads what a shard says of its part: a JSON object that `read` takes apart, by the functions below. Errors: "bad-input"
 * with the file and what is wrong in it.
 */
export async function readPartFile<T>(path: string, read: (tree: PartTree) => T): Promise<T> {
  const damaged = (why: string, cause?: unknown): never =>
    fail("bad-input", `"${path}" is damaged (${why}); remove its folder and run the shard again`, cause);
  const bytes = await readFile(path).catch((error: Error) => damaged("it cannot be read", error));
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    return damaged("no JSON, or cut short", error);
  }
  try {
    return read(partTree(value, "its content"));
  } catch (error) {
    if (error instanceof NemosaicError && error.code === "bad-input") return damaged(error.message, error);
    throw error;
  }
}

/** Takes an object of a part's file. Errors, as those below: "bad-input" with `what`. */
export function partTree(value: unknown, what: string): PartTree {
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return value as PartTree;
  return wrong(what, "an object", value);
}

export function partList(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? value : wrong(what, "a list", value);
}

export function partText(value: unknown, what: string): string {
  return typeof value === "string" ? value : wrong(what, "text", value);
}

/** A SHA-256 in hex. */
export function partHash(value: unknown, what: string): string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value) ? value : wrong(what, "a SHA-256", value);
}

/** A whole number of `least` to `most`. */
export function partNumber(value: unknown, what: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most) return value;
  return wrong(what, `a whole number from ${least} to ${most}`, value);
}

/** The shard that the part says it is. */
export function partShard(value: unknown): Shard {
  const { index, count } = partTree(value, "shard");
  return { index: partNumber(index, "shard.index", 0), count: partNumber(count, "shard.count", 1) };
}

/** The half-open range of rows that the part says it holds. */
export function partRows(value: unknown): readonly [start: number, end: number] {
  const [start, end] = partList(value, "rows");
  const first = partNumber(start, "the first of rows", 0);
  return [first, partNumber(end, "the end of rows", first)];
}

/** Asserts that parts hold rows 0 up to `total`, each from where the one before ends. Errors: "bad-input". */
export function requireAllRows(
  parts: readonly { readonly part: ShardFolder; readonly rows: readonly [start: number, end: number] }[],
  total: number,
  what: string,
): void {
  let next = 0;
  for (const [at, { part, rows }] of parts.entries()) {
    const [start, end] = rows;
    const isLast = at === parts.length - 1;
    if (start !== next || end < start || end > total || (isLast && end !== total))
      fail(
        "bad-input",
        `expected ${what} from ${next}${isLast ? ` to ${total}` : " on"} in "${part.folder}", got ${start} to ${end}; remove that folder and run the shard again`,
      );
    next = end;
  }
}

/** Asserts that a file of a part is what its shard wrote. Errors: "checksum". */
export async function requirePartHash(path: string, hash: unknown, { shard }: ShardFolder): Promise<void> {
  const found = await hashFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
  if (found !== hash)
    fail(
      "checksum",
      `"${path}" is not what shard ${shardText(shard)} wrote; remove its folder and run the shard again`,
    );
}

/** Removes the merged parts of the work in `folder`, gone from their name at once: a merge killed here has nothing left to do. */
export async function removeParts(folder: string): Promise<void> {
  const gone = `${partsFolder(folder)}${temporaryMark}merged`;
  await onDisk(folder, () => rename(partsFolder(folder), gone));
  await rm(gone, { recursive: true, force: true });
}

function wrong(what: string, expected: string, value: unknown): never {
  return fail("bad-input", `expected ${expected} for ${what}, got ${shown(value)}`);
}
