import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type Column,
  finishSwap,
  gatherRows,
  openColumns,
  openStaging,
  removeWorkOf,
  type Staging,
  shardFolder,
} from "../../artefacts/index.ts";
import { encodeNpy } from "../../codecs/index.ts";
import {
  exists,
  hashFile,
  hashJson,
  makeFolder,
  producer,
  type Shard,
  shardRange,
  silentProgress,
  withLock,
  writeFileAtomic,
} from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import type { Tokenizer } from "../../tokens/index.ts";
import type { EmbedOptions } from "./embed-options.ts";
import { imageJob } from "./image-job.ts";
import {
  embeddingsFormat,
  embeddingsKey,
  embeddingsStaging,
  embeddingsVersion,
  type MatrixSettings,
  partFiles,
  partFormat,
  readMatrixManifest,
  readMatrixPart,
  type SkippedRow,
} from "./manifest.ts";
import { type Job, runBatches } from "./run-batches.ts";

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

/**
 * Embeds images and expressions into `folder`: float32 .npy files with a manifest each. Decoding and preprocessing
 * overlap the model. A killed run goes on where it was, to the same bytes; finished matrices of the same inputs are reused,
 * but with `force`. What is finished stays as it was until all of the new is whole.
 * Errors: `exists` where the folder holds vectors of other inputs and `force` is off; those of the images where
 * `onBad` is "fail"; `locked`.
 */
export async function embedSources(options: EmbedOptions): Promise<EmbedReport> {
  const { shard, force = false } = options;
  const folder = shard === undefined ? options.folder : shardFolder(options.folder, shard);
  const { job, order, distinct } = textJob(options);
  const { crops } = options.images;
  const images = matrixOf(
    imageJob(options),
    options,
    crops && { order: wholeImages(crops.starts), starts: crops.starts },
  );
  const expressions = matrixOf(job, options, { order });
  await makeFolder(folder);
  return withLock(folder, "embed", async () => {
    await finishSwap(folder, embeddingsStaging);
    const matrices = [images, expressions];
    const finished = await Promise.all(matrices.map((matrix) => finishedMatrix(folder, matrix)));
    const isDone = (at: number): boolean => finished[at]?.key === matrices[at]?.key && !force;
    for (const [at, { job: other }] of matrices.entries())
      if (finished[at] !== undefined && !isDone(at) && !force)
        fail(
          "exists",
          `"${join(folder, `${other.name}.npy`)}" holds vectors of other inputs, settings or another model: use --force to replace them`,
        );
    const wanted = matrices.filter((_, at) => !isDone(at));
    const reports = new Map<Matrix, MatrixReport>();
    for (const [at, matrix] of matrices.entries())
      reports.set(matrix, reusedReport(matrix, finished[at]?.skipped ?? []));
    if (wanted.length === 0) {
      const keys = matrices.map(({ key }) => key);
      await removeWorkOf(folder, embeddingsStaging, keys);
    } else {
      const staging = await openStaging(folder, embeddingsStaging);
      for (const matrix of wanted) reports.set(matrix, await embedMatrix(staging, matrix, options));
      await staging.commit(wanted.map(({ job: { name } }) => `${name}.json`));
      // What an earlier one with crops left.
      if (crops === undefined)
        for (const file of Object.values(partFiles)) await rm(join(folder, file), { force: true });
    }
    const report = (matrix: Matrix): MatrixReport =>
      reports.get(matrix) ?? fail("internal", "a matrix without a report");
    return { images: report(images), expressions: report(expressions), distinctTexts: distinct };
  });
}

/** The row of each image's first vector. */
export function wholeImages(starts: Int32Array): Int32Array {
  return starts.subarray(0, starts.length - 1);
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
    facts: { inputs: hashJson(texts), tokens: tokenFacts(tokenizer) },
    prepare: (start, end) =>
      Promise.resolve({
        skipped: [],
        run: (clock) => clock.during(() => model.embedTexts(distinct.slice(start, end))),
      }),
    close: () => Promise.resolve(),
  };
  return { job, order, distinct: distinct.length };
}

function tokenFacts({ name, contextLength, cleaning }: Tokenizer): Readonly<Record<string, unknown>> {
  return { kind: name, length: contextLength, ...(cleaning === undefined ? {} : { cleaning }) };
}

