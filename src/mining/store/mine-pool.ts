import { type FileHandle, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pMapIterable } from "p-map";
import { z } from "zod";
import {
  type ColumnsWriter,
  finishSwap,
  openColumns,
  openStaging,
  removeWorkOf,
  type Staging,
  shardFolder,
} from "../../artefacts/index.ts";
import { encodeNpy, npyHeader } from "../../codecs/index.ts";
import {
  exists,
  hashBytes,
  hashFile,
  makeFolder,
  noTiming,
  type Progress,
  producer,
  type Shard,
  type StageTimer,
  shardRange,
  withLock,
  writeFileAtomic,
} from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import {
  type MinedManifest,
  minedFolder,
  minedFormat,
  minedSchema,
  minedVersion,
  type Pool,
} from "../../pool/index.ts";
import { listBytes } from "../dense/index.ts";
import { PlainMiner } from "../plain/index.ts";
import type { Rank, Scorer } from "../scorer.ts";
import {
  columnTypes,
  type MinedPart,
  manifestText,
  minedHash,
  minedPartFormat,
  partFile,
  readMinedPart,
} from "./mined-part.ts";
import { ScoreHistogram } from "./score-histogram.ts";

/** The file that makes a mined set count, and the name of what is being made of one. */
export const minedManifest = "mined.json";
export const minedStaging = "mined";

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
  /** Replace a mined set of other settings, or make one of the same anew; the earlier one stays until the new one is whole. */
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

/** What mining made, or that it was there already (`reused`). */
export interface MineReport {
  readonly reused: boolean;
  readonly manifest: MinedManifest;
}

/** Steps are smaller where deep lists would take more than `stepBytes`. */
const mostExpressions = 2048;
const stepBytes = 150 * 2 ** 20;

/**
 * Ranks the candidates of every expression and writes mined/<name>. Steps are journalled: a killed run goes on where
 * it was and ends with the same bytes. A finished set stays as it was until the new one is whole; one that was mined before
 * the pool changed, which nothing can read, is replaced without `force`.
 * Errors: "exists" for a mined set of other settings; "bad-input" for unusable scores.
 */
export async function minePool(pool: Pool, scorer: Scorer, options: MinePoolOptions): Promise<MineReport> {
  const { shard } = options;
  const whole = minedFolder(pool.folder, options.name);
  const folder = shard === undefined ? whole : shardFolder(whole, shard);
  await makeFolder(folder);
  return withLock(folder, "mine", async () => {
    await finishSwap(folder, minedStaging);
    const facts = factsOf(pool, scorer, options);
    const known = await knownSet(folder, options);
    if (known?.manifest?.hash === facts.hash && !options.force) {
      await removeWorkOf(folder, minedStaging, [facts.hash]);
      return { reused: true, manifest: known.manifest };
    }
    if (known !== undefined && known.pool === facts.pool && known.hash !== facts.hash && !options.force)
      fail(
        "exists",
        `"${folder}" was mined with other inputs or settings. Use --force to replace it, or --name to mine beside it`,
      );
    const order = expressionOrder(pool);
    const rows = shard === undefined ? ([0, order.length] as const) : shardRange(shard, order.length);
    const expressions = order.subarray(...rows);
    const places = shard === undefined ? expressions : Int32Array.from(expressions, (_, at) => at);
    const staging = await openStaging(folder, minedStaging);
    const job: MineJob = { staging, pool, scorer, options, facts, expressions, places };
    await mineInto(job);
    const histograms = await finish(job);
    const manifest: MinedManifest = { ...facts, scores: quantilesOf(histograms) };
    if (shard === undefined) {
      await writeFileAtomic(staging.path(minedManifest), manifestText(manifest));
      await staging.commit([minedManifest]);
    } else {
      const part: MinedPart = {
        shard,
        rows: [...rows],
        hash: facts.hash,
        facts,
        scores: countsOf(histograms),
        files: await hashesOf(staging),
      };
      await writeFileAtomic(staging.path(partFile), partText(part));
      await staging.commit([partFile]);
    }
    return { reused: false, manifest };
  });
}

/** One run of mining: the candidates of expressions[i] go to row places[i] of the columns. */
interface MineJob {
  readonly staging: Staging;
  readonly pool: Pool;
  readonly scorer: Scorer;
  readonly options: MinePoolOptions;
  readonly facts: MinedPart["facts"];
  readonly expressions: Int32Array;
  readonly places: Int32Array;
}

