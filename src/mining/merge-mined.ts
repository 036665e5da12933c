import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { NpyReader, npyHeader } from "../codecs/index.ts";
import {
  exists,
  makeFolder,
  onDisk,
  partsFolder,
  removeParts,
  requireAllRows,
  requirePartHash,
  requireSameRun,
  type ShardFolder,
  shardFolders,
  withLock,
  writeFileAtomic,
  writeFully,
} from "../io/index.ts";
import { fail, shown } from "../model/index.ts";
import { type MinedManifest, minedFolder, type Pool } from "../pool/index.ts";
import { expressionOrder, histogramsOf, quantilesOf, writeRows } from "./mine-pool.ts";
import { columnTypes, type MinedFacts, type MinedPart, partFile, readMinedPart } from "./mined-part.ts";

type Part = MinedPart & { readonly part: ShardFolder };

/** Columns and their numbers a row; own has one. */
const files = { ...columnTypes, own: "float32" } as const;
/** Bytes of a column that are held at a time. */
const chunkBytes = 2 ** 24;

/**
 * Joins the parts that shards of `minePool` left in mined/<name> to the bytes that one run would give, and removes them.
 * False where there are no parts. Run again, it does nothing, or starts anew where it was killed.
 * Errors: "incomplete" for missing shards, by name, and for parts of another state of the pool; "bad-input" for parts
 * of different settings and for a shard that is there twice; "exists" for a finished set of other settings without
 * `force`; "checksum"; "locked".
 */
export async function mergeMined(pool: Pool, name: string, { force }: { readonly force: boolean }): Promise<boolean> {
  const folder = minedFolder(pool.folder, name);
  if (!(await exists(partsFolder(folder)))) return false;
  return withLock(folder, "merge", async () => {
    const found = await shardFolders(folder, (part) => exists(join(part.folder, partFile)));
    if (found === undefined) return false;
    const parts = await Promise.all(found.map(requirePart));
    requireSameRun(parts.map(({ part, shard, hash, facts }) => ({ part, said: shard, key: hash, facts })));
    const order = expressionOrder(pool);
    const facts = checkedFacts(parts, folder, pool.manifest.hash, order.length);
    const manifestPath = join(folder, "mined.json");
    if (!force) await refuseOther(manifestPath, facts.hash, folder);

    const work = join(folder, ".partial");
    await rm(work, { recursive: true, force: true });
    await makeFolder(work);
    for (const file of Object.keys(files) as (keyof typeof files)[])
      await joinFile(parts, file, join(work, `${file}.npy`), order, file === "own" ? 1 : facts.depth);
    // A finished set stays until all parts have turned out to be sound.
    await rm(manifestPath, { force: true });
    for (const file of Object.keys(files))
      await onDisk(folder, () => rename(join(work, `${file}.npy`), join(folder, `${file}.npy`)));
    await rm(work, { recursive: true, force: true });
    const manifest: MinedManifest = { ...facts, scores: quantilesOf(histogramsOf(parts.map(({ scores }) => scores))) };
    await writeFileAtomic(manifestPath, `${JSON.stringify(manifest, undefined, 2)}\n`);
    await removeParts(folder);
    return true;
  });
}

function checkedFacts(parts: readonly Part[], folder: string, poolHash: string, expressions: number): MinedFacts {
  const facts = parts[0]?.facts ?? fail("internal", "no parts to merge");
  if (facts.pool !== poolHash || facts.expressions !== expressions)
    fail(
      "incomplete",
      `the parts in "${partsFolder(folder)}" were mined before the pool changed; run the shards again`,
    );
  requireAllRows(parts, expressions, "expressions");
  return facts;
}

async function refuseOther(path: string, hash: string, folder: string): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text !== undefined && !text.includes(`"hash": "${hash}"`))
    fail(
      "exists",
      `"${folder}" holds candidates of other inputs or settings beside the parts. Use --force to replace them`,
    );
}

async function joinFile(
  parts: readonly Part[],
  file: keyof typeof files,
  path: string,
  order: Int32Array,
  width: number,
): Promise<void> {
  const shape = file === "own" ? [order.length] : [order.length, width];
  const header = npyHeader(files[file], shape);
  const out = await onDisk(path, () => open(path, "w+"));
  try {
    await writeFully(out, header, 0, path);
    for (const {
      part,
      rows: [start, end],
      files: hashes,
    } of parts) {
      const from = join(part.folder, `${file}.npy`);
      await requirePartHash(from, hashes[file], part);
      const reader = await NpyReader.open(from);
      try {
        const expected = [end - start, ...shape.slice(1)];
        if (reader.dtype !== files[file] || reader.shape.join() !== expected.join())
          fail(
            "bad-input",
            `expected ${files[file]} of shape ${shown(expected)} in "${from}", got ${reader.dtype} of ${shown(reader.shape)}; remove its folder and run the shard again`,
          );
        const some = Math.max(1, Math.floor(chunkBytes / (width * 4)));
        for (let at = start; at < end; at += some) {
          const count = Math.min(some, end - at);
          const column = (await reader.rows(at - start, count)) as Int32Array | Float32Array;
          await writeRows(out, header.length, column, order.subarray(at, at + count), width, path);
        }
      } finally {
        await reader.close();
      }
    }
    await onDisk(path, () => out.sync());
  } finally {
    await out.close();
  }
}

async function requirePart(part: ShardFolder): Promise<Part> {
  const read = await readMinedPart(part.folder);
  if (read === undefined) return fail("incomplete", `"${part.folder}" is not finished; run the shard again`);
  return { ...read, part };
}
