import { type FileHandle, open, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { decodePickle, encodeNpy, LmdbReader, npyHeader, type PickleValue } from "../../codecs/index.ts";
import {
  exists,
  hashBytes,
  hashFile,
  hashJson,
  makeFolder,
  onDisk,
  type Progress,
  producer,
  withLock,
  writeFileAtomic,
} from "../../io/index.ts";
import type { Loader } from "../../loader/index.ts";
import { fail, shown } from "../../model/index.ts";
import { chosenSource, imagesInReferenceOrder, refsOf, rowsByImageId } from "./list-images.ts";
import { ScoreQuantiles } from "./quantiles.ts";

type Pool = Loader["pool"];

export interface ImportListsOptions {
  /** The reference's text-to-image lists; its image-to-image lists where there are any. */
  readonly t2i: string;
  readonly i2i: string | undefined;
  readonly source: string | undefined;
  readonly split: string;
  /** Candidates kept of each list at most. */
  readonly depth: number;
  /** The folder to make, mined/<name>, and what its manifest calls itself (src/pool). */
  readonly place: { readonly folder: string; readonly format: string; readonly version: number };
  readonly force: boolean;
  readonly progress: Progress;
}

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
  const { folder } = options.place;
  await makeFolder(folder);
  return withLock(folder, "import lists", async () => {
    if (!options.force && (await exists(join(folder, "mined.json"))))
      fail("exists", `"${folder}" exists already. Use --force to replace it, or --name for another`);
    await rm(join(folder, "mined.json"), { force: true });
    return importInto(pool, options);
  }).catch(async (error: unknown) => {
    await rmdir(folder).catch(() => undefined); // a folder that this made stays empty when the lists are refused
    throw error;
  });
}