/** What a mined set's manifest will say before anything is mined. Errors: "bad-input" where there are no candidates. */
function factsOf(pool: Pool, scorer: Scorer, options: MinePoolOptions): MinedPart["facts"] {
  const { relevance, rank, candidateSplits } = options;
  const depth = Math.min(options.depth, scorer.candidateCount);
  if (depth < 1)
    fail(
      "bad-input",
      `expected candidate images, found none: no ref of the splits ${candidateSplits.join(", ")} has an image`,
    );
  const candidates = {
    splits: [...candidateSplits],
    count: scorer.candidateCount,
    hash: hashBytes(bytesOf(options.candidates)),
  };
  const decides = { pool: pool.manifest.hash, relevance, rank, depth, candidates };
  return {
    format: minedFormat,
    version: minedVersion,
    producer,
    pool: pool.manifest.hash,
    relevance,
    rank,
    depth,
    expressions: pool.expressions.count,
    truncated: depth < candidates.count,
    candidates,
    hash: minedHash(decides),
  };
}

/** A finished set or part; without a manifest where the rest of it is damaged, or is another version's. */
type KnownSet = Pick<MinedManifest, "hash" | "pool"> & { readonly manifest?: MinedManifest };

const headSchema = z.object({ hash: z.string(), pool: z.string() });

/** What is finished in the folder; a damaged part counts as none where it is to be replaced. */
async function knownSet(folder: string, { shard, force }: MinePoolOptions): Promise<KnownSet | undefined> {
  if (shard === undefined) {
    const known = await readJson(join(folder, minedManifest));
    const manifest = minedSchema.safeParse(known);
    return manifest.success
      ? { hash: manifest.data.hash, pool: manifest.data.pool, manifest: manifest.data }
      : headSchema.safeParse(known).data;
  }
  const part = force ? undefined : await readMinedPart(folder);
  if (part === undefined) return undefined;
  const manifest = manifestOfPart(part);
  return { hash: manifest.hash, pool: manifest.pool, manifest };
}

