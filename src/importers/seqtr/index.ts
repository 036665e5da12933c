/**
 * SeqTR's layout, and that of its descendants (SimVG, DeRIS, InstanceVG): instances.json =
 *
 *   {<split>: [entry, …]}
 *
 *   entry of RefCOCO   {image_id, width, height, bbox [x, y, w, h], mask (polygons or run lengths), expressions [text],
 *                       category_id?, data_source?}
 *   entry of GRES      {image_id, file_name?, width, height, expressions {raw: text or [text]},
 *                       annotations [{bbox, segmentation, category_id?}]}; nothing meant: no annotation with either
 *   R-RefCOCO          a list of entries of GRES in place of each
 *
 * with images COCO_train2014_<image_id, 12 digits>.jpg, or <image_id>.jpg for the sets that are not COCO's. "mixed" files
 * join several sets: their evaluation splits are called val_refcoco_unc and so on, and where the images are of several
 * kinds, `data_source` says of which. Nothing but the image has an id: a ref is named <split>-<place in its list>, its
 * expressions by their place; what an entry of GRES means is named <ref>.<n>, and equal segmentations in one image are one
 * annotation.
 */
import { dirname, join } from "node:path";
import { readJsonArrays } from "../../codecs/index.ts";
import { type DatasetRecord, fail } from "../../model/index.ts";
import { newEntryState } from "../entry-records.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import {
  findImagesFolder,
  firstText,
  folderName,
  hashFiles,
  type ImagesFolder,
  kindOf,
  namesIn,
  requireFile,
  requireSource,
} from "../places.ts";
import { chooseDataset } from "../split-files.ts";
import { type Dict, exactId, field, isDict, isInnerPath } from "../values.ts";
import { seqtrRecords } from "./entry.ts";

/** SeqTR's instances.json. */
export const seqtr: Importer = {
  name: "seqtr",
  title: "SeqTR: instances.json of {split: [entries with expressions and mask]}",
  looksFor: "instances.json of splits with expressions",
  recognise,
  open,
};

async function recognise(path: string): Promise<Recognition | undefined> {
  const file = (await kindOf(path)) === "folder" ? await fileIn(path) : path;
  if (file !== undefined && (await isSeqtr(file)))
    return { how: `"${file}" starts with a split's list of entries with expressions`, options: { source: file } };
  const below = await chooseDataset(await setsFolder(path), undefined, "", isSeqtrFolder).catch(() => undefined);
  if (below === undefined || below === path) return undefined;
  return { how: `"${below}" holds SeqTR's instances.json`, options: { source: below } };
}

async function open(options: ImportOptions): Promise<ImportSource> {
  const kind = await requireSource(options.source, "SeqTR's instances.json");
  const folder =
    kind === "file"
      ? dirname(options.source)
      : await chooseDataset(await setsFolder(options.source), options.dataset, "SeqTR's instances.json", isSeqtrFolder);
  const file = kind === "file" ? options.source : ((await fileIn(folder)) ?? join(folder, "instances.json"));
  await requireFile(file, "SeqTR's instances.json");
  const first = await firstEntries(file);
  const { images, nameOf } = await findImages(first, folder, options.images);
  return {
    format: "seqtr",
    name: options.name ?? options.dataset ?? folderName(folder),
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    imagesFolder: images.folder,
    files: await hashFiles([file]),
    records: () => records(file, images, nameOf),
    warnings: [...images.warnings, "SeqTR's file holds referred objects only: other objects of an image are unknown"],
  };
}

/** The folder whose folders are the sets: of a root as SeqTR's and our exports have it, its annotations/. */
async function setsFolder(path: string): Promise<string> {
  const annotations = join(path, "annotations");
  return (await kindOf(annotations)) === "folder" && !(await isSeqtrFolder(path)) ? annotations : path;
}

/** Names an image by its id and, in "mixed" files, by the set that it is of. */
type NameOf = (id: string, source: unknown) => string;

interface FirstEntry {
  readonly id: string;
  readonly source: unknown;
  readonly file: string | undefined;
}

/**
 * Where the images are, and how they are named. Those of several sets lie in a folder each below one folder; those of
 * one set, in one folder whatever the entries say.
 */
