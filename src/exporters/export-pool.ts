import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import pMap from "p-map";
import { exists, hashFile, makeFolder, type Progress, removeLeftovers, withLock } from "../io/index.ts";
import { Loader, warningsOf } from "../loader/index.ts";
import { fail } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import type { Settings } from "../settings/index.ts";
import { identify } from "./identity.ts";
import {
  defaultFormatOptions,
  type ExportJob,
  type FormatOptions,
  type ImageEncoding,
  jobHash,
  parseJob,
  recordCount,
} from "./job.ts";
import { partsFolder, removeForetold } from "./journal.ts";
import {
  type ExportManifest,
  finishedShards,
  markShard,
  readExportManifest,
  readJob,
  removeExport,
  writeExportManifest,
  writeJob,
} from "./manifest.ts";
import { ExportOutput } from "./output.ts";
import { PartReader, type PartRecord, partCount, partRecords, readCheckedPart, writePart } from "./parts.ts";
import { findExporter } from "./registry.ts";
import { makeSample } from "./sample.ts";
import { drawnRecords, recordsOfSplit, refsOfSplit } from "./sequence.ts";

export interface ExportOptions {
  readonly format: string;
  /** The folder to make. */
  readonly output: string;
  /** train is drawn; the others give single images at original size. */
  readonly splits: readonly string[];
  readonly seed: number;
  readonly epochs: number;
  readonly firstEpoch: number;
  /** Original images beside the drawn ones, per drawn sample: 0 none, 1 as many. */
  readonly originals: number;
  readonly image: ImageEncoding;
  readonly options: Partial<FormatOptions>;
  /** Draw this part of the work only; index from 0. A run without it, or `mergeExport`, puts the export together. */
  readonly shard?: { readonly index: number; readonly count: number };
  readonly force: boolean;
  /** Samples under way at once. */
  readonly concurrency: number;
  readonly progress: Progress;
}

export interface ExportReport {
  /** True where the export was there already and nothing was done. */
  readonly reused: boolean;
  /** Undefined after a shard, which leaves parts only. */
  readonly manifest: ExportManifest | undefined;
  /** Parts that this run drew, and that there are in all. */
  readonly drawnParts: number;
  readonly parts: number;
  /** What is wrong with the negatives that train draws (`difficultyWarnings`). */
  readonly warnings?: readonly string[];
}

/**
 * Exports splits of an open pool as files for trainers that know nothing of nemosaic. Work goes in parts that are kept
 * while the export is unfinished: a killed run goes on where it was, several may share the work (`shard`), and the bytes
 * are the same however it came about. The manifest, export.json, is written last.
 * Errors: "exists" for a folder that holds something else; "usage"; "io"; and as `Loader.open`.
 */
export async function exportPool(pool: Pool, settings: Settings, options: ExportOptions): Promise<ExportReport> {
  const { output, shard } = options;
  if (shard !== undefined && !(Number.isInteger(shard.index) && shard.index >= 0 && shard.index < shard.count)) {
    fail("usage", `expected a shard i/n with i from 0 to n - 1, got ${shard.index}/${shard.count}`);
  }
  const loaders = await openLoaders(pool, settings, options);
  try {
    const job = await jobOf(pool, loaders, options);
    const hash = jobHash(job);
    await makeFolder(output);
    const lock = shard === undefined ? ".nemosaic.lock" : `.nemosaic-shard-${shard.index}-of-${shard.count}.lock`;
    const report = await withLock(output, "export", () => runExport(pool, loaders, job, hash, options), lock);
    return { ...report, warnings: loaders.flatMap(warningsOf) };
  } finally {
    for (const loader of loaders) await loader.close();
  }
}

/**
 * Puts the parts of an export together that shards left in `folder`; needs no pool. The same as one run would give.
 * `format`, where given, is what the caller takes them for. Errors: "not-found" where nothing was begun; "usage" for
 * parts of another format; "incomplete" naming the shards or parts that are missing.
 */
export async function mergeExport(
  folder: string,
  options: { readonly format?: string; readonly progress: Progress },
): Promise<ExportReport> {
  if (!(await exists(folder)))
    fail("not-found", `expected the folder of an export at "${folder}", found nothing there`);
  return withLock(folder, "export", async () => {
    const manifest = await readExportManifest(folder);
    if (manifest !== undefined) {
      requireFormat(folder, manifest.job, options.format);
      return { reused: true, manifest, drawnParts: 0, parts: partCount(manifest.job) };
    }
    const job =
      (await readJob(folder)) ??
      fail(
        "not-found",
        `expected the parts of an export in "${join(folder, partsFolder)}", found none; run the shards first`,
      );
    requireFormat(folder, job, options.format);
    const hash = jobHash(job);
    const missing = await missingParts(folder, job, hash, undefined);
    if (missing.length > 0) fail("incomplete", await missingText(folder, missing, partCount(job)));
    return {
      reused: false,
      manifest: await assemble(folder, job, hash, options.progress),
      drawnParts: 0,
      parts: partCount(job),
    };
  });
}