function partText({ hash, shard, rows, facts, scores, files }: MinedPart): string {
  return `${JSON.stringify({ hash, format: minedPartFormat, shard, rows, facts, scores, files })}\n`;
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

async function hashesOf(staging: Staging): Promise<MinedPart["files"]> {
  const hash = (name: string): Promise<string> => hashFile(staging.path(`${name}.npy`));
  return { ids: await hash("ids"), t2i: await hash("t2i"), i2i: await hash("i2i"), own: await hash("own") };
}

async function mineInto(job: MineJob): Promise<void> {
  const { staging, options, facts } = job;
  const total = job.expressions.length;
  const columns = Object.entries(columnTypes).map(([name, dtype]) => ({
    file: `${name}.npy`,
    dtype,
    shape: [total, facts.depth],
  }));
  const writer = await openColumns(staging, { name: minedStaging, key: facts.hash, rows: total, columns });
  // What an earlier run made is no work of this one: rate and time left are of the rest.
  const task = options.progress.begin("mine", total - writer.done, "expressions");
  try {
    await mineSteps(job, writer, (rows) => task.advance(rows));
  } finally {
    task.end();
    await writer.close();
  }
}

async function mineSteps(
  { pool, scorer, options, facts: { depth }, expressions, places }: MineJob,
  writer: ColumnsWriter<never>,
  advance: (rows: number) => void,
): Promise<void> {
  const { done } = writer;
  const timing = options.timing ?? noTiming;
  const stepRows = stepSize(options, depth, expressions.length);
  const miners = (await scorer.miners?.(options.rank, depth, stepRows, timing)) ?? [
    new PlainMiner(scorer, { rank: options.rank, depth, rows: stepRows, timing }),
  ];
  const starts = Array.from(
    { length: Math.ceil((expressions.length - done) / stepRows) },
    (_, at) => done + at * stepRows,
  );
  const free = [...miners];
  const mined = pMapIterable(
    starts,
    async (start) => {
      const step = expressions.subarray(start, start + stepRows);
      const { images, imageOf } = imagesOf(pool, step);
      const miner = free.pop() ?? fail("internal", "more steps than miners");
      const columns = await miner.mine(step, images, imageOf);
      free.push(miner);
      for (let at = 0; at < columns.ids.length; at++) {
        columns.ids[at] = options.candidates[columns.ids[at]!]!;
      }
      return { columns, at: places.subarray(start, start + step.length) };
    },
    { concurrency: miners.length, backpressure: miners.length * 2 },
  );
  let waiting = timing.now();
  for await (const { columns, at } of mined) {
    if (miners.length > 1) timing.since("mining", waiting);
    waiting = timing.now();
    await writer.write([columns.ids, columns.t2i, columns.i2i], { at });
    advance(at.length);
    waiting = timing.since("disk", waiting);
  }
}

/** Expressions of a step of lists of `depth`. */
export function stepSize(
  { stepExpressions = mostExpressions }: Pick<MinePoolOptions, "stepExpressions">,
  depth: number,
  total: number,
): number {
  return Math.max(1, Math.min(stepExpressions, mostExpressions, total, Math.floor(stepBytes / listBytes(depth))));
}

/** Own scores, which are written beside the columns, and counts of all scores. */
async function finish({ staging, pool, scorer, options, facts, ...mined }: MineJob): Promise<ScoreHistograms> {
  const { depth } = facts;
  const total = mined.expressions.length;
  const expressions = new Int32Array(total);
  for (let at = 0; at < total; at++) expressions[mined.places[at]!] = mined.expressions[at]!;
  const images = expressions.map((row) => pool.refs.image[pool.expressions.ref[row]!]!);
  const own = await scorer.pairs(expressions, images);
  await writeFileAtomic(staging.path("own.npy"), encodeNpy(own, [total]));

  const isCandidate = new Uint8Array(pool.images.count);
  for (const image of options.candidates) isCandidate[image] = 1;
  const histograms = { own: new ScoreHistogram(), t2i: new ScoreHistogram(), i2i: new ScoreHistogram() };
  for (const [row, expression] of expressions.entries()) {
    // A no-target expression is true of nothing in its own image: no positive.
    const hasTarget = pool.targetsOfRef(pool.expressions.ref[expression]!).length > 0;
    if (hasTarget && isCandidate[images[row]!] === 1) histograms.own.add(own[row]!);
  }
  await scan(staging, depth, total, (row, ids, t2i, i2i) => {
    for (let at = 0; at < depth; at++) {
      if (ids[at] === images[row]) continue;
      histograms.t2i.add(t2i[at]!);
      histograms.i2i.add(i2i[at]!);
    }
  });
  return histograms;
}

async function scan(
  staging: Staging,
  depth: number,
  total: number,
  visit: (row: number, ids: Int32Array, t2i: Float32Array, i2i: Float32Array) => void,
): Promise<void> {
  const header = npyHeader("int32", [total, depth]).length;
  const handles: FileHandle[] = [];
  try {
    for (const name of Object.keys(columnTypes)) handles.push(await open(staging.path(`${name}.npy`), "r"));
    const step = Math.max(1, Math.floor((1 << 22) / depth));
    const buffers = handles.map(() => new ArrayBuffer(step * depth * 4));
    for (let start = 0; start < total; start += step) {
      const count = Math.min(step, total - start);
      for (const [at, handle] of handles.entries()) {
        await handle.read(new Uint8Array(buffers[at]!), 0, count * depth * 4, header + start * depth * 4);
      }
      const [ids, t2i, i2i] = [
        new Int32Array(buffers[0]!),
        new Float32Array(buffers[1]!),
        new Float32Array(buffers[2]!),
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
  const imageOf = (row: number): number => pool.refs.image[pool.expressions.ref[row]!]!;
  return Int32Array.from({ length: pool.expressions.count }, (_, at) => at).sort(
    (a, b) => imageOf(a) - imageOf(b) || a - b,
  );
}

function imagesOf(pool: Pool, expressions: Int32Array): { images: Int32Array; imageOf: Int32Array } {
  const images: number[] = [];
  const imageOf = expressions.map((row) => {
    const image = pool.refs.image[pool.expressions.ref[row]!]!;
    if (images[images.length - 1] !== image) images.push(image);
    return images.length - 1;
  });
  return { images: Int32Array.from(images), imageOf };
}

function bytesOf(array: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

async function readJson(path: string): Promise<unknown> {
  if (!(await exists(path))) return undefined;
  try {
    return JSON.parse(await readFile(path, "utf8")) as unknown;
  } catch {
    return undefined; // cut short or foreign: as if it were not there; a manifest is checked where it is read
  }
}
