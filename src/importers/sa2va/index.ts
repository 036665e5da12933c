/**
 * Sa2VA's fine-tuning data: annotations.json =
 *
 *   [{image, mask [[polygon, …], …], text [text, …]}]     mask i is that of text i; the polygons of a mask are united
 *
 * with images/ beside it; one file, or a folder of that shape for each split (train/annotations.json), as
 * `nemosaic export sa2va` writes them. Texts of an entry with equal masks are sentences of one ref, named <split>-<entry>
 * or, where an entry has several masks, <split>-<entry>-<n>; equal masks in one image are one annotation. Nothing says that
 * a text means nothing; in exports of ours a mask of one polygon that stays at 0, 0 does.
 */
import { dirname, join } from "node:path";
import { readJsonList } from "../../codecs/index.ts";
import { hashJson } from "../../io/index.ts";
import { type DatasetRecord, fail } from "../../model/index.ts";
import { type Entry, type EntryState, entryRecords, newEntryState } from "../entry-records.ts";
import { bad, note } from "../findings.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import {
  findImagesFolder,
  firstNames,
  firstText,
  folderName,
  hashFiles,
  kindOf,
  namesIn,
  requireSource,
  shortPath,
} from "../places.ts";
import { parseSegmentation } from "../segmentation.ts";
import { chooseDataset, type SplitFile } from "../split-files.ts";
import { field, isDict, isInnerPath } from "../values.ts";

export const sa2va: Importer = {
  name: "sa2va",
  title: "Sa2VA's fine-tuning data: annotations.json of {image, mask, text}",
  looksFor: "annotations.json of {image, mask, text}",
  recognise,
  open,
};

const fileName = "annotations.json";

async function recognise(path: string): Promise<Recognition | undefined> {
  for (const name of ["", ...((await kindOf(path)) === "folder" ? await namesIn(path) : [])]) {
    const file = (await kindOf(path)) === "file" ? path : join(path, name, fileName);
    if (!(await isSa2va(file))) continue;
    return { how: `the entries of "${file}" have image, mask and text`, options: { source: path } };
  }
  return undefined;
}

async function open(options: ImportOptions): Promise<ImportSource> {
  await requireSource(options.source, "Sa2VA's annotations.json");
  const { folder, files } = await filesAt(options.source, options.dataset);
  const [first] = files;
  if (first === undefined)
    fail(
      "not-found",
      `expected ${fileName} of [{image, mask, text}] in "${options.source}" or its folders, found none`,
    );
  const given = options.images !== undefined;
  const nameIn = ({ path }: SplitFile, image: string): string =>
    given ? image : shortPath(join(dirname(path), "images", image), folder);
  const images = await findImagesFolder({
    given: options.images,
    customs: ["images"],
    guesses: [folder],
    probes: (await firstNames(readJsonList(first.path), imageName)).map((image) => nameIn(first, image)),
  });
  const isOwn = (await kindOf(join(folder, "export.json"))) === "file";
  return {
    format: "sa2va",
    name: options.name ?? options.dataset ?? folderName(folder),
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    imagesFolder: images.folder,
    files: await hashFiles(files.map(({ path }) => path)),
    records: () => records(files, folder, isOwn, (file, image) => images.fileOf(nameIn(file, image))),
    warnings: [
      ...images.warnings,
      "Sa2VA's files hold referred objects only, without categories: other objects of an image are unknown",
    ],
  };
}

async function* records(
  files: readonly SplitFile[],
  folder: string,
  isOwn: boolean,
  fileOf: (file: SplitFile, image: string) => string,
): AsyncGenerator<DatasetRecord> {
  const [state, known] = [newEntryState(), new Map<string, string>()];
  for (const file of files) {
    const name = shortPath(file.path, folder);
    for await (const { index, value } of readJsonList(file.path)) {
      const place = { where: `${name}, record ${index}`, id: `${file.split}-${index}`, split: file.split, isOwn };
      yield* itemRecords(value, place, (image) => fileOf(file, image), state, known);
    }
  }
}

interface ItemPlace {
  readonly where: string;
  readonly id: string;
  readonly split: string;
  readonly isOwn: boolean;
}

