import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { finishSwap, makeAside, openColumns, type Staging } from "../../artefacts/index.ts";
import { decodePickle, encodeNpy, LmdbReader, type PickleValue } from "../../codecs/index.ts";
import {
  exists,
  hashBytes,
  hashFile,
  hashJson,
  makeFolder,
  type Progress,
  producer,
  withLock,
  writeFileAtomic,
} from "../../io/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import { Mined, type MinedManifest, minedFolder, minedFormat, minedVersion, type Pool } from "../../pool/index.ts";
import { minedManifest, minedStaging, quantilesOf, type ScoreHistograms } from "../store/mine-pool.ts";
import { columnTypes, manifestText } from "../store/mined-part.ts";
import { mineRisk } from "../store/risk.ts";
import { ScoreHistogram } from "../store/score-histogram.ts";
import { chosenSource, imagesInReferenceOrder, refsOf, rowsByImageId } from "./list-images.ts";

/** Which lists of the released loader to read, and whose sentences they rank. */
export interface ImportListsOptions {
  /** The reference's text-to-image lists; its image-to-image lists where there are any. */
  readonly t2i: string;
  readonly i2i: string | undefined;
  readonly source: string | undefined;
  readonly split: string;
  /** Candidates kept of each list at most. */
  readonly depth: number;
  /** The folder to make under mined/. */
  readonly name: string;
  /** Replace a mined set of that name; it stays until the new one is whole. */
  readonly force: boolean;
  readonly progress: Progress;
}

/** What reading the lists gave. */
export interface ImportListsReport {
  /** Sentences of the split with a list, and those without. */
  readonly listed: number;
  readonly unlisted: number;
  readonly depth: number;
  /** What was passed over, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** How the owner of each image-to-image list was told; null without such lists. */
  readonly imageOrder: string | null;
}

/** One sentence's list: image rows and scores, best first. */
interface ScoreList {
  readonly ids: number[];
  readonly scores: number[];
}

/**
 * Makes a mined set of the reference's LMDB score lists. Sentences are found by their id; images by the number in their file's
 * name; what the pool does not have is passed over and counted. Rows of sentences without a list, and the ends of short ones,
 * hold the sentence's own image, which no band ever takes; scores that no list states are NaN.
 * Errors: "exists"; "bad-input" for files that hold something else, or nothing that the pool knows.
 */
export async function importLists(pool: Pool, options: ImportListsOptions): Promise<ImportListsReport> {
  const folder = minedFolder(pool.folder, options.name);
  await makeFolder(folder);
  const imported = await withLock(folder, "import lists", async () => {
    await finishSwap(folder, minedStaging);
    if (!options.force && (await exists(join(folder, minedManifest))))
      fail("exists", `"${folder}" exists already. Use --force to replace it, or --name for another`);
    let report: ImportListsReport | undefined;
    await makeAside(folder, minedStaging, async (staging) => {
      report = await importInto(staging, pool, options);
      return [minedManifest];
    });
    return report ?? fail("internal", "no report of the lists");
  }).catch(async (error: unknown) => {
    await rmdir(folder).catch(() => undefined); // a folder that this made stays empty when the lists are refused
    throw error;
  });
  const { name, force, progress } = options;
  const mined = await Mined.open(pool.folder, name, pool.manifest.hash);
  try {
    if (mined !== undefined) await mineRisk(pool, mined, { name, force, progress });
  } finally {
    await mined?.close();
  }
  return imported;
}

