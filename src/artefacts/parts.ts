import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { exists, hashFile, onDisk, type Shard, shardText, temporaryMark, withLock } from "../io/index.ts";
import { fail } from "../model/index.ts";
import { firstIssue, wholeNumber } from "./manifest.ts";
import { partsFolder, type ShardFolder, shardFolders } from "./shard-folders.ts";

/** The shard that a part says it is. */
const shard = z.object({ index: wholeNumber(), count: wholeNumber(1) });

/** The half-open range of rows that a part holds. */
export const rowRange = z
  .tuple([wholeNumber(), wholeNumber()])
  .refine(([start, end]) => start <= end, "a start and an end that is not before it");

/**
 * The schema of a part's manifest: format, shard and what `shape` adds, usually the schema of the finished manifest without
 * what is known only when all parts are there.
 */
export function partSchema<F extends string, S extends z.ZodRawShape>(format: F, shape: S) {
  return z.object({ format: z.literal(format), shard, ...shape });
}

/** Reads a part's manifest. Errors: "bad-input" with the file, what is wrong in it and what to do; also where it is gone. */
export async function readPart<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const damaged = (why: string, cause?: unknown): never =>
    fail("bad-input", `"${path}" is damaged (${why}); remove its folder and run the shard again`, cause);
  const bytes = await readFile(path).catch((error: Error) => damaged("it cannot be read", error));
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    return damaged("no JSON, or cut short", error);
  }
  const result = schema.safeParse(value);
  return result.success ? result.data : damaged(firstIssue(result.error, value));
}

/** A part that was read, with its place. */
export type Part<T> = T & { readonly part: ShardFolder };

/**
 * Calls `work` with the parts that shards left in `folder`, in order, under the folder's lock, and removes them afterwards.
 * False where there are none. `files` are those without which a part is not finished; `read` reads one.
 * Errors: "incomplete" naming the shards that are missing; "locked"; those of `read` and `work`, which leave the parts.
 */
export async function withParts<T extends object>(
  folder: string,
  { files, read }: { readonly files: readonly string[]; readonly read: (part: ShardFolder) => Promise<T> },
  work: (parts: readonly [Part<T>, ...Part<T>[]]) => Promise<void>,
): Promise<boolean> {
  if (!(await exists(partsFolder(folder)))) return false;
  return withLock(folder, "merge", async () => {
    const isFinished = async ({ folder: place }: ShardFolder): Promise<boolean> =>
      (await Promise.all(files.map((file) => exists(join(place, file))))).every(Boolean);
    const found = await shardFolders(folder, isFinished);
    if (found === undefined) return false;
    const [first, ...others] = await Promise.all(found.map(async (part) => ({ ...(await read(part)), part })));
    await work([first ?? fail("internal", "no parts to merge"), ...others]);
    await removeParts(folder);
    return true;
  });
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
export async function requirePartHash(
  path: string,
  hash: string | undefined,
  from: { readonly shard: Shard },
): Promise<void> {
  const found = await hashFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
  if (found === undefined || found !== hash)
    fail(
      "checksum",
      `"${path}" is not what shard ${shardText(from.shard)} wrote; remove its folder and run the shard again`,
    );
}

/** Gone from their name at once: a merge that is killed here has nothing left to do. */
async function removeParts(folder: string): Promise<void> {
  const gone = `${partsFolder(folder)}${temporaryMark}merged`;
  await onDisk(folder, () => rename(partsFolder(folder), gone));
  await rm(gone, { recursive: true, force: true });
}