function* itemRecords(
  value: unknown,
  { where, id, split, isOwn }: ItemPlace,
  fileOf: (image: string) => string,
  state: EntryState,
  known: Map<string, string>,
): Generator<DatasetRecord> {
  if (!isDict(value)) {
    const complaint = { expected: "an entry {image, mask, text}", came: value, remedy: "correct or remove it" };
    return yield bad("not a record", where, complaint);
  }
  const [image, masks, texts] = [field(value, "image"), field(value, "mask"), field(value, "text")];
  if (typeof image !== "string" || !isInnerPath(image)) {
    const expected = `"image" to be a path inside the images' folder`;
    return yield bad("unsafe file name", where, { expected, came: image, remedy: "correct the name" });
  }
  if (!Array.isArray(masks) || !Array.isArray(texts) || masks.length !== texts.length) {
    const expected = `"mask" and "text" to be lists of one length`;
    return yield bad("wrong type", where, { expected, came: masks, remedy: "correct the entry" });
  }
  const file = fileOf(image);
  const groups = new Map<string, number[]>();
  for (const [at, mask] of masks.entries()) {
    const content = JSON.stringify(mask);
    groups.set(content, [...(groups.get(content) ?? []), at]);
  }
  for (const [n, places] of [...groups.values()].entries()) {
    const refId = groups.size > 1 ? `${id}-${n}` : id;
    const mask: unknown = masks[places[0]!];
    const place = `${where}, mask ${places[0]}`;
    const target = isOwn && isNothing(mask) ? undefined : targetOf(mask, refId, file, known, place);
    if (target !== undefined && "type" in target) {
      yield target;
      continue;
    }
    const sentences = places.map((at, number) => ({ id: String(number), sent: texts[at] as unknown }));
    yield* target?.notes ?? [];
    yield* entryRecords(
      { image: { id: file, file }, targets: [], refId, split, sentences, ...target?.entry },
      place,
      state,
    );
  }
}

function targetOf(
  mask: unknown,
  refId: string,
  file: string,
  known: Map<string, string>,
  where: string,
): { entry: Pick<Entry, "targets" | "unusable">; notes: DatasetRecord[] } | DatasetRecord {
  const parsed = parseSegmentation(mask);
  if ("complaint" in parsed) return bad("bad segmentation", where, parsed.complaint);
  const { segmentation, unusable } = parsed;
  const content = hashJson([file, segmentation]);
  const id = known.get(content) ?? refId;
  if (unusable === undefined) known.set(content, id);
  const targets = [{ id, category: "", segmentation, isCrowd: false }];
  return { entry: { targets, unusable }, notes: parsed.notes.map((reason) => note(reason, where)) };
}

/** The mask without area that our exports give a text which means nothing. */
function isNothing(mask: unknown): boolean {
  const [polygon, ...more] = Array.isArray(mask) ? (mask as unknown[]) : [];
  return more.length === 0 && Array.isArray(polygon) && polygon.length > 0 && polygon.every((x) => x === 0);
}

/** The file at `path`, or those in it and in its folders, and the folder that they are named from. */
async function filesAt(path: string, dataset?: string): Promise<{ folder: string; files: SplitFile[] }> {
  if ((await kindOf(path)) === "file")
    return { folder: dirname(path), files: [{ split: splitOf(folderName(dirname(path))), path }] };
  const own = join(path, fileName);
  if ((await kindOf(own)) !== undefined)
    return { folder: path, files: [{ split: splitOf(folderName(path)), path: own }] };
  const files: SplitFile[] = [];
  for (const name of await namesIn(path)) {
    const inner = join(path, name, fileName);
    if ((await kindOf(inner)) !== undefined) files.push({ split: name, path: inner });
  }
  if (files.every(({ split }) => isSplit(split))) return { folder: path, files };
  // Folders of several datasets.
  const chosen = await chooseDataset(path, dataset, fileName, async (folder) => {
    return (await kindOf(join(folder, fileName))) !== undefined;
  });
  return filesAt(chosen);
}

const isSplit = (folder: string): boolean => /^(?:train|val|test)(?:[A-Z_]\w*)?$/.test(folder);

/** A folder that is called as a split is one; any other is trained on, as Sa2VA does. */
function splitOf(folder: string): string {
  return isSplit(folder) ? folder : "train";
}

async function isSa2va(path: string): Promise<boolean> {
  const start = (await firstText(path, 1 << 20)).trimStart();
  return start.startsWith("[") && ["image", "mask", "text"].every((name) => new RegExp(`"${name}"\\s*:`).test(start));
}

function imageName({ value }: { readonly value: unknown }): string | undefined {
  const name = isDict(value) ? field(value, "image") : undefined;
  return typeof name === "string" && isInnerPath(name) ? name : undefined;
}