async function importInto(staging: Staging, pool: Pool, options: ImportListsOptions): Promise<ImportListsReport> {
  const { split, progress } = options;
  const source = chosenSource(pool, options.source);
  const refs = refsOf(pool, source, split);
  if (refs.length === 0) fail("usage", `source "${source}" has no refs of split "${split}"`);
  const ledger = new Map<string, number>();
  const rows = rowsByImageId(pool);
  const expressions = expressionsById(pool, refs);
  const wanted = [...expressions.values()].flat().length;
  const imageScores =
    options.i2i === undefined ? undefined : await readImageLists(pool, options.i2i, refs, rows, ledger);
  const depth = await longestList(options, expressions, rows);
  const candidates = candidateFacts(pool, split);
  const relevance = {
    kind: "lists",
    model: "the reference's lists",
    hash: hashJson([await hashFile(options.t2i), options.i2i === undefined ? null : await hashFile(options.i2i)]),
  };
  const decides = { version: minedVersion, pool: pool.manifest.hash, relevance, source, split, depth, candidates };
  const hash = hashJson(decides);

  const total = pool.expressions.count;
  const columns = Object.entries(columnTypes).map(([name, dtype]) => ({
    file: `${name}.npy`,
    dtype,
    shape: [total, depth],
  }));
  const writer = await openColumns(staging, { name: minedStaging, key: hash, rows: total, columns });
  const rowWriter = new ListRows(pool, depth, imageScores?.lists, (block, at) => writer.write(block, { at }));
  const seen = new Uint8Array(total);
  const task = progress.begin("import lists", wanted, "sentences");
  let listed = 0;
  try {
    for await (const { row, list } of textLists(options.t2i, expressions, rows, ledger)) {
      if (seen[row] === 1) fail("bad-input", `"${options.t2i}" has two lists for ${pool.expressionKey(row)}`);
      seen[row] = 1;
      listed++;
      task.advance();
      await rowWriter.add(row, list);
    }
    for (let row = 0; row < total; row++) if (seen[row] === 0) await rowWriter.add(row, { ids: [], scores: [] });
    await rowWriter.flush();
  } finally {
    task.end();
    await writer.close();
  }
  await writeFileAtomic(staging.path("own.npy"), encodeNpy(rowWriter.own, [total]));
  const manifest: MinedManifest = {
    format: minedFormat,
    version: minedVersion,
    producer,
    pool: pool.manifest.hash,
    relevance,
    rank: "t2i",
    depth,
    expressions: total,
    truncated: depth < candidates.count,
    candidates,
    hash,
    scores: quantilesOf(rowWriter.histograms),
  };
  await writeFileAtomic(staging.path(minedManifest), manifestText(manifest));
  return {
    listed,
    unlisted: wanted - listed,
    depth,
    skipped: Object.fromEntries([...ledger].sort()),
    imageOrder: imageScores?.order ?? null,
  };
}

/** Rows of lists on their way into the columns: some at a time, with their own scores and counts of all. */
class ListRows {
  /** Of each expression with its own image; NaN where its list does not say. */
  readonly own: Float32Array;
  readonly histograms = { own: new ScoreHistogram(), t2i: new ScoreHistogram(), i2i: new ScoreHistogram() };
  readonly #pool: Pool;
  readonly #depth: number;
  readonly #similar: ImageLists["lists"] | undefined;
  readonly #write: (block: [Int32Array, Float32Array, Float32Array], at: Int32Array) => Promise<void>;
  #rows: number[] = [];
  readonly #ids: Int32Array;
  readonly #t2i: Float32Array;
  readonly #i2i: Float32Array;