/** One matrix, and what its manifest will say. */
interface Matrix {
  readonly job: Job;
  readonly settings: MatrixSettings;
  readonly key: string;
  /** The job's batches that are to be made: rows [start, end) of the job. */
  readonly range: readonly [start: number, end: number];
  /** Row i of the whole matrix is row order[i] of the job; undefined where they are the same, and for shards. */
  readonly order: Int32Array | undefined;
  /** Where the job's rows are kept beside the matrix: where each image's begin. */
  readonly starts: Int32Array | undefined;
}

function matrixOf(
  job: Job,
  { model, shard }: EmbedOptions,
  given: { readonly order?: Int32Array; readonly starts?: Int32Array } = {},
): Matrix {
  const { order, starts } = shard === undefined ? given : {};
  const settings: MatrixSettings = {
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
  const range = shard === undefined ? ([0, job.count] as const) : rowsOfShard(job, shard);
  return { job, settings, key: embeddingsKey(settings), range, order, starts };
}

/** What is finished of a matrix; a damaged manifest counts as that of another one, which --force replaces. */
async function finishedMatrix(folder: string, { job: { name } }: Matrix): Promise<Finished | undefined> {
  const isPart = (await exists(join(folder, `${name}.npy`))) && (await exists(join(folder, `${name}.json`)));
  if (!isPart) return undefined;
  const damaged = { key: undefined, skipped: [] };
  return (
    (await readMatrixManifest(folder, name).catch(() => undefined)) ??
    (await readMatrixPart(folder, name).catch(() => damaged))
  );
}

interface Finished {
  readonly key: string | undefined;
  readonly skipped: readonly SkippedRow[];
}

function reusedReport({ job, range: [start, end], order }: Matrix, skipped: readonly SkippedRow[]): MatrixReport {
  const rows = order === undefined ? end - start : job.rows;
  return { rows, reused: rows, skipped, modelMs: 0, waitMs: 0 };
}

async function embedMatrix(staging: Staging, matrix: Matrix, options: EmbedOptions): Promise<MatrixReport> {
  const { shard, progress = silentProgress } = options;
  const { job, settings, key, range, order, starts } = matrix;
  const [start, end] = range;
  const file = `${job.name}.npy`;
  const made = order === undefined ? file : starts === undefined ? inOrder : partFiles.vectors;
  const staged = await finishedMatrix(staging.path(""), matrix);
  if (staged?.key === key) {
    // Killed when this matrix was whole and the other was not.
    if (made === inOrder) await rm(staging.path(made), { force: true });
    return reusedReport(matrix, staged.skipped);
  }
  await rm(staging.path(`${job.name}.json`), { force: true });
  const shape = [end - start, settings.dimension] as const;
  const column: Column = { file: made, dtype: "float32", shape };
  const writer = await openColumns<SkippedRow>(staging, { name: job.name, key, rows: end - start, columns: [column] });
  const reused = writer.done;
  try {
    const times = await runBatches(job, start, end, writer, settings.dimension, progress);
    const skipped = oncePerRow(writer.notes);
    await writer.close();
    if (order !== undefined) await gatherRows(staging.path(made), staging.path(file), order);
    if (starts !== undefined) await writeFileAtomic(staging.path(partFiles.starts), encodeNpy(starts, [starts.length]));
    const hash = await hashFile(staging.path(file));
    const manifest =
      shard === undefined
        ? { ...settings, producer, key, hash, skipped }
        : {
            format: partFormat,
            version: embeddingsVersion,
            producer,
            shard,
            rows: range,
            key,
            settings,
            hash,
            skipped,
          };
    await writeFileAtomic(staging.path(`${job.name}.json`), `${JSON.stringify(manifest, undefined, 1)}\n`);
    if (made === inOrder) await rm(staging.path(made), { force: true });
    return { rows: order === undefined ? end - start : job.rows, reused, skipped, ...times };
  } finally {
    await writer.close();
    await job.close();
  }
}

/** Distinct texts in the order in which they are run, until all are there and each row of the matrix can be taken from them. */
const inOrder = "distinct.npy";

/** What was noted, once for each image: the crops of one may lie in two batches. */
export function oncePerRow(skipped: readonly SkippedRow[]): SkippedRow[] {
  const seen = new Set<number>();
  return skipped.filter(({ row }) => !seen.has(row) && seen.add(row));
}

/** Whole batches: a vector depends a little on its batch, so that parts have to be cut where one run would cut. */
function rowsOfShard({ count, batch }: Job, shard: Shard): readonly [start: number, end: number] {
  const [first, last] = shardRange(shard, Math.ceil(count / batch));
  return [Math.min(count, first * batch), Math.min(count, last * batch)];
}
