import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { NpyReader, npyHeader } from "../codecs/index.ts";
import {
  exists,
  hashFile,
  onDisk,
  partsFolder,
  requireSameRun,
  type Shard,
  type ShardFolder,
  shardFolders,
  shardText,
  temporaryMark,
  withLock,
  writeFileAtomic,
  writeFully,
} from "../io/index.ts";
import { fail } from "../model/index.ts";
import { type MinedManifest, minedFolder, type Pool } from "../pool/index.ts";
import { columnTypes, expressionOrder, minedPartFormat, partFile, quantilesOf, writeRows } from "./mine-pool.ts";
import { ScoreHistogram } from "./score-histogram.ts";

type Counts = readonly (readonly [bin: number, count: number])[];

interface Part {
  readonly part: ShardFolder;
  readonly said: Shard;
  readonly rows: readonly [start: number, end: number];
  readonly key: string;
  readonly facts: Omit<MinedManifest, "scores">;
  readonly scores: Readonly<Record<"own" | "t2i" | "i2i", Counts>>;
  readonly files: Readonly<Record<string, unknown>>;
}

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
    const parts = await Promise.all(found.map(readPart));
    requireSameRun(parts);
    const order = expressionOrder(pool);
    const facts = checkedFacts(parts, folder, pool.manifest.hash, order.length);
    const manifestPath = join(folder, "mined.json");
    if (!force) await refuseOther(manifestPath, facts.hash, folder);
    await rm(manifestPath, { force: true });

    const work = join(folder, ".partial");
    await rm(work, { recursive: true, force: true });
    await onDisk(work, () => mkdir(work, { recursive: true }));
    for (const file of Object.keys(files) as (keyof typeof files)[])
      await joinFile(parts, file, join(work, `${file}.npy`), order, file === "own" ? 1 : facts.depth);
    for (const file of Object.keys(files))
      await onDisk(folder, () => rename(join(work, `${file}.npy`), join(folder, `${file}.npy`)));
    await rm(work, { recursive: true, force: true });
    const manifest: MinedManifest = { ...facts, scores: quantilesOf(summed(parts)) };
    await writeFileAtomic(manifestPath, `${JSON.stringify(manifest, undefined, 2)}\n`);
    // Gone from its name at once: a merge that is killed from here on has nothing left to do.
    const gone = `${partsFolder(folder)}${temporaryMark}merged`;
    await onDisk(folder, () => rename(partsFolder(folder), gone));
    await rm(gone, { recursive: true, force: true });
    return true;
  });
}

function checkedFacts(
  parts: readonly Part[],
  folder: string,
  poolHash: string,
  expressions: number,
): Omit<MinedManifest, "scores"> {
  const facts = parts[0]?.facts ?? fail("internal", "no parts to merge");
  if (facts.pool !== poolHash || facts.expressions !== expressions)
    fail(
      "incomplete",
      `the parts in "${partsFolder(folder)}" were mined before the pool changed; run the shards again`,
    );
  parts.forEach(({ part, rows: [start, end] }, at) => {
    const isLast = at === parts.length - 1;
    if (start !== (parts[at - 1]?.rows[1] ?? 0) || end < start || (isLast && end !== expressions))
      fail("bad-input", `expected expressions that follow the part before in "${part.folder}", got ${start} to ${end}`);
  });
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
      if ((await hashFile(from)) !== hashes[file])
        fail(
          "checksum",
          `"${from}" is not what shard ${shardText(part.shard)} wrote; remove its folder and run the shard again`,
        );
      const reader = await NpyReader.open(from);
      try {
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

function summed(parts: readonly Part[]) {
  const histograms = { own: new ScoreHistogram(), t2i: new ScoreHistogram(), i2i: new ScoreHistogram() };
  for (const { scores } of parts)
    for (const name of ["own", "t2i", "i2i"] as const) histograms[name].addCounts(scores[name]);
  return histograms;
}

async function readPart(part: ShardFolder): Promise<Part> {
  const path = join(part.folder, partFile);
  try {
    const value = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    if (value.format !== minedPartFormat) throw new TypeError("another format");
    const { index, count } = value.shard as Record<string, unknown>;
    const [start, end] = value.rows as unknown[];
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) throw new TypeError("no range of expressions");
    const facts = value.facts as Omit<MinedManifest, "scores">;
    if (typeof value.hash !== "string" || facts.hash !== value.hash) throw new TypeError("no hash");
    const scores = value.scores as Record<string, unknown>;
    for (const name of ["own", "t2i", "i2i"]) if (!Array.isArray(scores[name])) throw new TypeError(`no ${name}`);
    return {
      part,
      said: { index: Number(index), count: Number(count) },
      rows: [start as number, end as number],
      key: value.hash,
      facts,
      scores: scores as Part["scores"],
      files: value.files as Record<string, unknown>,
    };
  } catch (error) {
    return fail(
      "bad-input",
      `"${path}" is damaged (${(error as Error).message}); remove its folder and run the shard again`,
      error,
    );
  }
}
