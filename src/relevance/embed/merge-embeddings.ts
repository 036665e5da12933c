import { type FileHandle, rm } from "node:fs/promises";
import { join } from "node:path";
import { NpyReader, npyHeader } from "../../codecs/index.ts";
import {
  exists,
  hashFile,
  openAtomic,
  partHash,
  partList,
  partNumber,
  partRows,
  partShard,
  partsFolder,
  partText,
  partTree,
  producer,
  readPartFile,
  removeParts,
  requireAllRows,
  requirePartHash,
  requireSameRun,
  type Shard,
  type ShardFolder,
  shardFolders,
  withLock,
  writeFileAtomic,
} from "../../io/index.ts";
import { fail, shown } from "../../model/index.ts";
import { distinctTexts, embeddingsKey, embeddingsVersion, partFormat, readFinished } from "./embed.ts";
import type { SkippedRow } from "./partial-rows.ts";

type Kind = "images" | "expressions";

interface Part {
  readonly part: ShardFolder;
  readonly said: Shard;
  readonly rows: readonly [start: number, end: number];
  readonly key: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly dimension: number;
  readonly count: number;
  readonly hash: string;
  readonly skipped: readonly SkippedRow[];
}

/**
 * Joins the parts that shards of `embedSources` left in `folder` to the bytes that one run would give, and removes
 * them. `texts` are the rows of `expressions.npy`. False where there are no parts. Run again, it does nothing, or goes
 * on where it was killed. Errors: "incomplete" for missing shards, by name; "bad-input" for parts of different settings,
 * for a shard that is there twice, and for texts that are not those of the parts; "exists" for finished vectors of other
 * inputs or settings without `force`; "checksum"; "locked".
 */
export async function mergeEmbeddings(
  folder: string,
  texts: readonly string[],
  { force }: { readonly force: boolean },
): Promise<boolean> {
  if (!(await exists(partsFolder(folder)))) return false;
  return withLock(folder, "merge", async () => {
    const found = await shardFolders(folder, async (part) => {
      const files = ["images.json", "images.npy", "expressions.json", "expressions.npy"];
      return (await Promise.all(files.map((name) => exists(join(part.folder, name))))).every(Boolean);
    });
    if (found === undefined) return false;
    const images = await partsOf(folder, found, "images", force);
    const expressions = await partsOf(folder, found, "expressions", force);
    await mergeMatrix(folder, images, "images");
    await mergeMatrix(folder, expressions, "expressions", texts);
    await removeParts(folder);
    return true;
  });
}

async function partsOf(
  folder: string,
  found: readonly ShardFolder[],
  kind: Kind,
  force: boolean,
): Promise<readonly [Part, ...Part[]]> {
  const [first, ...others] = await Promise.all(found.map((part) => readPart(part, kind)));
  if (first === undefined) fail("internal", "no parts to merge");
  requireSameRun([first, ...others]);
  const path = join(folder, `${kind}.npy`);
  const finished = force ? undefined : await readFinished(path, join(folder, `${kind}.json`));
  if (finished !== undefined && finished.key !== first.key)
    fail("exists", `"${path}" holds vectors of other inputs or settings beside the parts. Use --force to replace them`);
  return [first, ...others];
}

async function mergeMatrix(
  folder: string,
  parts: readonly [Part, ...Part[]],
  kind: Kind,
  texts?: readonly string[],
): Promise<void> {
  const { facts, key, dimension, count } = parts[0];
  const order = texts === undefined ? undefined : distinctTexts(texts);
  const rows = order?.distinct.length ?? count;
  requireAllRows(parts, rows, `rows of this pool's ${kind}`);
  if (order !== undefined && order.order.length !== count)
    fail("bad-input", `expected the parts in "${partsFolder(folder)}" to be of this pool's ${kind}; embed again`);
  const path = join(folder, `${kind}.npy`);
  const manifestPath = join(folder, `${kind}.json`);
  const joined = await openAtomic(path);
  try {
    await joined.write(npyHeader("float32", [rows, dimension]));
    for (const { part, rows: range, hash } of parts) await appendRows(joined, part, kind, range, dimension, hash);
    // Finished vectors stay until all parts have turned out to be sound.
    await rm(manifestPath, { force: true });
    if (order === undefined) await joined.commit();
    else await writeOrdered(path, joined.handle, order.order, rows, dimension);
  } finally {
    await joined.abort();
  }
  const skipped = parts.flatMap((part) => part.skipped);
  const manifest = { ...facts, producer, key, hash: await hashFile(path), skipped };
  await writeFileAtomic(manifestPath, `${JSON.stringify(manifest, undefined, 1)}\n`);
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
  await requirePartHash(path, hash, part);
  const reader = await NpyReader.open(path);
  try {
    if (reader.dtype !== "float32" || reader.shape.join() !== [end - start, dimension].join())
      fail(
        "bad-input",
        `expected float32 of shape ${shown([end - start, dimension])} in "${path}", got ${reader.dtype} of ${shown(reader.shape)}; remove its folder and run the shard again`,
      );
    const rowsAtOnce = Math.max(1, Math.floor((4 << 20) / (dimension * 4)));
    for (let at = 0; at < end - start; at += rowsAtOnce) {
      const { buffer, byteOffset, byteLength } = await reader.rows(at, Math.min(rowsAtOnce, end - start - at));
      await joined.write(new Uint8Array(buffer, byteOffset, byteLength));
    }
  } finally {
    await reader.close();
  }
}

/** Row i of the matrix is row order[i] of what was joined. */
async function writeOrdered(
  path: string,
  joined: FileHandle,
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

function readPart(part: ShardFolder, kind: Kind): Promise<Part> {
  return readPartFile(join(part.folder, `${kind}.json`), (tree) => {
    if (tree.format !== partFormat || tree.version !== embeddingsVersion)
      fail("bad-input", `expected ${partFormat} of version ${embeddingsVersion}, got ${shown(tree.format)}`);
    const facts = partTree(tree.settings, "settings");
    const key = partText(tree.key, "key");
    if (key !== embeddingsKey(facts)) fail("bad-input", `expected the hash of its settings for key, got ${shown(key)}`);
    return {
      part,
      said: partShard(tree.shard),
      rows: partRows(tree.rows),
      key,
      facts,
      dimension: partNumber(facts.dimension, "settings.dimension", 1),
      count: partNumber(facts.count, "settings.count", 0),
      hash: partHash(tree.hash, "hash"),
      skipped: partList(tree.skipped, "skipped").map((item) => {
        const { row, name, reason } = partTree(item, "skipped");
        return {
          row: partNumber(row, "a skipped row", 0),
          name: partText(name, "name"),
          reason: partText(reason, "reason"),
        };
      }),
    };
  });
}
