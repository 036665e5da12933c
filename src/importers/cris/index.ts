/**
 * CRIS's unpacked layout, made from REFER:
 *
 *   anns/<dataset>/<split>.json   [{bbox [x1, y1, x2, y2], cat 0-79, segment_id (= ref_id), img_name,
 *                                   sentences [{idx, sent_id, sent}], sentences_num}]
 *   masks/<dataset>/<ref_id>.png  0 outside, 255 inside; 254, 253, … where 2, 3, … polygons overlap (255 times their
 *                                 number, modulo 256): every value but 0 is inside
 *
 * Only objects that are referred to are there, one annotation a ref.
 */
import { dirname, join } from "node:path";
import { pMapIterable } from "p-map";
import { readJsonList } from "../../codecs/index.ts";
import { type DatasetRecord, fail } from "../../model/index.ts";
import { isOwnExport } from "../cris-lmdb/index.ts";
import { entryHead } from "../entry-head.ts";
import { type EntryState, entryRecords, entrySentence, newEntryState } from "../entry-records.ts";
import { bad, note } from "../findings.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import { emptyMaskComplaint, maskReader, type ReadMask } from "../mask-file.ts";
import {
  findImagesFolder,
  firstNames,
  firstText,
  folderName,
  hashFiles,
  type ImagesFolder,
  kindOf,
  shortPath,
} from "../places.ts";
import { chooseDataset, findSplitFiles, type SplitFile, splitFilesIn } from "../split-files.ts";
import { type Dict, exactId, field, innerPathOf, isDict, numbersOf } from "../values.ts";
import { categoryOf } from "./category.ts";
import { isNoCategory } from "./no-category.ts";

/** CRIS's anns/*.json with mask images. */
export const cris: Importer = {
  name: "cris",
  title: "CRIS: anns/<dataset>/<split>.json with masks/<dataset>/<ref>.png",
  looksFor: "anns/ of <split>.json with segment_id",
  recognise,
  open,
};

const masksAtOnce = 8;
const splitOf = (name: string): string | undefined => /^((?:train|val|test)[A-Za-z_]*)\.json$/.exec(name)?.[1];

async function recognise(path: string): Promise<Recognition | undefined> {
  if ((await kindOf(path)) === "file") {
    if (!(await isAnns(path))) return undefined;
    return { how: "its first entry has segment_id and img_name", options: { source: path } };
  }
  if (await isOwnExport(path)) return undefined; // its masks are of what is evaluated only; the rest is in lmdb/
  for (const folder of [path, join(path, "anns")]) {
    if (await isDataset(folder)) {
      return { how: `"${folder}" holds <split>.json files with segment_id and img_name`, options: { source: folder } };
    }
    const below = await chooseDataset(folder, undefined, "", isDataset).catch(() => undefined);
    if (below !== undefined) {
      return { how: `"${below}" holds <split>.json files with segment_id and img_name`, options: { source: below } };
    }
  }
  return undefined;
}

async function open(options: ImportOptions): Promise<ImportSource> {
  // `source` is anns/<dataset>, or anns/ or the root above it together with `dataset`.
  const inner = join(options.source, "anns");
  const source = (await kindOf(inner)) === "folder" ? inner : options.source;
  const layout = { what: "CRIS's <split>.json files", splitOf, isDataset };
  const { folder, splits } = await findSplitFiles({ ...options, source }, layout);
  const [first] = splits;
  const dataset = first?.path === source ? (options.dataset ?? folderName(folder)) : folderName(folder);
  const masks = await masksFolder(folder, dataset);
  const root = dirname(dirname(masks));
  const images = await findImagesFolder({
    given: options.images,
    customs: ["train2014", "images/train2014"],
    guesses: ["images/train2014", "train2014", "images"].flatMap((custom) => [
      join(root, custom),
      join(dirname(root), custom),
    ]),
    probes:
      first === undefined
        ? []
        : await firstNames(readJsonList(first.path), ({ value }) => innerPathOf(value, "img_name")),
  });
  return {
    format: "cris",
    name: options.name ?? dataset,
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    imagesFolder: images.folder,
    files: await hashFiles(splits.map((split) => split.path)),
    records: () => records(splits, folder, masks, images),
    warnings: [...images.warnings, "CRIS's files hold referred objects only: other objects of an image are unknown"],
  };
}