function requireFormat(folder: string, job: ExportJob, format: string | undefined): void {
  if (format === undefined || findExporter(format).name === job.exporter) return;
  fail(
    "usage",
    `"${folder}" holds an export as ${job.exporter}, got the format "${format}"; name the one it was begun in`,
  );
}

async function openLoaders(pool: Pool, settings: Settings, { splits, seed }: ExportOptions): Promise<Loader[]> {
  if (splits.length === 0 || new Set(splits).size !== splits.length)
    fail("usage", `expected one split or several different ones, got "${splits.join(",")}"`);
  const loaders: Loader[] = [];
  try {
    // Tokens are the trainer's own business.
    for (const split of splits)
      loaders.push(await Loader.open(pool, { ...settings, tokens: { kind: "none", length: 2 } }, { split, seed }));
    return loaders;
  } catch (error) {
    for (const loader of loaders) await loader.close();
    throw error;
  }
}

async function jobOf(pool: Pool, loaders: readonly Loader[], options: ExportOptions): Promise<ExportJob> {
  const { format, seed, firstEpoch, epochs, originals, image } = options;
  const exporter = findExporter(format);
  const drawn = loaders.find((loader) => loader.augmented);
  const judgements = join(pool.folder, "judgements.jsonl");
  let sentenceStride = 1;
  for (let ref = 0; ref < pool.refs.count; ref++) {
    const [start, end] = pool.expressionsOfRef(ref);
    sentenceStride = Math.max(sentenceStride, end - start);
  }
  return parseJob({
    exporter: exporter.name,
    pool: pool.manifest.hash,
    settings: (drawn ?? loaders[0])?.facts.settings,
    mined: drawn?.mined?.manifest.hash ?? null,
    judgements: drawn !== undefined && (await exists(judgements)) ? await hashFile(judgements) : null,
    seed,
    firstEpoch,
    epochs,
    originals,
    image,
    splits: loaders.map((loader) => ({
      name: loader.split,
      drawn: loader.augmented,
      units: loader.length,
      records: loader.augmented ? drawnRecords(loader.length, epochs, originals) : refsOfSplit(loader).length,
    })),
    options: { ...defaultFormatOptions, ...options.options },
    sentenceStride,
  });
}

async function runExport(
  pool: Pool,
  loaders: readonly Loader[],
  job: ExportJob,
  hash: string,
  options: ExportOptions,
): Promise<ExportReport> {
  const { output: folder, shard, force, progress } = options;
  const parts = partCount(job);
  const manifest = await readExportManifest(folder);
  if (manifest?.hash === hash && !force) {
    await rm(join(folder, partsFolder), { recursive: true, force: true });
    return { reused: true, manifest, drawnParts: 0, parts };
  }
  await makeRoom(folder, hash, manifest, options);
  await writeJob(folder, job, hash);
  const missing = await missingParts(folder, job, hash, shard);
  await drawParts(pool, loaders, job, hash, missing, options);
  if (shard !== undefined) {
    await markShard(folder, hash, shard);
    return { reused: false, manifest: undefined, drawnParts: missing.length, parts };
  }
  return { reused: false, manifest: await assemble(folder, job, hash, progress), drawnParts: missing.length, parts };
}

/**
 * Refuses a folder that holds something else, or with `force` removes a former export from it. Parts of this very export
 * are gone on with; with `force` they are drawn again, though not by a shard, which would remove those of the others.
 */
async function makeRoom(
  folder: string,
  hash: string,
  manifest: ExportManifest | undefined,
  { force, shard }: ExportOptions,
): Promise<void> {
  const begun = await readJob(folder);
  if (manifest !== undefined) {
    if (!force)
      fail(
        "exists",
        `"${folder}" holds another export (${manifest.job.exporter}, made with other options). Use --force to replace it, or another folder`,
      );
    await removeExport(folder, manifest);
  } else if (begun !== undefined) {
    if (jobHash(begun) === hash && (!force || shard !== undefined)) return;
    if (!force) {
      fail(
        "exists",
        `"${folder}" holds the parts of another export (${begun.exporter}, with other options) that was not finished. Use --force to replace them, or another folder`,
      );
    }
    await removeForetold(folder);
  } else if (force) {
    await removeForetold(folder); // of a removal that was killed
  } else {
    const others = (await readdir(folder)).filter((name) => !name.startsWith(".nemosaic") && name !== partsFolder);
    if (others.length > 0)
      fail("exists", `"${folder}" is not empty ("${others[0]}"). Use --force to export into it, or another folder`);
  }
}

async function missingParts(
  folder: string,
  job: ExportJob,
  hash: string,
  shard: ExportOptions["shard"],
): Promise<number[]> {
  const { index, count } = shard ?? { index: 0, count: 1 };
  const wanted = Array.from({ length: partCount(job) }, (_, part) => part).filter((part) => part % count === index);
  const found = await pMap(wanted, async (part) => (await readCheckedPart(folder, hash, part)) !== undefined, {
    concurrency: 16,
  });
  return wanted.filter((_, at) => found[at] !== true);
}

