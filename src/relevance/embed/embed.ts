import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  exists,
  grouped,
  hashFile,
  hashJson,
  makeFolder,
  type Progress,
  producer,
  type Shard,
  shardFolder,
  shardRange,
  silentProgress,
  withLock,
  writeFileAtomic,
} from "../../io/index.ts";
import { type ErrorCode, fail, NemosaicError } from "../../model/index.ts";
import type { ImageTextModel } from "../clip/index.ts";
import { type LaneClock, laneClock } from "./lane-clock.ts";
import { PartialRows, type SkippedRow } from "./partial-rows.ts";
import { type Decode, openPreparer, type Preparer } from "./preparer.ts";

/** Images by row, wherever they are kept. */
export interface ImageSource {
  readonly count: number;
  /** The encoded bytes (JPEG, PNG, …) of a row. */
  load(row: number): Promise<Uint8Array>;
  /** The row's name for error lines and the list of skipped ones. */
  name(row: number): string;
  /** Hash over names and contents: under another one, finished vectors do not count. */
  readonly hash: string;
}

export interface EmbedOptions {
  /** Folder of the vectors; created. Holds `images.npy`, `images.json`, `expressions.npy`, `expressions.json`. */
  readonly folder: string;
  readonly model: ImageTextModel;
  readonly images: ImageSource;
  /** One text per row of `expressions.npy`; equal texts are embedded once. */
  readonly texts: readonly string[];
  /** What a corrupt or missing image does: ends the run, or leaves a row of zeros that the manifest lists. */
  readonly onBad: "fail" | "skip";
  /**
   * Images that are decoded, run and written together (default 16) and texts (default 32). Part of what makes the numbers.
   * On a CPU the model runs a batch in steps of a few images, whatever this is.
   */
  readonly imageBatch?: number;
  readonly textBatch?: number;
  /** "exact" (default) or "fast", which moves vectors a little (docs/relevance.md). Part of what makes the numbers. */
  readonly decode?: Decode;
  /** Threads that preprocess; default: one less than the cores, at least 1. Never changes a number. */
  readonly threads?: number;
  /** Replace finished vectors of other inputs or another model. */
  readonly force?: boolean;
  readonly progress?: Progress;
  /** Makes one share of the batches, as a part for `mergeEmbeddings`. */
  readonly shard?: Shard;
}

/** What became of one matrix. */
export interface MatrixReport {
  readonly rows: number;
  /** Rows that an earlier run had made. */
  readonly reused: number;
  readonly skipped: readonly SkippedRow[];
  /** Wall time in runs of the model, and waiting for decoded images, ms: means over the model's lanes. */
  readonly modelMs: number;
  readonly waitMs: number;
}

export interface EmbedReport {
  readonly images: MatrixReport;
  readonly expressions: MatrixReport;
  readonly distinctTexts: number;
}

export const embeddingsFormat = "nemosaic-embeddings";
export const embeddingsVersion = 1;
/** What a shard leaves: rows of a matrix and the settings of the whole. */
export const partFormat = "nemosaic-embeddings-part";

/**
 * Embeds images and expressions into `folder`: float32 .npy files with a manifest each. Decoding and preprocessing
 * overlap the model. A killed run goes on where it was, to the same bytes; finished matrices of the same inputs are reused.
 * Errors: `exists` where the folder holds vectors of other inputs and `force` is off; those of the images where
 * `onBad` is "fail"; `locked`.
 */
export async function embedSources(options: EmbedOptions): Promise<EmbedReport> {
  const { shard } = options;
  const folder = shard === undefined ? options.folder : shardFolder(options.folder, shard);
  await makeFolder(folder);
  return withLock(folder, "embed", async () => {
    const images = await embedMatrix(imageJob(options), folder, options);
    const { job, order, distinct } = textJob(options);
    const expressions = await embedMatrix(job, folder, options, shard === undefined ? order : undefined);
    return { images, expressions, distinctTexts: distinct };
  });
}

/** One matrix to make: batches of rows in order, each a pure function of its rows. */
interface Job {
  readonly name: "images" | "expressions";
  readonly unit: string;
  readonly count: number;
  readonly batch: number;
  /** Rows of the finished matrix. */
  readonly rows: number;
  /** What decides the numbers, for the manifest. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Batches that run side by side. */
  readonly lanes: number;
  /** Starts making the batch at `start`; called a few batches ahead. */
  prepare(start: number, end: number): Promise<Prepared>;
  close(): Promise<void>;
}

interface Prepared {
  readonly skipped: readonly SkippedRow[];
  run(clock: LaneClock): Promise<Float32Array>;
}

