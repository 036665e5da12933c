import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pMapIterable } from "p-map";
import { encodeNpy, npyHeader } from "../codecs/index.ts";
import {
  exists,
  hashBytes,
  hashFile,
  makeFolder,
  noTiming,
  onDisk,
  type Progress,
  producer,
  type Shard,
  type StageTimer,
  shardFolder,
  shardRange,
  withLock,
  writeFileAtomic,
  writeFully,
} from "../io/index.ts";
import { fail } from "../model/index.ts";
import { type MinedManifest, minedFolder, minedFormat, minedVersion, type Pool } from "../pool/index.ts";
import { listBytes } from "./dense-memory.ts";
import { BlockMiner } from "./mine-block.ts";
import { columnTypes, type MinedPart, minedHash, minedPartFormat, partFile, readMinedPart } from "./mined-part.ts";
import { ScoreHistogram } from "./score-histogram.ts";
import type { MinedColumns, Rank, Scorer } from "./scorer.ts";

export interface MinePoolOptions {
  /** The folder under mined/. */
  readonly name: string;
  readonly rank: Rank;
  /** Candidates to keep per expression; capped at the number there is. */
  readonly depth: number;
  /** Image rows that may become candidates, ascending, and the splits they came from. */
  readonly candidates: Int32Array;
  readonly candidateSplits: readonly string[];
  /** What the scores come from; its hash changes with model, preprocessing and inputs. */
  readonly relevance: { readonly kind: string; readonly model: string; readonly hash: string };
  readonly force: boolean;
  readonly progress: Progress;
  /**
   * Gets the stages "reading", "product", "selection", "scoring" (embeddings only) and "disk"; "mining" for all but the last
   * where threads mine side by side.
   */
  readonly timing?: StageTimer;
  /** Expressions per step, at most 2048: what is lost when a run is killed. Never changes a byte. */
  readonly stepExpressions?: number;
  /** Mines one share of the expressions, as a part for `mergeMined`. */
  readonly shard?: Shard;
}

export interface MineReport {
  readonly reused: boolean;
  readonly manifest: MinedManifest;
}

/** Steps are smaller where deep lists would take more than `stepBytes`. */
const mostExpressions = 2048;
const stepBytes = 150 * 2 ** 20;

/**
 * Ranks the candidates of every expression and writes mined/<name>. Steps are journalled: a killed run goes on where
 * it was and ends with the same bytes. Errors: "exists" for a mined set of other settings; "bad-input" for unusable scores.
 */
export async function minePool(pool: Pool, scorer: Scorer, options: MinePoolOptions): Promise<MineReport> {
  const { shard } = options;
  const whole = minedFolder(pool.folder, options.name);
  const folder = shard === undefined ? whole : shardFolder(whole, shard);
  const path = join(folder, shard === undefined ? "mined.json" : partFile);
  await makeFolder(folder);
  return withLock(folder, "mine", async () => {
    const depth = Math.min(options.depth, scorer.candidateCount);
    if (depth < 1)
      fail(
        "bad-input",
        `expected candidate images, found none: no ref of the splits ${options.candidateSplits.join(", ")} has an image`,
      );
    const candidates = {
      splits: [...options.candidateSplits],
      count: scorer.candidateCount,
      hash: hashBytes(bytesOf(options.candidates)),
    };
    const { relevance, rank } = options;
    const hash = minedHash({ pool: pool.manifest.hash, relevance, rank, depth, candidates });
    const known = shard === undefined ? await readJson(path) : options.force ? undefined : await readMinedPart(folder);
    if (known?.hash === hash && !options.force)
      return {
        reused: true,
        manifest: shard === undefined ? (known as unknown as MinedManifest) : manifestOfPart(known as MinedPart),
      };
    if (known !== undefined && !options.force) {
      fail(
        "exists",
        `"${folder}" was mined with other inputs or settings. Use --force to replace it, or --name to mine beside it`,
      );
    }
    await rm(path, { force: true });
    const order = expressionOrder(pool);
    const total = order.length;
    const [start, end] = shard === undefined ? [0, total] : shardRange(shard, total);
    const rows = order.subarray(start, end);
    const places = shard === undefined ? rows : Int32Array.from(rows, (_, at) => at);
    const histograms = await mineInto(pool, scorer, options, depth, folder, hash, rows, places);
    const facts = {
      format: minedFormat,
      version: minedVersion,
      producer,
      pool: pool.manifest.hash,
      relevance,
      rank,
      depth,
      expressions: total,
      truncated: depth < candidates.count,
      candidates,
      hash,
    } as const;
    const manifest: MinedManifest = { ...facts, scores: quantilesOf(histograms) };
    const part = { hash, format: minedPartFormat, shard, rows: [start, end], facts, scores: countsOf(histograms) };
    const files = shard === undefined ? {} : { files: await hashesOf(folder) };
    await writeFileAtomic(
      path,
      shard === undefined
        ? `${JSON.stringify(manifest, undefined, 2)}\n`
        : `${JSON.stringify({ ...part, ...files })}\n`,
    );
    return { reused: false, manifest };
  });
}

