/**
 * The reference loader's score lists, two LMDB files without sub-directory, values as pickles:
 *
 *   t2i.lmdb   key = position of a ref in its split: {sent_id: [(image_id, score), … best first]}
 *   i2i.lmdb   key = position of an image in Python's `list(set(ids of the split's refs' images))`: [(image_id, score), … best first]
 *
 * Both with `__keys__` (list of bytes) and `__len__`. The reference holds image-to-image scores against a threshold only, so a
 * list has the images that its own text-to-image lists name, led by the image itself.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { encodePickle, type LmdbEntry, type Picklable, pickleTuple, writeLmdb } from "../../codecs/index.ts";
import {
  canonicalJson,
  exists,
  hashFile,
  makeFolder,
  onDisk,
  type Progress,
  producer,
  writeFileAtomic,
} from "../../io/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import type { Mined, Pool } from "../../pool/index.ts";
import { chosenSource, idOfImage, imagesInReferenceOrder, refsOf } from "./list-images.ts";

export interface ExportListsOptions {
  readonly output: string;
  readonly split: string;
  readonly source?: string;
  readonly force: boolean;
  readonly progress: Progress;
}

export interface ListsReport {
  readonly reused: boolean;
  readonly refs: number;
  readonly images: number;
}

const manifestName = "lists.json";

/**
 * Writes a mined set as the reference's lists. The manifest, lists.json, comes last. Errors: "exists"; "usage" for a split
 * without refs; "unsupported" where sentences or images have no number.
 */
export async function exportLists(pool: Pool, mined: Mined, options: ExportListsOptions): Promise<ListsReport> {
  const { output, split, force, progress } = options;
  const source = chosenSource(pool, options.source);
  const refs = refsOf(pool, source, split);
  if (refs.length === 0) fail("usage", `source "${source}" has no refs of split "${split}"`);
  const images = imagesInReferenceOrder(pool, refs);
  const facts = {
    format: "nemosaic-lists",
    version: 1,
    producer,
    pool: pool.manifest.hash,
    mined: mined.manifest.hash,
    source,
    split,
    depth: mined.manifest.depth,
  };
  const counts = { refs: refs.length, images: images.length };
  const manifestPath = join(output, manifestName);
  if (!force && (await exists(manifestPath))) {
    const known = JSON.parse(await readFile(manifestPath, "utf8")) as { facts?: unknown };
    if (canonicalJson(known.facts) === canonicalJson(facts)) return { reused: true, ...counts };
    fail("exists", `"${output}" holds other lists. Use --force to replace them, or another folder`);
  }
  await makeFolder(output);
  await rm(manifestPath, { force: true }); // a former one would pass off half-replaced lists as its own
  const task = progress.begin("export lists", refs.length + images.length, "lists");
  try {
    const count = <T>(value: T): T => {
      task.advance();
      return value;
    };
    const t2i = (position: number): Picklable => count(textLists(pool, mined, refs[position] ?? 0));
    const rows = expressionsOfImages(pool, refs);
    const i2i = (position: number): Picklable => count(imageList(pool, mined, images[position] ?? -1, rows));
    await onDisk(output, () => writeLmdb(join(output, "t2i.lmdb"), entries(refs.length, t2i), { subdir: false }));
    await onDisk(output, () => writeLmdb(join(output, "i2i.lmdb"), entries(images.length, i2i), { subdir: false }));
  } finally {
    task.end();
  }
  const files = {
    "t2i.lmdb": await hashFile(join(output, "t2i.lmdb")),
    "i2i.lmdb": await hashFile(join(output, "i2i.lmdb")),
  };
  await writeFileAtomic(manifestPath, `${JSON.stringify({ facts, counts, files }, undefined, 2)}\n`);
  return { reused: false, ...counts };
}

function textLists(pool: Pool, mined: Mined, ref: number): Picklable {
  const [start, end] = pool.expressionsOfRef(ref);
  const lists = new Map<number, Picklable>();
  for (let row = start; row < end; row++) {
    const { ids, t2i } = mined.row(row);
    const list: Picklable[] = [];
    ids.forEach((id, at) => {
      const score = t2i[at] ?? Number.NaN;
      if (!Number.isNaN(score)) list.push(pickleTuple([idOfImage(pool, id), score]));
    });
    lists.set(sentenceNumber(pool, row), list);
  }
  return lists;
}

/** Best first, led by the image itself; an image that several sentences' lists name has one score. */
function imageList(pool: Pool, mined: Mined, own: number, expressions: ReadonlyMap<number, number[]>): Picklable {
  const scores = new Map<number, number>();
  for (const row of expressions.get(own) ?? []) {
    const { ids, i2i } = mined.row(row);
    ids.forEach((id, at) => {
      const score = i2i[at] ?? Number.NaN;
      if (!Number.isNaN(score)) scores.set(idOfImage(pool, id), score);
    });
  }
  scores.set(
    own,
    [...scores.values()].reduce((most, score) => Math.max(most, score), scores.get(own) ?? 1),
  );
  const ranked = [...scores].sort(([a, x], [b, y]) => y - x || Number(b === own) - Number(a === own) || a - b);
  return ranked.map(([id, score]) => pickleTuple([id, score]));
}

/** Expression rows of refs by their image's id. */
function expressionsOfImages(pool: Pool, refs: readonly number[]): ReadonlyMap<number, number[]> {
  const rows = new Map<number, number[]>();
  for (const ref of refs) {
    const id = idOfImage(pool, pool.refs.image[ref] ?? 0);
    const own = rows.get(id) ?? [];
    const [start, end] = pool.expressionsOfRef(ref);
    for (let row = start; row < end; row++) own.push(row);
    rows.set(id, own);
  }
  return rows;
}

function sentenceNumber(pool: Pool, row: number): number {
  const id = pool.expressions.id[row] ?? "";
  return /^\d{1,15}$/.test(id)
    ? Number(id)
    : fail(
        "unsupported",
        `the reference's lists name sentences by number, got ${quoteValue(id)} of ${pool.expressionKey(row)}`,
      );
}

/** Entries "0" … in bytewise order of their keys, then `__keys__` and `__len__`. */
function* entries(count: number, value: (position: number) => Picklable): Generator<LmdbEntry> {
  const ascii = (key: string): Uint8Array => Buffer.from(key, "ascii");
  const keys = Array.from({ length: count }, (_, position) => String(position));
  for (const key of [...keys].sort())
    yield { key: ascii(key), value: encodePickle(value(Number(key)), { protocol: 4 }) };
  yield { key: ascii("__keys__"), value: encodePickle(keys.map(ascii), { protocol: 4 }) };
  yield { key: ascii("__len__"), value: encodePickle(count, { protocol: 4 }) };
}