function imageJob({ model, images, onBad, imageBatch = 16, decode = "exact", threads }: EmbedOptions): Job {
  const { width, height } = model.preprocessing;
  const size = 3 * width * height;
  let preparer: Preparer | undefined;
  // Shared, so that the threads that decode write into it and the model's lanes read from it; used again and again, since
  // new memory costs page faults and garbage collections.
  const idle: Float32Array[] = [];
  return {
    name: "images",
    unit: "images",
    count: images.count,
    rows: images.count,
    batch: imageBatch,
    lanes: model.imageLanes,
    facts: { inputs: images.hash, preprocessing: model.preprocessing, decode, onBad },
    async prepare(start, end) {
      preparer ??= openPreparer(
        { preprocessing: model.preprocessing, decode },
        { threads, here: model.imageLanes > 1 },
      );
      const opened = preparer;
      const lanes = model.imageLanes > 1 ? model.lanes() : undefined;
      const room = idle.pop() ?? new Float32Array(new SharedArrayBuffer(Math.min(imageBatch, images.count) * size * 4));
      const pixels = room.subarray(0, (end - start) * size);
      const skipped: SkippedRow[] = [];
      await Promise.all(
        Array.from({ length: end - start }, async (_, i) => {
          const name = images.name(start + i);
          try {
            const bytes = await images.load(start + i);
            await opened.prepare(bytes, name, pixels.subarray(i * size, (i + 1) * size));
          } catch (error) {
            if (onBad === "fail" || !isBadImage(error)) throw error;
            pixels.fill(0, i * size, (i + 1) * size);
            skipped.push({ row: start + i, name, reason: error.message });
          }
        }),
      );
      skipped.sort((a, b) => a.row - b.row);
      return {
        skipped,
        async run(clock) {
          const batch = { pixels, count: end - start };
          const vectors = await (lanes === undefined
            ? clock.during(() => model.embedImages(batch))
            : lanes.embedImages(batch, clock.change));
          idle.push(room);
          for (const { row } of skipped) {
            vectors.fill(0, (row - start) * model.dimension, (row - start + 1) * model.dimension);
          }
          return vectors;
        },
      };
    },
    async close() {
      await preparer?.close();
    },
  };
}

/** Distinct texts, short ones first so that batches need little padding, and for each row its place among them. */
export function distinctTexts(texts: readonly string[]): { distinct: string[]; order: Int32Array } {
  const distinct = [...new Set(texts)].sort((a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0));
  const placeOf = new Map(distinct.map((text, place) => [text, place]));
  return { distinct, order: Int32Array.from(texts, (text) => placeOf.get(text) ?? 0) };
}

function textJob({ model, texts, textBatch = 32 }: EmbedOptions): { job: Job; order: Int32Array; distinct: number } {
  const { distinct, order } = distinctTexts(texts);
  const { tokenizer } = model;
  const job: Job = {
    name: "expressions",
    unit: "texts",
    count: distinct.length,
    rows: texts.length,
    batch: textBatch,
    lanes: 1,
    facts: { inputs: hashJson(texts), tokens: { kind: tokenizer.name, length: tokenizer.contextLength } },
    prepare: (start, end) =>
      Promise.resolve({
        skipped: [],
        run: (clock) => clock.during(() => model.embedTexts(distinct.slice(start, end))),
      }),
    close: () => Promise.resolve(),
  };
  return { job, order, distinct: distinct.length };
}

async function embedMatrix(job: Job, folder: string, options: EmbedOptions, order?: Int32Array): Promise<MatrixReport> {
  const { model, shard, force = false, progress = silentProgress } = options;
  const path = join(folder, `${job.name}.npy`);
  const manifestPath = join(folder, `${job.name}.json`);
  const settings = {
    format: embeddingsFormat,
    version: embeddingsVersion,
    kind: job.name,
    model: { id: model.id, hash: model.hash, dtype: model.dtype },
    dimension: model.dimension,
    dtype: "float32",
    count: job.rows,
    batch: job.batch,
    ...job.facts,
  };
  const key = embeddingsKey(settings);
  const [start, end] = shard === undefined ? [0, job.count] : rowsOfShard(job, shard);
  const rows = shard === undefined ? job.rows : end - start;
  const finished = await readFinished(path, manifestPath);
  if (finished?.key === key) {
    return { rows, reused: rows, skipped: finished.skipped, modelMs: 0, waitMs: 0 };
  }
  if (finished !== undefined && !force) {
    fail("exists", `"${path}" holds vectors of other inputs, settings or another model: use --force to replace them`);
  }
  await rm(manifestPath, { force: true });
  const partial = await PartialRows.open(path, key, end - start, model.dimension);
  try {
    const reused = partial.rows;
    const times = await runBatches(job, start, end, partial, progress);
    const { skipped } = partial;
    await partial.finish(order);
    const hash = await hashFile(path);
    const manifest =
      shard === undefined
        ? { ...settings, producer, key, hash, skipped }
        : {
            format: partFormat,
            version: embeddingsVersion,
            producer,
            shard,
            rows: [start, end],
            key,
            settings,
            hash,
            skipped,
          };
    await writeFileAtomic(manifestPath, `${JSON.stringify(manifest, undefined, 1)}\n`);
    return { rows, reused, skipped, ...times };
  } catch (error) {
    await partial.close().catch(() => undefined);
    throw error;
  } finally {
    await job.close();
  }
}