async function importInto(pool: Pool, options: ImportListsOptions): Promise<ImportListsReport> {
  const { place, split, progress } = options;
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

  const total = pool.expressions.count;
  const work = {
    ids: `${join(place.folder, "ids.npy")}.partial`,
    t2i: `${join(place.folder, "t2i.npy")}.partial`,
    i2i: `${join(place.folder, "i2i.npy")}.partial`,
  };
  const files = {
    ids: await openColumn(work.ids, "int32", total, depth),
    t2i: await openColumn(work.t2i, "float32", total, depth),
    i2i: await openColumn(work.i2i, "float32", total, depth),
  };
  const own = new Float32Array(total).fill(Number.NaN);
  const seen = new Uint8Array(total);
  const quantiles = { own: new ScoreQuantiles(), t2i: new ScoreQuantiles(), i2i: new ScoreQuantiles() };
  const task = progress.begin("import lists", wanted, "sentences");
  const write = async (row: number, list: ScoreList): Promise<void> => {
    const ownImage = pool.refs.image[pool.expressions.ref[row] ?? 0] ?? 0;
    const ids = new Int32Array(depth).fill(ownImage);
    const t2i = new Float32Array(depth).fill(Number.NaN);
    const i2i = new Float32Array(depth).fill(Number.NaN);
    const similar = imageScores?.lists.get(ownImage);
    list.ids.slice(0, depth).forEach((id, at) => {
      ids[at] = id;
      t2i[at] = list.scores[at] ?? Number.NaN;
      i2i[at] = similar?.get(id) ?? Number.NaN;
      if (id === ownImage) return;
      quantiles.t2i.add(t2i[at] ?? Number.NaN);
      quantiles.i2i.add(i2i[at] ?? Number.NaN);
    });
    const ownAt = list.ids.indexOf(ownImage);
    own[row] = ownAt < 0 ? Number.NaN : (list.scores[ownAt] ?? Number.NaN);
    quantiles.own.add(own[row] ?? Number.NaN);
    await writeRow(files.ids, ids, row, depth);
    await writeRow(files.t2i, t2i, row, depth);
    await writeRow(files.i2i, i2i, row, depth);
  };
  let listed = 0;
  try {
    for await (const { row, list } of textLists(options.t2i, expressions, rows, ledger)) {
      if (seen[row] === 1) fail("bad-input", `"${options.t2i}" has two lists for ${pool.expressionKey(row)}`);
      seen[row] = 1;
      listed++;
      task.advance();
      await write(row, list);
    }
    for (let row = 0; row < total; row++) if (seen[row] === 0) await write(row, { ids: [], scores: [] });
    for (const { handle } of Object.values(files)) await handle.sync();
  } finally {
    task.end();
    for (const { handle } of Object.values(files)) await handle.close();
  }
  for (const name of ["ids", "t2i", "i2i"] as const) await rename(work[name], join(place.folder, `${name}.npy`));
  await writeFileAtomic(join(place.folder, "own.npy"), encodeNpy(own, [total]));
  const candidates = candidateFacts(pool, split);
  const relevance = {
    kind: "lists",
    model: "the reference's lists",
    hash: hashJson([await hashFile(options.t2i), options.i2i === undefined ? null : await hashFile(options.i2i)]),
  };
  const manifest = {
    format: place.format,
    version: place.version,
    producer,
    pool: pool.manifest.hash,
    relevance,
    rank: "t2i",
    depth,
    expressions: total,
    truncated: depth < candidates.count,
    candidates,
    hash: hashJson({ version: place.version, pool: pool.manifest.hash, relevance, source, split, depth, candidates }),
    scores: { own: quantiles.own.values(), t2i: quantiles.t2i.values(), i2i: quantiles.i2i.values() },
  };
  await writeFileAtomic(join(place.folder, "mined.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return {
    listed,
    unlisted: wanted - listed,
    depth,
    skipped: Object.fromEntries([...ledger].sort()),
    imageOrder: imageScores?.order ?? null,
  };
}

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
    const where = `entry ${shown(key)} of "${path}"`;
    if (!(value instanceof Map))
      fail("bad-input", `expected {sent_id: [(image_id, score), …]} in ${where}, got ${shown(value)}`);
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
  if (!Array.isArray(value)) fail("bad-input", `expected a list of (image_id, score) in ${where}, got ${shown(value)}`);
  const found = new Map<number, number>();
  for (const pair of value) {
    const [id, score] = Array.isArray(pair) && pair.length === 2 ? (pair as PickleValue[]) : [];
    const number = typeof id === "string" && /^\d+$/.test(id) ? Number(id) : id;
    if (typeof number !== "number" || typeof score !== "number" || !Number.isFinite(score)) {
      fail("bad-input", `expected (image_id, score) in ${where}, got ${shown(pair)}`);
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
    byPosition.push({ key, list: scoreList(value, rows, ledger, `entry ${shown(key)} of "${path}"`) });
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
          `expected pickles in "${path}", entry ${shown(name)} is none; pyarrow.serialize made such files: write them again with pickle, from a pyarrow before 12`,
        );
      }
      yield { key: name, value: decodePickle(value, { where: `entry ${shown(name)} of "${path}"` }) };
    }
  } finally {
    await reader.close();
  }
}

interface Column {
  readonly handle: FileHandle;
  readonly header: number;
  readonly path: string;
}

async function openColumn(path: string, type: "int32" | "float32", rows: number, depth: number): Promise<Column> {
  return onDisk(path, async () => {
    const handle = await open(path, "w");
    const header = npyHeader(type, [rows, depth]);
    await handle.write(header, 0, header.length, 0);
    return { handle, header: header.length, path };
  });
}

async function writeRow(
  { handle, header, path }: Column,
  values: Int32Array | Float32Array,
  row: number,
  depth: number,
): Promise<void> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  await onDisk(path, () => handle.write(bytes, 0, bytes.length, header + row * depth * 4));
}

function count(ledger: Map<string, number>, reason: string): void {
  ledger.set(reason, (ledger.get(reason) ?? 0) + 1);
}