async function findImages(
  first: readonly FirstEntry[],
  folder: string,
  given: string | undefined,
): Promise<{ images: ImagesFolder; nameOf: NameOf }> {
  const bases = [folder, dirname(folder), dirname(dirname(folder))];
  const sourced = first.flatMap(({ id, source }) => nameInSource(source, id) ?? []);
  for (const root of given === undefined ? bases.map((base) => join(base, "images")) : [given]) {
    for (const name of sourced) {
      if ((await kindOf(join(root, name))) !== "file") continue;
      const images = await findImagesFolder({ given: root, customs: [], guesses: [], probes: [] });
      return { images, nameOf: (id, source) => nameInSource(source, id) ?? `mscoco/train2014/${cocoName(id)}` };
    }
  }
  const search = {
    given,
    customs: ["train2014", "images/train2014", "mscoco/train2014"],
    guesses: ["images/mscoco/train2014", "images/train2014", "train2014", "images"].flatMap((custom) =>
      bases.map((base) => join(base, custom)),
    ),
  };
  const nameOf = await imageNaming(
    first.map(({ id }) => id),
    search,
  );
  const images = await findImagesFolder({ ...search, probes: first.map(({ id, file }) => file ?? nameOf(id)) });
  return { images, nameOf };
}

async function* records(file: string, images: ImagesFolder, nameOf: NameOf): AsyncGenerator<DatasetRecord> {
  const state = newEntryState();
  const known = new Map<string, string>();
  const name = folderName(file);
  const fileOf = (entry: Dict, id: string): string | undefined => {
    const given = field(entry, "file_name");
    if (given === undefined) return images.fileOf(nameOf(id, field(entry, "data_source")));
    return typeof given === "string" && isInnerPath(given) ? images.fileOf(given) : undefined;
  };
  for await (const { key, index, value } of readJsonArrays(file)) {
    const group: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const [place, entry] of group.entries()) {
      const [where, refId] = Array.isArray(value)
        ? [`${name}, ${key}[${index}][${place}]`, `${key}-${index}-${place}`]
        : [`${name}, ${key}[${index}]`, `${key}-${index}`];
      yield* seqtrRecords(entry, { where, refId, split: key, state, known, fileOf });
    }
  }
}

const cocoName = (id: string): string => `COCO_train2014_${id.padStart(12, "0")}.jpg`;
const plainName = (id: string): string => `${id}.jpg`;

/** COCO's names unless a folder is there that holds the plain ones. */
async function imageNaming(
  ids: readonly string[],
  search: {
    readonly given: string | undefined;
    readonly customs: readonly string[];
    readonly guesses: readonly string[];
  },
): Promise<(id: string) => string> {
  const folders =
    search.given === undefined
      ? search.guesses
      : ["", ...search.customs].map((custom) => join(search.given ?? "", custom));
  for (const folder of folders) {
    for (const id of ids) if ((await kindOf(join(folder, plainName(id)))) === "file") return plainName;
  }
  return cocoName;
}

/** Where the joined sets of a "mixed" file keep their images, below one folder; undefined where an entry names no set. */
function nameInSource(source: unknown, id: string): string | undefined {
  if (typeof source !== "string") return undefined;
  if (source.includes("coco")) return `mscoco/train2014/${cocoName(id)}`;
  const folders: Readonly<Record<string, string>> = { vg: "visual-genome", flickr: "flickr30k" };
  return /^[\w.-]+$/.test(source) && !source.startsWith(".")
    ? `${folders[source] ?? source}/${plainName(id)}`
    : undefined;
}

async function firstEntries(file: string): Promise<FirstEntry[]> {
  const first: FirstEntry[] = [];
  for await (const { value } of readJsonArrays(file)) {
    const entry: unknown = Array.isArray(value) ? value[0] : value;
    const id = isDict(entry) ? exactId(field(entry, "image_id")) : undefined;
    if (!isDict(entry) || id === undefined || /[/\\\0]/.test(id)) continue;
    const name = field(entry, "file_name");
    const isNamed = typeof name === "string" && isInnerPath(name);
    first.push({ id, source: field(entry, "data_source"), file: isNamed ? name : undefined });
    if (first.length >= 5) break;
  }
  if (first.length === 0)
    fail("bad-input", `expected {split: [{image_id, expressions, mask, …}]} in "${file}", found no entry`);
  return first;
}

async function isSeqtrFolder(folder: string): Promise<boolean> {
  return (await fileIn(folder)) !== undefined;
}

/** instances.json, or the one file called instance.json, instances_sample.json or the like. */
async function fileIn(folder: string): Promise<string | undefined> {
  const names = (await namesIn(folder)).filter((name) => /^instances?[\w.-]*\.json$/.test(name));
  for (const name of ["instances.json", ...(names.length === 1 ? names : [])]) {
    if (names.includes(name) && (await isSeqtr(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

/** By the first bytes: {"train": [{ … "expressions" … (or [[{ …); COCO's own files begin with another member. */
async function isSeqtr(file: string): Promise<boolean> {
  const start = await firstText(file, 1 << 16);
  return (
    /^\s*\{\s*"[^"]+"\s*:\s*\[\s*(?:\[\s*)?\{/.test(start) &&
    /"expressions"\s*:\s*[[{]/.test(start) &&
    /"image_id"\s*:/.test(start)
  );
}
