import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { npyHeader } from "../../codecs/index.ts";
import {
  exists,
  hashFile,
  onDisk,
  openAtomic,
  partsFolder,
  producer,
  requireSameRun,
  type Shard,
  type ShardFolder,
  shardFolders,
  shardText,
  temporaryMark,
  withLock,
  writeFileAtomic,
} from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { distinctTexts, embeddingsVersion, partFormat } from "./embed.ts";
import type { SkippedRow } from "./partial-rows.ts";

type Kind = "images" | "expressions";

interface Part {
  readonly part: ShardFolder;
  readonly said: Shard;
  readonly rows: readonly [start: number, end: number];
  readonly key: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hash: string;
  readonly skipped: readonly SkippedRow[];
}

/**
 * Joins the parts that shards of `embedSources` left in `folder` to the bytes that one run would give, and removes
 * them. `texts` are the rows of `expressions.npy`. False where there are no parts. Run again, it does nothing, or goes
 * on where it was killed. Errors: "incomplete" for missing shards, by name; "bad-input" for parts of different settings,
 * for a shard that is there twice, and for texts that are not those of the parts; "checksum"; "locked".
 */
export async function mergeEmbeddings(folder: string, texts: readonly string[]): Promise<boolean> {
  if (!(await exists(partsFolder(folder)))) return false;
  return withLock(folder, "merge", async () => {
    const found = await shardFolders(folder, async (part) => {
      const files = ["images.json", "images.npy", "expressions.json", "expressions.npy"];
      return (await Promise.all(files.map((name) => exists(join(part.folder, name))))).every(Boolean);
    });
    if (found === undefined) return false;
    await mergeMatrix(folder, found, "images");
    await mergeMatrix(folder, found, "expressions", texts);
    // Gone from its name at once: a merge that is killed from here on has nothing left to do.
    const gone = `${partsFolder(folder)}${temporaryMark}merged`;
    await onDisk(folder, () => rename(partsFolder(folder), gone));
    await rm(gone, { recursive: true, force: true });
    return true;
  });
}

async function mergeMatrix(
  folder: string,
  found: readonly ShardFolder[],
  kind: Kind,
  texts?: readonly string[],
): Promise<void> {
  const parts = await Promise.all(found.map((part) => readPart(part, kind)));
  requireSameRun(parts);
  const [first] = parts;
  if (first === undefined) fail("internal", "no parts to merge");
  const { facts, key } = first;
  const dimension = Number(facts.dimension);
  const rows = parts.at(-1)?.rows[1] ?? 0;
  parts.forEach(({ part, rows: [start, end] }, at) => {
    if (start !== (parts[at - 1]?.rows[1] ?? 0) || end < start)
      fail(
        "bad-input",
        `expected rows that follow the part before in "${part.folder}/${kind}.json", got ${start} to ${end}`,
      );
  });
  const order = texts === undefined ? undefined : distinctTexts(texts);
  if ((order?.distinct.length ?? Number(facts.count)) !== rows || (order?.order.length ?? rows) !== facts.count)
    fail("bad-input", `expected the parts in "${partsFolder(folder)}" to be of this pool's ${kind}; embed again`);
  const path = join(folder, `${kind}.npy`);
  await rm(join(folder, `${kind}.json`), { force: true });
  const joined = await openAtomic(path);
  try {
    await joined.write(npyHeader("float32", [rows, dimension]));
    for (const { part, rows: range, hash } of parts) await appendRows(joined, part, kind, range, dimension, hash);
    if (order === undefined) await joined.commit();
    else await writeOrdered(path, joined.handle, order.order, rows, dimension);
  } finally {
    await joined.abort();
  }
  const skipped = parts.flatMap((part) => part.skipped);
  const manifest = { ...facts, producer, key, hash: await hashFile(path), skipped };
  await writeFileAtomic(join(folder, `${kind}.json`), `${JSON.stringify(manifest, undefined, 1)}\n`);
}

async function appendRows(
  joined: { write(bytes: Uint8Array): Promise<void> },
  part: ShardFolder,
  kind: Kind,
  [start, end]: readonly [number, number],
  dimension: number,
  hash: string,
): Promise<void> {
  const path = join(part.folder, `${kind}.npy`);
  if ((await hashFile(path)) !== hash)
    fail(
      "checksum",
      `"${path}" is not what shard ${shardText(part.shard)} wrote; remove its folder and run the shard again`,
    );
  const header = npyHeader("float32", [end - start, dimension]).length;
  const handle = await open(path, "r");
  try {
    const block = new Uint8Array(4 << 20);
    for (let at = header; ; ) {
      const { bytesRead } = await handle.read(block, 0, block.length, at);
      if (bytesRead === 0) break;
      await joined.write(block.slice(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/** Row i of the matrix is row order[i] of what was joined. */
async function writeOrdered(
  path: string,
  joined: Awaited<ReturnType<typeof open>>,
  order: Int32Array,
  rows: number,
  dimension: number,
): Promise<void> {
  const start = npyHeader("float32", [rows, dimension]).length;
  const rowBytes = dimension * 4;
  const file = await openAtomic(path);
  try {
    await file.write(npyHeader("float32", [order.length, dimension]));
    const rowsAtOnce = Math.max(1, Math.floor((4 << 20) / rowBytes));
    for (let from = 0; from < order.length; from += rowsAtOnce) {
      const some = order.subarray(from, from + rowsAtOnce);
      const block = new Uint8Array(some.length * rowBytes);
      for (const [at, row] of some.entries()) await joined.read(block, at * rowBytes, rowBytes, start + row * rowBytes);
      await file.write(block);
    }
    await file.commit();
  } finally {
    await file.abort();
  }
}

async function readPart(part: ShardFolder, kind: Kind): Promise<Part> {
  const path = join(part.folder, `${kind}.json`);
  try {
    const value = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    if (value.format !== partFormat || value.version !== embeddingsVersion) throw new TypeError("another format");
    const { index, count } = value.shard as Record<string, unknown>;
    const [start, end] = value.rows as unknown[];
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) throw new TypeError("no range of rows");
    if (typeof value.key !== "string" || typeof value.hash !== "string") throw new TypeError("no key or hash");
    if (value.settings === null || typeof value.settings !== "object") throw new TypeError("no settings");
    return {
      part,
      said: { index: Number(index), count: Number(count) },
      rows: [start as number, end as number],
      key: value.key,
      facts: value.settings as Record<string, unknown>,
      hash: value.hash,
      skipped: Array.isArray(value.skipped) ? (value.skipped as SkippedRow[]) : [],
    };
  } catch (error) {
    return fail(
      "bad-input",
      `"${path}" is damaged (${(error as Error).message}); remove its folder and run the shard again`,
      error,
    );
  }
}