async function missingText(folder: string, missing: readonly number[], parts: number): Promise<string> {
  const shards = await finishedShards(folder);
  const count = shards[0]?.count ?? 0;
  const lacking = Array.from({ length: count }, (_, index) => index).filter(
    (index) => !shards.some((shard) => shard.index === index && shard.count === count),
  );
  const names =
    lacking.length > 0
      ? `shards not finished: ${lacking.map((index) => `${index}/${count}`).join(", ")}`
      : `parts missing: ${listNumbers(missing)}`;
  return `cannot put the export in "${folder}" together: ${missing.length} of ${parts} parts are missing; ${names}. Run them again`;
}

function listNumbers(numbers: readonly number[]): string {
  return numbers.slice(0, 10).join(", ") + (numbers.length > 10 ? ", …" : "");
}

async function drawParts(
  pool: Pool,
  loaders: readonly Loader[],
  job: ExportJob,
  hash: string,
  missing: readonly number[],
  options: ExportOptions,
): Promise<void> {
  const exporter = findExporter(job.exporter);
  const { output: folder, concurrency, progress } = options;
  const identity = identify(
    pool,
    loaders.filter((loader) => !loader.augmented),
  );
  const splits = splitsWithStarts(loaders, job);
  const done = new Set<string>();
  const total = recordCount(job);
  const sizeOf = (part: number): number => Math.min(partRecords, total - part * partRecords);
  const task = progress.begin(
    `export ${exporter.name}`,
    missing.reduce((sum, part) => sum + sizeOf(part), 0),
    "samples",
  );
  const makeRecord = async (number: number): Promise<PartRecord> => {
    const split =
      splits.find(({ start, end }) => number >= start && number < end) ??
      fail("internal", `no split for record ${number}`);
    const inSplit = number - split.start;
    const { sample, remark } = await makeSample(
      split.loader,
      split.record(inSplit),
      { number, inSplit, split: split.loader.split },
      job,
      identity,
    );
    const encoded = sample === undefined ? undefined : await exporter.encode(sample, job);
    task.advance();
    if (encoded !== undefined && "leftOut" in encoded)
      return { encoded: undefined, plan: undefined, remark: `record ${number} left out: ${encoded.leftOut}` };
    return { encoded, plan: sample?.plan, remark };
  };
  try {
    for (const part of missing) {
      const numbers = Array.from({ length: sizeOf(part) }, (_, at) => part * partRecords + at);
      const records = await pMap(numbers, makeRecord, { concurrency: Math.max(1, concurrency) });
      await writePart(folder, hash, part, records, done);
    }
  } finally {
    task.end();
  }
}

function splitsWithStarts(loaders: readonly Loader[], job: ExportJob) {
  let start = 0;
  return loaders.map((loader, at) => {
    const split = job.splits[at] ?? fail("internal", "a loader for each split");
    const from = start;
    start += split.records;
    return { loader, start: from, end: start, record: recordsOfSplit(loader, split, job) };
  });
}

/** Puts the parts together; the manifest is written last, and then the parts are removed. */
async function assemble(folder: string, job: ExportJob, hash: string, progress: Progress): Promise<ExportManifest> {
  const exporter = findExporter(job.exporter);
  const output = new ExportOutput(folder);
  const reader = new PartReader(folder, job, hash);
  const task = progress.begin("put together", undefined, "files");
  try {
    const remarks: string[] = [];
    for (let part = 0; part < partCount(job); part++) {
      const content =
        (await readCheckedPart(folder, hash, part)) ??
        fail("incomplete", `part ${part} of "${folder}" changed while the export was put together; run it again`);
      for (const file of content.files) output.add(file);
      remarks.push(...content.remarks);
    }
    await exporter.assemble(job, reader, output);
    await writePlans(job, reader, output);
    await removeTemporaries(folder, output); // by now every folder of the export is known
    task.advance(output.files.length);
    const manifest = await writeExportManifest(job, hash, reader, remarks, output);
    await reader.close();
    await rm(join(folder, partsFolder), { recursive: true, force: true });
    return manifest;
  } finally {
    await reader.close();
    task.end();
  }
}

/** What killed runs left half-written beside the files. */
async function removeTemporaries(folder: string, output: ExportOutput): Promise<void> {
  const folders = new Set([folder, ...output.files.map(({ path }) => join(folder, dirname(path)))]);
  for (const name of folders) await removeLeftovers(name);
}

/** One line for each drawn sample, in the export's order: `nemosaic draw` draws them again. */
async function writePlans(job: ExportJob, parts: PartReader, output: ExportOutput): Promise<void> {
  for (const { name, drawn } of job.splits) {
    if (!drawn) continue;
    await output.stream(`plans-${name}.jsonl`, async (append) => {
      for await (const { plan } of parts.recordsOf(name))
        if (plan !== undefined) await append(`${JSON.stringify(plan)}\n`);
    });
  }
}
