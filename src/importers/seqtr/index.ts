/**
 * SeqTR's layout, and that of its descendants: instances.json =
 *
 *   {<split>: [{image_id, width, height, bbox [x, y, w, h], mask (polygons or run lengths), expressions [text],
 *               category_id?}]}
 *
 * with images COCO_train2014_<image_id, 12 digits>.jpg, or <image_id>.jpg for the sets that are not COCO's. Nothing but
 * the image has an id: a ref is named <split>-<place in its list>, its expressions by their place.
 */
import { dirname, join } from "node:path";
import { cocoCategory, readJsonArrays } from "../../codecs/index.ts";
import { type DatasetRecord, fail } from "../../model/index.ts";
import { type EntryState, entryRecords, newEntryState } from "../entry-records.ts";
import { bad, note } from "../findings.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import {
  findImagesFolder,
  firstText,
  folderName,
  hashFiles,
  type ImagesFolder,
  kindOf,
  requireFile,
  requireSource,
} from "../places.ts";
import { parseSegmentation } from "../segmentation.ts";
import { chooseDataset } from "../split-files.ts";
import { boxOf, exactId, field, finite, idComplaint, isDict, pixelsOf } from "../values.ts";

/** SeqTR's instances.json. */
export const seqtr: Importer = {
  name: "seqtr",
  title: "SeqTR: instances.json of {split: [entries with expressions and mask]}",
  looksFor: "an instances.json whose splits are lists of entries with image_id, expressions and mask",
  recognise,
  open,
};

async function recognise(path: string): Promise<Recognition | undefined> {
  const file = (await kindOf(path)) === "folder" ? join(path, "instances.json") : path;
  if (await isSeqtr(file))
    return { how: `"${file}" starts with a split's list of entries with expressions`, options: { source: file } };
  const below = await chooseDataset(path, undefined, "", isSeqtrFolder).catch(() => undefined);
  if (below === undefined || below === path) return undefined;
  return { how: `"${below}" holds SeqTR's instances.json`, options: { source: below } };
}

async function open(options: ImportOptions): Promise<ImportSource> {
  const kind = await requireSource(options.source, "SeqTR's instances.json");
  const folder =
    kind === "file"
      ? dirname(options.source)
      : await chooseDataset(options.source, options.dataset, "SeqTR's instances.json", isSeqtrFolder);
  const file = kind === "file" ? options.source : join(folder, "instances.json");
  await requireFile(file, "SeqTR's instances.json");
  const ids = await firstImageIds(file);
  const root = dirname(folder);
  const search = {
    given: options.images,
    customs: ["train2014", "images/train2014", "mscoco/train2014"],
    guesses: ["images/mscoco/train2014", "images/train2014", "train2014", "images"].flatMap((custom) =>
      [folder, root, dirname(root)].map((base) => join(base, custom)),
    ),
  };
  const nameOf = await imageNaming(ids, search);
  const images = await findImagesFolder({ ...search, probes: ids.map(nameOf) });
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

async function* records(
  file: string,
  images: ImagesFolder,
  nameOf: (id: string) => string,
): AsyncGenerator<DatasetRecord> {
  const state = newEntryState();
  const name = folderName(file);
  for await (const { key, index, value } of readJsonArrays(file)) {
    yield* recordsOf(value, `${name}, ${key}[${index}]`, `${key}-${index}`, key, state, (id) =>
      images.fileOf(nameOf(id)),
    );
  }
}

function* recordsOf(
  value: unknown,
  where: string,
  refId: string,
  split: string,
  state: EntryState,
  fileOf: (id: string) => string,
): Generator<DatasetRecord> {
  if (!isDict(value)) {
    return yield bad("not a record", where, {
      expected: "an entry {image_id, expressions, mask, …}",
      came: value,
      remedy: "correct or remove it",
    });
  }
  const imageId = exactId(field(value, "image_id"));
  if (imageId === undefined || /[/\\\0]/.test(imageId)) {
    return yield bad("bad id", where, idComplaint("image_id", field(value, "image_id")));
  }
  const expressions = field(value, "expressions");
  if (!Array.isArray(expressions)) {
    return yield bad("wrong type", where, {
      expected: `"expressions" to be a list of texts`,
      came: expressions,
      remedy: "correct the entry",
    });
  }
  const parsed = parseSegmentation(field(value, "mask"));
  if ("complaint" in parsed) return yield bad("bad segmentation", where, parsed.complaint);
  const [width, height] = [pixelsOf(field(value, "width")), pixelsOf(field(value, "height"))];
  const isSized = width !== undefined && height !== undefined;
  const { segmentation } = parsed;
  if (segmentation.kind === "rle" && isSized && (segmentation.size[0] !== height || segmentation.size[1] !== width)) {
    const expected = `run lengths of the image's size [${height}, ${width}]`;
    return yield bad("mask of another size", where, {
      expected,
      came: segmentation.size,
      remedy: "correct the size or the mask",
    });
  }
  const box = boxOf(field(value, "bbox"));
  const categoryId = field(value, "category_id");
  const area = finite(field(value, "area"));
  const found = entryRecords(
    {
      image: { id: imageId, file: fileOf(imageId), ...(isSized ? { width, height } : {}) },
      targets: [
        {
          id: refId,
          category: cocoCategory(categoryId) ?? exactId(categoryId) ?? "",
          segmentation,
          isCrowd: false,
          ...(box === undefined ? {} : { box }),
          ...(area === undefined ? {} : { area }),
        },
      ],
      refId,
      split,
      sentences: expressions.map((sent: unknown, id) => ({ id, sent })),
    },
    where,
    state,
  );
  if (found.some((record) => record.type === "ref")) {
    for (const reason of parsed.notes) yield note(reason, where);
    if (box === undefined) yield note("box of four numbers expected, left out", where);
  }
  yield* found;
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

async function firstImageIds(file: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { value } of readJsonArrays(file)) {
    const id = isDict(value) ? exactId(field(value, "image_id")) : undefined;
    if (id !== undefined && !/[/\\\0]/.test(id)) ids.push(id);
    if (ids.length >= 5) break;
  }
  if (ids.length === 0)
    fail("bad-input", `expected {split: [{image_id, expressions, mask, …}]} in "${file}", found no entry`);
  return ids;
}

async function isSeqtrFolder(folder: string): Promise<boolean> {
  return isSeqtr(join(folder, "instances.json"));
}

/** By the first bytes: {"train": [{ … "expressions" …; COCO's own files begin with another member. */
async function isSeqtr(file: string): Promise<boolean> {
  const start = await firstText(file, 1 << 16);
  return (
    /^\s*\{\s*"[^"]+"\s*:\s*\[\s*\{/.test(start) && /"expressions"\s*:\s*\[/.test(start) && /"image_id"\s*:/.test(start)
  );
}