  constructor(
    pool: Pool,
    depth: number,
    similar: ImageLists["lists"] | undefined,
    write: (block: [Int32Array, Float32Array, Float32Array], at: Int32Array) => Promise<void>,
  ) {
    this.own = new Float32Array(pool.expressions.count).fill(Number.NaN);
    this.#pool = pool;
    this.#depth = depth;
    this.#similar = similar;
    this.#write = write;
    const size = rowsAtOnce * depth;
    [this.#ids, this.#t2i, this.#i2i] = [new Int32Array(size), new Float32Array(size), new Float32Array(size)];
  }

  async add(row: number, list: ScoreList): Promise<void> {
    const { refs, expressions } = this.#pool;
    const ownImage = refs.image[expressions.ref[row] ?? 0] ?? 0;
    const [from, end] = [this.#rows.length * this.#depth, (this.#rows.length + 1) * this.#depth];
    this.#rows.push(row);
    this.#ids.fill(ownImage, from, end);
    this.#t2i.fill(Number.NaN, from, end);
    this.#i2i.fill(Number.NaN, from, end);
    const similar = this.#similar?.get(ownImage);
    list.ids.slice(0, this.#depth).forEach((id, at) => {
      this.#ids[from + at] = id;
      this.#t2i[from + at] = list.scores[at] ?? Number.NaN;
      this.#i2i[from + at] = similar?.get(id) ?? Number.NaN;
      if (id === ownImage) return;
      this.#count("t2i", this.#t2i[from + at]);
      this.#count("i2i", this.#i2i[from + at]);
    });
    const ownAt = list.ids.indexOf(ownImage);
    this.own[row] = ownAt < 0 ? Number.NaN : (list.scores[ownAt] ?? Number.NaN);
    this.#count("own", this.own[row]);
    if (this.#rows.length === rowsAtOnce) await this.flush();
  }

  async flush(): Promise<void> {
    const at = Int32Array.from(this.#rows);
    const end = at.length * this.#depth;
    this.#rows = [];
    const block = [this.#ids.subarray(0, end), this.#t2i.subarray(0, end), this.#i2i.subarray(0, end)] as const;
    await this.#write([...block], at);
  }

  #count(name: keyof ScoreHistograms, score: number | undefined): void {
    if (Number.isFinite(score)) this.histograms[name].add(score ?? 0);
  }
}

/** Rows that are written at a time. */
const rowsAtOnce = 1024;

function candidateFacts(pool: Pool, split: string): { splits: string[]; count: number; hash: string } {
  const images = new Set<number>();
  for (let ref = 0; ref < pool.refs.count; ref++)
    if (pool.refs.split[ref] === split) images.add(pool.refs.image[ref] ?? 0);
  const rows = Int32Array.from(images).sort();
  return { splits: [split], count: rows.length, hash: hashBytes(new Uint8Array(rows.buffer)) };
}

function expressionsById(pool: Pool, refs: readonly number[]): ReadonlyMap<string, number[]> {
  const found = new Map<string, number[]>();
  for (const ref of refs) {
    const [start, end] = pool.expressionsOfRef(ref);
    for (let row = start; row < end; row++) {
      const id = pool.expressions.id[row] ?? "";
      found.set(id, [...(found.get(id) ?? []), row]);
    }
  }
  return found;
}

async function longestList(
  options: ImportListsOptions,
  expressions: ReadonlyMap<string, number[]>,
  rows: ReadonlyMap<number, number>,
): Promise<number> {
  let longest = 0;
  for await (const { list } of textLists(options.t2i, expressions, rows, new Map()))
    longest = Math.max(longest, list.ids.length);
  if (longest === 0)
    fail(
      "bad-input",
      `no list in "${options.t2i}" names a sentence and an image of the pool; are they of another dataset, --source or --split?`,
    );
  return Math.min(longest, options.depth);
}

/** The lists of the sentences that the pool has. */
async function* textLists(
  path: string,
  expressions: ReadonlyMap<string, number[]>,
  rows: ReadonlyMap<number, number>,
  ledger: Map<string, number>,
): AsyncGenerator<{ row: number; list: ScoreList }> {
  for await (const { key, value } of listEntries(path)) {
    const where = `entry ${quoteValue(key)} of "${path}"`;
    if (!(value instanceof Map))
      fail("bad-input", `expected {sent_id: [(image_id, score), …]} in ${where}, got ${quoteValue(value)}`);
    for (const [sentence, pairs] of value) {
      const known = expressions.get(String(sentence));
      if (known === undefined) count(ledger, "sentence unknown");
      else {
        const list = scoreList(pairs, rows, ledger, where);
        for (const row of known) yield { row, list };
      }
    }
  }
}

/** Image rows and scores, best first, each image once; unknown images are passed over. */
function scoreList(
  value: PickleValue,
  rows: ReadonlyMap<number, number>,
  ledger: Map<string, number>,
  where: string,
): ScoreList {
  if (!Array.isArray(value))
    fail("bad-input", `expected a list of (image_id, score) in ${where}, got ${quoteValue(value)}`);
  const found = new Map<number, number>();
  for (const pair of value) {
    const [id, score] = Array.isArray(pair) && pair.length === 2 ? (pair as PickleValue[]) : [];
    const number = typeof id === "string" && /^\d+$/.test(id) ? Number(id) : id;
    if (typeof number !== "number" || typeof score !== "number" || !Number.isFinite(score)) {
      fail("bad-input", `expected (image_id, score) in ${where}, got ${quoteValue(pair)}`);
    }
    const row = rows.get(number);
    if (row === undefined) count(ledger, "image unknown");
    else if (found.has(row)) count(ledger, "image repeated");
    else found.set(row, score);
  }
  const sorted = [...found].sort(([, a], [, b]) => b - a);
  return { ids: sorted.map(([row]) => row), scores: sorted.map(([, score]) => score) };
}

interface ImageLists {
  readonly order: string;
  /** Image row → other image row → score. */
  readonly lists: ReadonlyMap<number, ReadonlyMap<number, number>>;
}

/**
 * The image-to-image lists. Their keys are positions; whose list each is follows from the order that fits best: an image is
 * most similar to itself, so that in the right order each list is led by its owner.
 */
async function readImageLists(
  pool: Pool,
  path: string,
  refs: readonly number[],
  rows: ReadonlyMap<number, number>,
  ledger: Map<string, number>,
): Promise<ImageLists> {
  const byPosition: { key: string; list: ScoreList }[] = [];
  for await (const { key, value } of listEntries(path))
    byPosition.push({ key, list: scoreList(value, rows, ledger, `entry ${quoteValue(key)} of "${path}"`) });
  const reference = imagesInReferenceOrder(pool, refs);
  const orders: Readonly<Record<string, (key: string) => number | undefined>> = {
    "the reference's (Python's set)": (key) => rows.get(reference[Number(key)] ?? -1),
    "by image id": (key) => rows.get([...reference].sort((a, b) => a - b)[Number(key)] ?? -1),
    "keys are image ids": (key) => rows.get(Number(key)),
  };
  let best: { order: string; led: number } | undefined;
  for (const [order, ownerOf] of Object.entries(orders)) {
    const led = byPosition.filter(({ key, list }) => list.ids.length > 0 && ownerOf(key) === list.ids[0]).length;
    if (best === undefined || led > best.led) best = { order, led };
  }
  const filled = byPosition.filter(({ list }) => list.ids.length > 0).length;
  if (best === undefined || best.led * 2 < filled) {
    fail(
      "bad-input",
      `cannot tell whose lists "${path}" holds: in no known order are they led by their own image (best: ${best?.led ?? 0} of ${filled}); is it of another split?`,
    );
  }
  const ownerOf = orders[best.order];
  const lists = new Map<number, ReadonlyMap<number, number>>();
  for (const { key, list } of byPosition) {
    const owner = ownerOf?.(key);
    if (owner === undefined) count(ledger, "image list of an unknown image");
    else lists.set(owner, new Map(list.ids.map((id, at) => [id, list.scores[at] ?? Number.NaN])));
  }
  return { order: best.order, lists };
}

/** First bytes of a dict or list in the pickles of protocols 0 and 1: ( } ] */
const textPickles = [0x28, 0x7d, 0x5d];

async function* listEntries(path: string): AsyncGenerator<{ key: string; value: PickleValue }> {
  const reader = await LmdbReader.open(path);
  try {
    for await (const { key, value } of reader.entriesInOrder()) {
      const name = Buffer.from(key).toString("latin1");
      if (name.startsWith("__")) continue;
      if (value[0] !== 0x80 && !textPickles.includes(value[0] ?? 0)) {
        fail(
          "unsupported",
          `expected pickles in "${path}", entry ${quoteValue(name)} is none; pyarrow.serialize made such files: write them again with pickle, from a pyarrow before 12`,
        );
      }
      yield { key: name, value: decodePickle(value, { where: `entry ${quoteValue(name)} of "${path}"` }) };
    }
  } finally {
    await reader.close();
  }
}

function count(ledger: Map<string, number>, reason: string): void {
  ledger.set(reason, (ledger.get(reason) ?? 0) + 1);
}
