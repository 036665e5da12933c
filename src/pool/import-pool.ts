import { open, realpath, rename, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { pMapIterable } from "p-map";
import {
  canonicalJson,
  exists,
  hashJson,
  makeFolder,
  onDisk,
  type Progress,
  producer,
  removeLeftovers,
  withLock,
  writeFileAtomic,
  writeFully,
} from "../io/index.ts";
import { type DatasetRecord, fail } from "../model/index.ts";
import { collectRecords, type PackSink } from "./collect.ts";
import { leakNote, leaveLeaksOut } from "./leave-leaks-out.ts";
import type { BadPolicy } from "./ledger.ts";
import { type PoolManifest, type PoolSource, poolFormat, poolVersion, readManifest, tableNames } from "./manifest.ts";
import { type PoolRows, readColumns, readRows, writeTables } from "./tables.ts";

/** A dataset as an importer opens it. */
export interface RecordSource {
  readonly format: string;
  /** Its name in the pool, unique there: "refcoco-unc". */
  readonly name: string;
  readonly splitBy?: string;
  readonly imagesFolder: string;
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
  readonly warnings: readonly string[];
  records(): AsyncIterable<DatasetRecord>;
}

export interface ImportPoolOptions {
  readonly onBad: BadPolicy;
  /** Copy the images' bytes into the pool. */
  readonly pack: boolean;
  /** Links in the images folder may lead out of it, while importing and later. Default false. */
  readonly followLinks?: boolean | undefined;
  /** Leave training refs out whose image an evaluation split of any source holds. Default false. */
  readonly withoutLeaks?: boolean | undefined;
  /** Replace a source of the same name. */
  readonly force: boolean;
  readonly progress: Progress;
}

/** What an import brought into the pool. */
export interface ImportReport {
  /** True where the pool held this very source already, images of the same sizes, and nothing was done. */
  readonly reused: boolean;
  readonly source: PoolSource;
  /** The first messages of skipped records. */
  readonly examples: readonly string[];
  /** The first messages of each reason in `source.skipped`. */
  readonly skippedExamples: Readonly<Record<string, readonly string[]>>;
  readonly manifest: PoolManifest;
}

/**
 * Imports a dataset into the pool at `folder`, new or existing (several sources make one pool). All tables change at
 * once; a killed run leaves the old pool, and the same command run again gives the same bytes.
 * Errors: "exists" for a source of the same name with other content; "bad-input" for the first bad record where
 * `onBad` is "fail"; "locked" while another process works on the pool.
 */
export async function importPool(
  folder: string,
  source: RecordSource,
  options: ImportPoolOptions,
): Promise<ImportReport> {
  await makeFolder(folder);
  return withLock(folder, "import", async () => {
    await finishCommit(folder);
    await removeLeftovers(folder);
    const before = (await exists(join(folder, "pool.json"))) ? await readManifest(folder) : undefined;
    const known = before?.sources.find((other) => other.name === source.name);
    if (before !== undefined && known !== undefined && !options.force) {
      if (!(await isSame(known, source, before, folder)))
        fail(
          "exists",
          `source "${source.name}" is in "${folder}" already, from other files or images. Use --force to replace it, --name to import it beside, or "nemosaic relocate" where only the images moved`,
        );
      const isCurrent = !(await haveImagesChanged(folder, before, known, options.onBad));
      if (isCurrent && options.withoutLeaks !== true)
        return { reused: true, source: known, examples: [], skippedExamples: {}, manifest: before };
    }
    return importInto(folder, source, options, before);
  }).catch(async (error: unknown) => {
    await rmdir(folder).catch(() => undefined); // an import that failed leaves no empty folder; one with content stays
    throw error;
  });
}

async function importInto(
  folder: string,
  source: RecordSource,
  options: ImportPoolOptions,
  before: PoolManifest | undefined,
): Promise<ImportReport> {
  const found = before === undefined ? emptyRows() : await readRows(folder);
  const rootsBefore = new Set(found.images.map(({ root }) => root));
  const kept = withoutSource(found, source.name);
  const sources = (before?.sources ?? []).filter((other) => other.name !== source.name);
  const roots = [...(before?.roots ?? [])];
  const rootPath = await rootText(folder, source.imagesFolder);
  if (!roots.includes(rootPath)) roots.push(rootPath);

  const counts = {
    images: kept.images.length,
    annotations: kept.annotations.length,
    refs: kept.refs.length,
    expressions: kept.expressions.length,
  };
  const pack = await openPack(folder, packEnd(kept));
  const collected = await collectRecords(source.records(), kept, {
    source: source.name,
    imagesFolder: source.imagesFolder,
    root: roots.indexOf(rootPath),
    rootFolders: roots.map((root) => resolve(folder, root)),
    onBad: options.onBad,
    followLinks: options.followLinks ?? false,
    packAll: options.pack,
    pack,
    progress: options.progress,
  }).finally(() => pack.close());
  if (kept.refs.length === counts.refs) {
    const why = collected.examples[0] === undefined ? "" : `; the first problem: ${collected.examples[0]}`;
    fail(
      "bad-input",
      `expected at least one ref in ${source.files[0]?.path ?? source.name}, got none that can be used${why}`,
    );
  }

  const leaks = options.withoutLeaks === true ? leaveLeaksOut(kept) : new Map<string, number>();
  if (kept.refs.length === 0)
    fail("bad-input", `every ref of "${source.name}" trains on an image of an evaluation split`);
  const withLeaks = (notes: Readonly<Record<string, number>>, name: string): Record<string, number> => {
    const left = leaks.get(name);
    return left === undefined ? { ...notes } : { ...notes, [leakNote]: (notes[leakNote] ?? 0) + left };
  };
  const entry: PoolSource = {
    name: source.name,
    format: source.format,
    ...(source.splitBy === undefined ? {} : { splitBy: source.splitBy }),
    files: await Promise.all(
      source.files.map(async ({ path, sha256 }) => ({ path: await rootText(folder, path), sha256 })),
    ),
    counts: {
      images: kept.images.length - counts.images,
      annotations: kept.annotations.length - counts.annotations,
      ...countsOf(kept, source.name),
    },
    splits: splitsOf(kept, source.name),
    skipped: collected.skipped,
    notes: withLeaks(collected.notes, source.name),
    warnings: [...source.warnings],
  };
  const others = sources.map((other) =>
    leaks.has(other.name)
      ? {
          ...other,
          counts: { ...other.counts, ...countsOf(kept, other.name) },
          splits: splitsOf(kept, other.name),
          notes: withLeaks(other.notes, other.name),
        }
      : other,
  );
  const linked = new Set(before?.linkedRoots ?? []);
  if (options.followLinks === true) linked.add(roots.indexOf(rootPath));
  const numbers = withoutLeftRoots(kept, roots, rootsBefore);
  const linkedRoots = numbers.flatMap((old, now) => (linked.has(old) ? [now] : []));
  const manifest = await commit(folder, kept, {
    roots: numbers.map((number) => roots[number] ?? fail("internal", `no root ${number}`)),
    ...(linkedRoots.length === 0 ? {} : { linkedRoots }),
    sources: [...others, entry],
  });
  const { examples, skippedExamples } = collected;
  return { reused: false, source: entry, examples, skippedExamples, manifest };
}

function countsOf(rows: PoolRows, source: string): { refs: number; expressions: number } {
  const isOwn = rows.refs.map((ref) => ref.source === source);
  return {
    refs: isOwn.filter(Boolean).length,
    expressions: rows.expressions.filter(({ ref }) => isOwn[ref]).length,
  };
}

function splitsOf(rows: PoolRows, source: string): Record<string, number> {
  const splits: Record<string, number> = {};
  for (const ref of rows.refs) if (ref.source === source) splits[ref.split] = (splits[ref.split] ?? 0) + 1;
  return Object.fromEntries(Object.entries(splits).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The numbers of the roots without those that images lay under `before` and lie under no more; `rows` (modified) name them by
 * their new numbers. Where all images have moved, the tables are then the same bytes as before, and what was made from them is still theirs.
 */
function withoutLeftRoots(rows: PoolRows, roots: readonly string[], before: ReadonlySet<number>): number[] {
  const isUsed = new Set(rows.images.map(({ root }) => root));
  const numbers = roots.flatMap((_, number) => (isUsed.has(number) || !before.has(number) ? [number] : []));
  const numberOf = new Map(numbers.map((old, now) => [old, now]));
  rows.images.forEach((row, at) => {
    const now = numberOf.get(row.root) ?? -1;
    if (now !== row.root) rows.images[at] = { ...row, root: now };
  });
  return numbers;
}

/** Writes tables and manifest beside the old ones, then moves them into place: from the manifest on, a kill is made good by the next run. */
async function commit(
  folder: string,
  rows: PoolRows,
  facts: Pick<PoolManifest, "roots" | "linkedRoots" | "sources">,
): Promise<PoolManifest> {
  const staging = join(folder, stagingName);
  await rm(staging, { recursive: true, force: true });
  const tables = await writeTables(staging, rows);
  const hash = hashJson(tableNames.map((name) => tables[name].sha256));
  const manifest: PoolManifest = { format: poolFormat, version: poolVersion, producer, hash, ...facts, tables };
  await writeFileAtomic(join(staging, "pool.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await finishCommit(folder);
  return manifest;
}

async function finishCommit(folder: string): Promise<void> {
  const staging = join(folder, stagingName);
  if (await exists(join(staging, "pool.json"))) {
    for (const name of [...tableNames.map((table) => `${table}.parquet`), "pool.json"]) {
      const from = join(staging, name);
      if (await exists(from)) await onDisk(folder, () => rename(from, join(folder, name)));
    }
  }
  await rm(staging, { recursive: true, force: true });
}

const stagingName = ".staging";

/** The rows without one source: its refs, sentences, and the annotations and images that nothing else needs. */
function withoutSource(rows: PoolRows, source: string): PoolRows {
  if (!rows.refs.some((ref) => ref.source === source) && !rows.annotations.some((row) => row.source === source))
    return rows;
  const refs = rows.refs.flatMap((ref, at) => (ref.source === source ? [] : [at]));
  const needed = new Set(refs.flatMap((at) => rows.refs[at]?.annotations ?? []));
  const annotations = rows.annotations.flatMap((row, at) => (row.source !== source || needed.has(at) ? [at] : []));
  const usedImages = new Set([
    ...refs.map((at) => rows.refs[at]?.image),
    ...annotations.map((at) => rows.annotations[at]?.image),
  ]);
  const images = rows.images.flatMap((_, at) => (usedImages.has(at) ? [at] : []));
  const [imageOf, annotationOf, refOf] = [images, annotations, refs].map(
    (list) => new Map(list.map((old, now) => [old, now])),
  );
  const now = (map: Map<number, number> | undefined, old: number): number =>
    map?.get(old) ?? fail("internal", `row ${old} has no new place`);
  return {
    images: images.map((at) => rows.images[at] ?? fail("internal", "no such image")),
    annotations: annotations.map((at) => {
      const row = rows.annotations[at] ?? fail("internal", "no such annotation");
      return { ...row, image: now(imageOf, row.image) };
    }),
    refs: refs.map((at) => {
      const row = rows.refs[at] ?? fail("internal", "no such ref");
      return {
        ...row,
        image: now(imageOf, row.image),
        annotations: row.annotations.map((old) => now(annotationOf, old)),
      };
    }),
    expressions: rows.expressions.flatMap((row) => (refOf?.has(row.ref) ? [{ ...row, ref: now(refOf, row.ref) }] : [])),
  };
}

async function isSame(
  known: PoolSource,
  source: RecordSource,
  manifest: PoolManifest,
  folder: string,
): Promise<boolean> {
  return (
    canonicalJson(known.files.map((file) => file.sha256)) === canonicalJson(source.files.map((file) => file.sha256)) &&
    known.format === source.format &&
    manifest.roots.includes(await rootText(folder, source.imagesFolder))
  );
}

/**
 * Whether images are not what the pool holds: files of another size, as after a download that was broken off and made good,
 * or (where bad records are left out) images that were missing or unreadable and may be whole now.
 */
async function haveImagesChanged(
  folder: string,
  { roots }: PoolManifest,
  { skipped }: PoolSource,
  onBad: BadPolicy,
): Promise<boolean> {
  if (onBad === "skip" && ["image missing", "image unreadable"].some((reason) => reason in skipped)) return true;
  const images = await readColumns(folder, "images", {}, ["root", "path", "bytes"]);
  const files = Array.from({ length: images.count }, (_, row) => ({
    root: roots[images.root[row] ?? -1],
    path: images.path[row] ?? "",
    bytes: images.bytes[row],
  }));
  const sizes = pMapIterable(
    files,
    async ({ root, path, bytes }) => {
      const size =
        root === undefined ? undefined : (await stat(resolve(folder, root, path)).catch(() => undefined))?.size;
      return size === undefined || BigInt(size) === bytes; // packed, or elsewhere by now: nothing speaks against it
    },
    { concurrency: 32 },
  );
  for await (const isEqual of sizes) if (!isEqual) return true;
  return false;
}

/**
 * A path relative to where the pool really is, so that pool and data can move together; links on the way to the two are
 * followed, the path's own last name is kept.
 */
export async function rootText(folder: string, path: string): Promise<string> {
  const above = dirname(resolve(path));
  const real = await realpath(above).catch(() => above);
  const way = relative(await realpath(folder), join(real, basename(resolve(path))));
  return isAbsolute(way) ? resolve(path) : way === "" ? "." : way;
}

function emptyRows(): PoolRows {
  return { images: [], annotations: [], refs: [], expressions: [] };
}

function packEnd(rows: PoolRows): number {
  return rows.images.reduce((end, row) => (row.offset < 0 ? end : Math.max(end, row.offset + row.bytes)), 0);
}

/** Opens images.pack for appending after the bytes that the tables know; what a killed run left behind them is cut off. */
async function openPack(folder: string, end: number): Promise<PackSink & { close(): Promise<void> }> {
  const path = join(folder, "images.pack");
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (size < end)
    fail("bad-input", `expected at least ${end} bytes in "${path}", got ${size}; the pool is damaged: import again`);
  let handle: Awaited<ReturnType<typeof open>> | undefined;
  if (size > end) {
    handle = await onDisk(path, () => open(path, "r+"));
    await handle.truncate(end);
  }
  let at = end;
  return {
    async append(bytes) {
      handle ??= await onDisk(path, () => open(path, size === 0 ? "w+" : "r+"));
      const offset = at;
      const file = handle;
      await writeFully(file, bytes, offset, path);
      at += bytes.length;
      return offset;
    },
    async close() {
      await onDisk(path, async () => handle?.sync());
      await handle?.close();
      if (at === 0) await rm(path, { force: true });
    },
  };
}