/** Hash of all that decides the numbers: of a manifest's settings but for the model's name. */
export function embeddingsKey(settings: Readonly<Record<string, unknown>>): string {
  const { id: _name, ...identity } = Object(settings.model) as Record<string, unknown>;
  return hashJson({ ...settings, model: identity });
}

/** Whole batches: a vector depends a little on its batch, so that parts have to be cut where one run would cut. */
function rowsOfShard({ count, batch }: Job, shard: Shard): readonly [start: number, end: number] {
  const [first, last] = shardRange(shard, Math.ceil(count / batch));
  return [Math.min(count, first * batch), Math.min(count, last * batch)];
}

/** Batches in the making beside the one that the model runs: enough to ride out a slow image, few enough for memory. */
const batchesAhead = 2;

async function runBatches(
  job: Job,
  first: number,
  last: number,
  partial: PartialRows,
  progress: Progress,
): Promise<{ modelMs: number; waitMs: number }> {
  const done = first + partial.rows;
  const label = partial.rows > 0 ? `embed ${job.unit} (${grouped(partial.rows)} from before)` : `embed ${job.unit}`;
  const task = progress.begin(label, last - done, job.unit);
  const ahead: Promise<Prepared>[] = [];
  const running: Promise<Ran>[] = [];
  // One more than there are lanes waits for the first that is free; alone, a batch runs when the one before is written.
  const runningAtOnce = job.lanes === 1 ? 1 : job.lanes + 1;
  let next = done;
  const clock = laneClock(job.lanes);
  const start = (): void => {
    const end = Math.min(last, next + job.batch);
    const prepared = job.prepare(next, end);
    prepared.catch(() => undefined); // awaited in its turn; until then a failure is not unhandled
    ahead.push(prepared);
    next = end;
  };
  let written: Promise<void> = Promise.resolve();
  try {
    for (;;) {
      for (;;) {
        while (next < last && ahead.length <= batchesAhead) start();
        const batch = running.length < runningAtOnce ? ahead.shift() : undefined;
        if (batch === undefined) break;
        const ran = runWhenPrepared(batch, clock);
        ran.catch(() => undefined); // awaited in its turn too
        running.push(ran);
      }
      const first = running.shift();
      if (first === undefined) break;
      const { vectors, skipped } = await first;
      await written;
      written = partial.append(vectors, skipped);
      written.catch(() => undefined);
      for (const { name, reason } of skipped) task.note(`skipped ${name}: ${reason}`);
      task.advance(vectors.length / partial.width);
    }
    await written;
  } finally {
    await written.catch(() => undefined);
    task.end();
  }
  return clock.read();
}

interface Ran {
  readonly vectors: Float32Array;
  readonly skipped: readonly SkippedRow[];
}

async function runWhenPrepared(batch: Promise<Prepared>, clock: LaneClock): Promise<Ran> {
  const { skipped, run } = await batch;
  return { vectors: await run(clock), skipped };
}

const badImageCodes: ReadonlySet<ErrorCode> = new Set(["bad-input", "not-found", "unsupported", "refused"]);

function isBadImage(error: unknown): error is NemosaicError {
  return error instanceof NemosaicError && badImageCodes.has(error.code);
}

interface Finished {
  readonly key: unknown;
  readonly skipped: SkippedRow[];
}

/** The key and skipped rows of a finished matrix; undefined where there is none. */
export async function readFinished(path: string, manifestPath: string): Promise<Finished | undefined> {
  if (!(await exists(path)) || !(await exists(manifestPath))) return undefined;
  try {
    const manifest = Object(JSON.parse(await readFile(manifestPath, "utf8"))) as Record<string, unknown>;
    return { key: manifest.key, skipped: Array.isArray(manifest.skipped) ? (manifest.skipped as SkippedRow[]) : [] };
  } catch {
    return { key: undefined, skipped: [] }; // damaged: it counts as another matrix, which --force replaces
  }
}