/** Counts of the scores that mining saw. */
export interface ScoreHistograms {
  readonly own: ScoreHistogram;
  readonly t2i: ScoreHistogram;
  readonly i2i: ScoreHistogram;
}

/** The quantiles that a manifest records. */
export function quantilesOf({ own, t2i, i2i }: ScoreHistograms): MinedManifest["scores"] {
  return { own: own.quantiles(), t2i: t2i.quantiles(), i2i: i2i.quantiles() };
}

function manifestOfPart({ facts, scores }: MinedPart): MinedManifest {
  return { ...facts, scores: quantilesOf(histogramsOf([scores])) };
}

/** The sum of what parts counted. */
export function histogramsOf(counts: readonly MinedPart["scores"][]): ScoreHistograms {
  const histograms = { own: new ScoreHistogram(), t2i: new ScoreHistogram(), i2i: new ScoreHistogram() };
  for (const scores of counts)
    for (const name of ["own", "t2i", "i2i"] as const) histograms[name].addCounts(scores[name]);
  return histograms;
}

function countsOf({ own, t2i, i2i }: ScoreHistograms) {
  return { own: own.counts(), t2i: t2i.counts(), i2i: i2i.counts() };
}

async function hashesOf(folder: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const name of [...Object.keys(columnTypes), "own"]) hashes[name] = await hashFile(join(folder, `${name}.npy`));
  return hashes;
}