async function* records(
  splits: readonly SplitFile[],
  folder: string,
  masks: string,
  images: ImagesFolder,
): AsyncGenerator<DatasetRecord> {
  const readMask = maskReader(masks);
  const state = newEntryState();
  for (const { split, path } of splits) {
    const file = shortPath(path, folder);
    const entries = pMapIterable(
      readJsonList(path),
      async ({ index, value }) => ({ where: `${file}, record ${index}`, value, mask: await maskOf(value, readMask) }),
      { concurrency: masksAtOnce, backpressure: 2 * masksAtOnce },
    );
    for await (const entry of entries) yield* recordsOf(entry, split, state, images);
  }
}

type Mask = Awaited<ReturnType<ReadMask>>;

async function maskOf(value: unknown, readMask: ReadMask): Promise<Mask | undefined> {
  const id = isDict(value) ? exactId(field(value, "segment_id")) : undefined;
  return id === undefined ? undefined : readMask(`${id}.png`);
}

const keys = { shape: "an entry {segment_id, img_name, …}", id: "segment_id", file: "img_name" };

/** An entry with the mask that its id names; without one where it has no usable id. */
interface ReadEntry {
  readonly value: unknown;
  readonly where: string;
  readonly mask: Mask | undefined;
}

function* recordsOf(
  { value, where, mask }: ReadEntry,
  split: string,
  state: EntryState,
  images: ImagesFolder,
): Generator<DatasetRecord> {
  const head = entryHead(value, where, keys);
  if ("type" in head) return yield head;
  if (mask === undefined) return fail("internal", `${where} has an id and no mask`);
  const { entry, id: refId, file } = head;
  const sentences = field(entry, "sentences");
  if (!Array.isArray(sentences)) {
    return yield bad("wrong type", where, {
      expected: `"sentences" to be a list`,
      came: sentences,
      remedy: "correct the entry",
    });
  }
  if ("complaint" in mask) return yield bad("unreadable mask", where, mask.complaint);
  const isNothing = mask.isEmpty && isNoCategory(field(entry, "cat"));
  if (mask.isEmpty && !isNothing)
    return yield bad("target without a mask", where, emptyMaskComplaint(`the mask "${refId}.png"`));
  for (const reason of mask.notes) yield note(reason, where);
  const category = categoryOf(entry);
  if (category === undefined && !isNothing) yield note("unknown category", where);
  const box = cornersBox(entry);
  if (box === undefined && !isNothing) yield note("box of four numbers expected, left out", where);
  const target = {
    id: refId,
    category: category ?? exactId(field(entry, "cat")) ?? "",
    segmentation: mask.segmentation,
    isCrowd: false,
    ...(box === undefined ? {} : { box }),
  };
  yield* entryRecords(
    {
      image: { id: file, file: images.fileOf(file) },
      targets: isNothing ? [] : [target],
      refId,
      split,
      sentences: sentences.map((sentence: unknown, index) =>
        isDict(sentence) ? entrySentence(sentence, index) : { id: index, sent: sentence },
      ),
    },
    where,
    state,
  );
}

function cornersBox(entry: Dict): [number, number, number, number] | undefined {
  const [left, top, right, bottom, ...more] = numbersOf(field(entry, "bbox")) ?? [];
  if (left === undefined || top === undefined || right === undefined || bottom === undefined || more.length > 0)
    return undefined;
  return right < left || bottom < top ? undefined : [left, top, right - left, bottom - top];
}

/** masks/<dataset> beside anns/<dataset>; masks/ beside anns/ where there is but one dataset. */
async function masksFolder(folder: string, dataset: string): Promise<string> {
  const candidates = [
    join(folder, "..", "..", "masks", dataset),
    join(folder, "..", "masks", dataset),
    join(folder, "..", "masks"),
    join(folder, "masks"),
  ];
  for (const candidate of candidates) if ((await kindOf(candidate)) === "folder") return candidate;
  const places = candidates.map((path) => `"${path}"`).join(", ");
  fail("not-found", `expected the folder of masks (<ref>.png) in one of ${places}, found none`);
}

async function isDataset(folder: string): Promise<boolean> {
  const [first] = await splitFilesIn(folder, splitOf);
  return first !== undefined && (await isAnns(first.path));
}

/** By the first bytes: a list whose first entry has CRIS's two tell-tale members. */
async function isAnns(path: string): Promise<boolean> {
  const start = (await firstText(path, 1 << 14)).trimStart();
  return start.startsWith("[") && start.includes('"segment_id"') && start.includes('"img_name"');
}
