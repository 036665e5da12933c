/**
 * What CRIS's folder2lmdb makes of its unpacked layout: <split>.lmdb, one LMDB file (or a folder with data.mdb), with
 *
 *   "0" … "N-1"   {img: JPEG bytes, mask: PNG bytes (0 outside), cat, seg_id (= ref_id), img_name, num_sents, sents [text]}
 *   "__keys__"    the list of those keys
 *   "__len__"     N
 *
 * each value a pickle. Old files hold the output of pyarrow.serialize, which nothing current reads:
 * refused. Images are inside, so image records carry their bytes. Some writers leave `img_name` or `cat` out: the image
 * is then named by its content.
 */
import { dirname, join } from "node:path";
import { pMapIterable } from "p-map";
import { decodePickle, LmdbReader } from "../../codecs/index.ts";
import { hashBytes, type Progress } from "../../io/index.ts";
import { type BadRecord, type DatasetRecord, fail, NemosaicError } from "../../model/index.ts";
import { categoryOf } from "../cris/category.ts";
import { isNoCategory } from "../cris/no-category.ts";
import { type Entry, type EntrySentence, entryRecords, entrySentence, newEntryState } from "../entry-records.ts";
import { readListedTargets } from "../exported-sample.ts";
import { type BadReason, bad, note } from "../findings.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import { decodeMaskImage, emptyMaskComplaint } from "../mask-file.ts";
import { firstBytes, folderName, type HashedPart, hashFiles, kindOf, requireSource, shortPath } from "../places.ts";
import { chooseDataset, type SplitFile, splitFilesIn } from "../split-files.ts";
import { exactId, field, isDict, isInnerPath } from "../values.ts";
import { isPyarrowSerialized } from "./pyarrow.ts";

/** CRIS's LMDB files with pickled values. */
export const crisLmdb: Importer = {
  name: "cris-lmdb",
  title: "CRIS LMDB: <split>.lmdb with pickled {img, mask, sents, …}",
  looksFor: "<split>.lmdb",
  recognise,
  open,
};

const valuesAtOnce = 8;
const splitOf = (name: string): string | undefined => /^(.+)\.lmdb$/.exec(name)?.[1];

async function recognise(path: string): Promise<Recognition | undefined> {
  if (await isLmdb(path)) return { how: `"${path}" begins as an LMDB file does`, options: { source: path } };
  // `nemosaic export cris-lmdb` leaves lmdb/ beside the anns/ and masks/ of what is evaluated only.
  const isExport = await isOwnExport(path);
  const base = isExport ? join(path, "lmdb") : path;
  const folder = await chooseDataset(base, undefined, "", isDataset).catch(() => undefined);
  return folder === undefined
    ? undefined
    : { how: `"${folder}" holds <split>.lmdb files`, options: { source: folder } };
}

/** Whether a folder is an export of ours in this format: it holds export.json and lmdb/. */
export async function isOwnExport(path: string): Promise<boolean> {
  return (await kindOf(join(path, "export.json"))) === "file" && (await kindOf(join(path, "lmdb"))) === "folder";
}

async function open(options: ImportOptions, progress?: Progress): Promise<ImportSource> {
  const kind = await requireSource(options.source, "CRIS's <split>.lmdb");
  const isOne = kind === "file" || (await isLmdb(options.source));
  const folder = isOne
    ? dirname(options.source)
    : await chooseDataset(
        (await isOwnExport(options.source)) ? join(options.source, "lmdb") : options.source,
        options.dataset,
        "<split>.lmdb files",
        isDataset,
      );
  const name = folderName(options.source);
  const splits = isOne
    ? [{ split: splitOf(name) ?? "train", path: options.source }]
    : await splitFilesIn(folder, splitOf);
  const parts: HashedPart[] = [];
  for (const { path } of splits) {
    const file = await dataFile(path);
    const reader = await LmdbReader.open(file);
    parts.push({ path: file, bytes: reader.usedBytes });
    await reader.close();
  }
  return {
    format: "cris-lmdb",
    name: options.name ?? options.dataset ?? folderName(folder),
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    imagesFolder: folder,
    files: await hashFiles(parts, progress),
    records: () => records(splits, folder),
    warnings: [
      "CRIS's files hold referred objects only: other objects of an image are unknown",
      ...(options.images === undefined ? [] : [`images are inside the LMDB files; "${options.images}" is not read`]),
    ],
  };
}

async function* records(splits: readonly SplitFile[], folder: string): AsyncGenerator<DatasetRecord> {
  const state = newEntryState();
  for (const { split, path } of splits) {
    const reader = await LmdbReader.open(await dataFile(path));
    try {
      const file = shortPath(path, folder);
      const read = pMapIterable(
        pairsOf(reader, path),
        async ({ key, value }) => {
          const name = Buffer.from(key).toString("latin1");
          const where = `${file}, key "${name}"`;
          return { where, found: await readEntry(value, name, where, split) };
        },
        { concurrency: valuesAtOnce, backpressure: 2 * valuesAtOnce },
      );
      for await (const { where, found } of read) {
        if ("entry" in found) yield* [...found.notes, ...entryRecords(found.entry, where, state)];
        else yield found;
      }
    } finally {
      await reader.close();
    }
  }
}