/** Mines the expressions `order`; the candidates of order[i] go to row places[i] of the columns. */
async function mineInto(
  pool: Pool,
  scorer: Scorer,
  options: MinePoolOptions,
  depth: number,
  folder: string,
  hash: string,
  order: Int32Array,
  places: Int32Array,
): Promise<ScoreHistograms> {
  const work = join(folder, ".partial");
  const journalPath = join(work, "journal.json");
  const total = order.length;
  const journal = await readJson(journalPath);
  let done = journal?.hash === hash ? Number(journal.done) : 0;
  const isThere = await Promise.all(
    Object.keys(columnTypes).map(
      async (name) => (await exists(join(work, `${name}.npy`))) || (await exists(join(folder, `${name}.npy`))),
    ),
  );
  // A journal that cannot be, or of columns that are gone: all is mined again.
  if (!Number.isSafeInteger(done) || done < 0 || done > total || !isThere.every(Boolean)) done = 0;
  if (done === 0) await rm(work, { recursive: true, force: true });
  await makeFolder(work);

  const files = {} as Record<keyof typeof columnTypes, { handle: FileHandle; header: number }>;
  const timing = options.timing ?? noTiming;
  const save = async (columns: MinedColumns, step: Int32Array, end: number): Promise<void> => {
    for (const name of ["ids", "t2i", "i2i"] as const) {
      const { handle, header } = files[name];
      await writeRows(handle, header, columns[name], step, depth, join(work, name));
      await onDisk(join(work, name), () => handle.datasync());
    }
    await writeFileAtomic(journalPath, JSON.stringify({ hash, done: end }));
    task.advance(step.length);
  };
  const task = options.progress.begin("mine", total, "expressions");
  task.advance(done);
  try {
    for (const [name, type] of Object.entries(columnTypes) as [keyof typeof columnTypes, "int32" | "float32"][]) {
      const path = join(work, `${name}.npy`);
      // Killed while the columns were moved into place: those that are there already come back.
      if (done > 0 && !(await exists(path))) await onDisk(path, () => rename(join(folder, `${name}.npy`), path));
      const handle = await onDisk(path, () => open(path, done === 0 ? "w+" : "r+"));
      const header = npyHeader(type, [total, depth]);
      files[name] = { handle, header: header.length };
      if (done === 0) {
        await onDisk(path, () => handle.write(header, 0, header.length, 0));
        await onDisk(path, () => handle.truncate(header.length + total * depth * 4));
      }
    }
    const stepRows = stepSize(options, depth, total);
    const miners = (await scorer.miners?.(options.rank, depth, stepRows, timing)) ?? [
      new BlockMiner(scorer, options.rank, depth, stepRows, timing),
    ];
    const starts = Array.from({ length: Math.ceil((total - done) / stepRows) }, (_, at) => done + at * stepRows);
    const free = [...miners];
    const mined = pMapIterable(
      starts,
      async (start) => {
        const step = order.subarray(start, start + stepRows);
        const { images, imageOf } = imagesOf(pool, step);
        const miner = free.pop() ?? fail("internal", "more steps than miners");
        const columns = await miner.mine(step, images, imageOf);
        free.push(miner);
        for (let at = 0; at < columns.ids.length; at++) {
          columns.ids[at] = options.candidates[columns.ids[at] as number] as number;
        }
        const end = start + step.length;
        return { columns, step: places.subarray(start, end), end };
      },
      { concurrency: miners.length, backpressure: miners.length * 2 },
    );
    let waiting = timing.now();
    for await (const { columns, step, end } of mined) {
      if (miners.length > 1) timing.since("mining", waiting);
      waiting = timing.now();
      await save(columns, step, end);
      waiting = timing.since("disk", waiting);
    }
  } finally {
    task.end();
    for (const file of Object.values(files)) await file.handle.close();
  }
  const expressions = new Int32Array(total);
  for (let at = 0; at < total; at++) expressions[places[at] as number] = order[at] as number;
  return finish(pool, scorer, options.candidates, depth, work, folder, expressions);
}

/** Expressions of a step of lists of `depth`. */
export function stepSize(
  { stepExpressions = mostExpressions }: Pick<MinePoolOptions, "stepExpressions">,
  depth: number,
  total: number,
): number {
  return Math.max(1, Math.min(stepExpressions, mostExpressions, total, Math.floor(stepBytes / listBytes(depth))));
}

/** Own scores, quantiles, and the move of the columns into place. */
async function finish(
  pool: Pool,
  scorer: Scorer,
  candidates: Int32Array,
  depth: number,
  work: string,
  folder: string,
  expressions: Int32Array,
): Promise<ScoreHistograms> {
  const total = expressions.length;
  const images = expressions.map((row) => pool.refs.image[pool.expressions.ref[row] as number] as number);
  const own = await scorer.pairs(expressions, images);
  await writeFileAtomic(join(folder, "own.npy"), encodeNpy(own, [total]));

  const isCandidate = new Uint8Array(pool.images.count);
  for (const image of candidates) isCandidate[image] = 1;
  const histograms = { own: new ScoreHistogram(), t2i: new ScoreHistogram(), i2i: new ScoreHistogram() };
  for (const [row, expression] of expressions.entries()) {
    // A no-target expression is true of nothing in its own image: no positive.
    const hasTarget = pool.targetsOfRef(pool.expressions.ref[expression] as number).length > 0;
    if (hasTarget && isCandidate[images[row] as number] === 1) histograms.own.add(own[row] as number);
  }
  await scan(work, depth, total, (row, ids, t2i, i2i) => {
    for (let at = 0; at < depth; at++) {
      if (ids[at] === images[row]) continue;
      histograms.t2i.add(t2i[at] as number);
      histograms.i2i.add(i2i[at] as number);
    }
  });
  for (const name of Object.keys(columnTypes)) {
    await onDisk(folder, () => rename(join(work, `${name}.npy`), join(folder, `${name}.npy`)));
  }
  await rm(work, { recursive: true, force: true });
  return histograms;
}

async function scan(
  work: string,
  depth: number,
  total: number,
  visit: (row: number, ids: Int32Array, t2i: Float32Array, i2i: Float32Array) => void,
): Promise<void> {
  const header = npyHeader("int32", [total, depth]).length;
  const handles = await Promise.all(["ids", "t2i", "i2i"].map((name) => open(join(work, `${name}.npy`), "r")));
  try {
    const step = Math.max(1, Math.floor((1 << 22) / depth));
    const buffers = handles.map(() => new ArrayBuffer(step * depth * 4));
    for (let start = 0; start < total; start += step) {
      const count = Math.min(step, total - start);
      for (const [at, handle] of handles.entries()) {
        await handle.read(new Uint8Array(buffers[at] as ArrayBuffer), 0, count * depth * 4, header + start * depth * 4);
      }
      const [ids, t2i, i2i] = [
        new Int32Array(buffers[0] as ArrayBuffer),
        new Float32Array(buffers[1] as ArrayBuffer),
        new Float32Array(buffers[2] as ArrayBuffer),
      ];
      for (let row = 0; row < count; row++) {
        const [from, to] = [row * depth, (row + 1) * depth];
        visit(start + row, ids.subarray(from, to), t2i.subarray(from, to), i2i.subarray(from, to));
      }
    }
  } finally {
    await Promise.all(handles.map((handle) => handle.close()));
  }
}

/** Expression rows sorted by image (ties by row), so that image-to-image scores are computed once per image. */
export function expressionOrder(pool: Pool): Int32Array {
  const imageOf = (row: number): number => pool.refs.image[pool.expressions.ref[row] as number] as number;
  return Int32Array.from({ length: pool.expressions.count }, (_, at) => at).sort(
    (a, b) => imageOf(a) - imageOf(b) || a - b,
  );
}

function imagesOf(pool: Pool, expressions: Int32Array): { images: Int32Array; imageOf: Int32Array } {
  const images: number[] = [];
  const imageOf = expressions.map((row) => {
    const image = pool.refs.image[pool.expressions.ref[row] as number] as number;
    if (images[images.length - 1] !== image) images.push(image);
    return images.length - 1;
  });
  return { images: Int32Array.from(images), imageOf };
}

/** Writes row i of `column` at row `rows[i]` of the file, consecutive rows in one go. */
export async function writeRows(
  handle: FileHandle,
  header: number,
  column: Int32Array | Float32Array,
  rows: Int32Array,
  depth: number,
  path: string,
): Promise<void> {
  const bytes = bytesOf(column);
  const stride = depth * 4;
  for (let at = 0; at < rows.length; ) {
    let run = 1;
    while (at + run < rows.length && rows[at + run] === (rows[at] as number) + run) run++;
    await writeFully(
      handle,
      bytes.subarray(at * stride, (at + run) * stride),
      header + (rows[at] as number) * stride,
      path,
    );
    at += run;
  }
}

function bytesOf(array: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  if (!(await exists(path))) return undefined;
  try {
    return JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  } catch {
    return undefined; // cut short or foreign: as if it were not there; mined.json is checked where it is read
  }
}