/** Records in the order of "__keys__"; in that of the file where there is no such list. Without the marked ones. */
async function* pairsOf(
  reader: LmdbReader,
  path: string,
): AsyncGenerator<{ readonly key: Uint8Array; readonly value: Uint8Array | undefined }> {
  const listed = reader.get(Buffer.from("__keys__"));
  if (listed !== undefined) {
    for (const key of listedKeys(listed, path)) yield { key, value: reader.get(key) };
    return;
  }
  for await (const entry of reader.entriesInOrder()) {
    if (!Buffer.from(entry.key).toString("latin1").startsWith("__")) yield entry;
  }
}

function* listedKeys(listed: Uint8Array, path: string): Generator<Uint8Array> {
  const keys = unpickleEntry(listed, `"${path}", key "__keys__"`);
  if (!Array.isArray(keys)) {
    fail("bad-input", `expected a list under "__keys__" in "${path}", got ${typeof keys}; pack the dataset anew`);
  }
  for (const key of keys as unknown[]) {
    const bytes = typeof key === "string" ? Buffer.from(key, "latin1") : key;
    if (!(bytes instanceof Uint8Array) || bytes.length === 0) {
      fail(
        "bad-input",
        `expected keys of bytes under "__keys__" in "${path}", got ${typeof key}; pack the dataset anew`,
      );
    }
    yield bytes;
  }
}

type ReadEntry = BadRecord | { readonly entry: Entry; readonly notes: readonly DatasetRecord[] };

/** Decodes one value; knows nothing of the others, so that several are decoded at once. */
async function readEntry(bytes: Uint8Array | undefined, key: string, where: string, split: string): Promise<ReadEntry> {
  const complain = (reason: BadReason, expected: string, came: unknown): BadRecord =>
    bad(reason, where, { expected, came, remedy: "pack the dataset anew" });
  if (bytes === undefined) return complain("missing field", "a value for each of __keys__", undefined);
  let value: unknown;
  try {
    value = unpickleEntry(bytes, where);
  } catch (error) {
    if (!(error instanceof NemosaicError) || error.code !== "bad-input") throw error;
    return complain("unreadable value", "a pickled dict", error);
  }
  if (!isDict(value)) return complain("not a record", "a pickled dict {img, mask, sents, …}", value);
  const [img, mask] = [field(value, "img"), field(value, "mask")];
  if (!(img instanceof Uint8Array) || !(mask instanceof Uint8Array)) {
    return complain("unreadable value", `"img" and "mask" to be bytes`, img instanceof Uint8Array ? mask : img);
  }
  const sents = field(value, "sents");
  if (!Array.isArray(sents)) return complain("wrong type", `"sents" to be a list of texts`, sents);
  const name = field(value, "img_name") ?? `${hashBytes(img).slice(0, 16)}.jpg`;
  if (typeof name !== "string" || !isInnerPath(name)) {
    return complain("unsafe file name", `"img_name" to be a file's name`, name);
  }
  const read = await decodeMaskImage(mask, "the mask").catch((error: unknown) => {
    if (error instanceof NemosaicError) return error;
    throw error;
  });
  if (read instanceof NemosaicError) return complain("unreadable mask", "a PNG mask", read);
  const cat = field(value, "cat");
  const isNothing = read.isEmpty && isNoCategory(cat);
  if (read.isEmpty && !isNothing) return bad("target without a mask", where, emptyMaskComplaint("the mask"));
  const category = categoryOf(value);
  const isUnknown = category === undefined && cat !== undefined && !isNothing;
  const id = exactId(field(value, "seg_id")) ?? key;
  const whole = { id, category: category ?? exactId(cat) ?? "", segmentation: read.segmentation, isCrowd: false };
  const targets = readListedTargets(field(value, "targets"), id, read);
  if (targets !== undefined && "complaint" in targets) return bad("bad segmentation", where, targets.complaint);
  return {
    notes: [...read.notes, ...(isUnknown ? (["unknown category"] as const) : [])].map((reason) => note(reason, where)),
    entry: {
      image: { id: name, file: name, bytes: img },
      targets: isNothing ? [] : (targets ?? [whole]),
      refId: id,
      split,
      sentences: sents.map(sentence),
    },
  };
}

function sentence(value: unknown, index: number): EntrySentence {
  return isDict(value) ? entrySentence(value, index) : { id: index, sent: value };
}

/** Errors: "unsupported" for pyarrow.serialize; those of `decodePickle`. */
function unpickleEntry(bytes: Uint8Array, where: string): unknown {
  if (isPyarrowSerialized(bytes)) {
    fail(
      "unsupported",
      `expected a pickled value in ${where}, got the output of pyarrow.serialize, which pyarrow dropped in version 12 and no current one reads; ` +
        "pack the dataset anew with pickle.dumps in place of pyarrow.serialize in folder2lmdb.py, or import the unpacked files: nemosaic import cris ANNS --images DIR",
    );
  }
  return decodePickle(bytes, { where });
}

/** The file that holds the pages: the path itself, or data.mdb in it. */
async function dataFile(path: string): Promise<string> {
  return (await kindOf(path)) === "folder" ? join(path, "data.mdb") : path;
}

/** By the magic number of the first meta page, or data.mdb in a folder. */
async function isLmdb(path: string): Promise<boolean> {
  const start = await firstBytes(await dataFile(path), 24);
  return start.length === 24 && start.readUInt32LE(16) === 0xbeefc0de;
}

async function isDataset(folder: string): Promise<boolean> {
  const [first] = await splitFilesIn(folder, splitOf);
  return first !== undefined && (await isLmdb(first.path));
}
