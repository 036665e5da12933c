/**
 * COCO's JSON with phrases, as SAM 3 is trained and evaluated with:
 *
 *   SA-Co   images [{id, file_name, text_input, width, height}]: an entry is an image with a phrase, so an image comes
 *           several times; annotations [{id, image_id, bbox, area, segmentation, iscrowd}] belong to such an entry, and one
 *           without any is a phrase that is true of nothing. Boxes and areas may be shares of the image.
 *   COCO    images without text_input: each category that an entry has annotations of is a phrase, its name
 *
 * One file a split, named or in a folder named so: train/_annotations.coco.json, val/saco.json. Image names start at the
 * file's folder, or at --images. All annotations of an entry (and category) are its targets; equal segmentations of one
 * picture are one annotation.
 */
import { realpath } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { readJsonArrays } from "../../codecs/index.ts";
import { hashJson } from "../../io/index.ts";
import { type Box, type DatasetRecord, fail } from "../../model/index.ts";
import { bad, note } from "../findings.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import { findImagesFolder, firstText, folderName, hashFiles, kindOf, namesIn, requireSource } from "../places.ts";
import { parseSegmentation, targetComplaint } from "../segmentation.ts";
import { boxOf, exactId, field, finite, idComplaint, isDict, isInnerPath, pixelsOf } from "../values.ts";

export const saco: Importer = {
  name: "saco",
  title: "SA-Co and COCO JSON with phrases: SAM 3",
  looksFor: "COCO JSON with text_input, or _annotations.coco.json",
  recognise,
  open,
};

interface PhraseFile {
  readonly split: string;
  readonly path: string;
  /** Whether the split is told by a name. */
  readonly isNamed: boolean;
}

const usualNames = ["saco.json", "_annotations.coco.json"];

async function recognise(path: string): Promise<Recognition | undefined> {
  const [first] = await filesAt(path);
  if (first === undefined) return undefined;
  const how = usualNames.includes(basename(first.path)) ? "is so called" : "has images with text_input";
  return { how: `"${first.path}" ${how}`, options: { source: path } };
}

async function open(options: ImportOptions): Promise<ImportSource> {
  await requireSource(options.source, "COCO's JSON with phrases");
  const given = (await kindOf(options.source)) === "file" ? [phraseFile(options.source)] : [];
  const files = given.length > 0 ? given : await filesAt(options.source);
  const [first] = files;
  if (first === undefined)
    fail("not-found", `expected a JSON file with text_input, or ${usualNames.join(" or ")}, in "${options.source}"`);
  const folder = given.length > 0 ? dirname(options.source) : options.source;
  const ownFolder = (file: PhraseFile): string => relative(folder, dirname(file.path)).replaceAll("\\", "/");
  const probes = (await firstNames(first.path)).map((name) => joinPath(ownFolder(first), name));
  const images = await findImagesFolder({
    given: options.images,
    customs: ["images"],
    guesses: [folder, join(folder, "images")],
    probes: options.images === undefined ? probes : await firstNames(first.path),
  });
  const unnamed = files.filter(({ isNamed }) => !isNamed).map(({ path, split }) => `"${basename(path)}" as ${split}`);
  return {
    format: "saco",
    name: options.name ?? options.dataset ?? folderName(options.source).replace(/\.json$/i, ""),
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    imagesFolder: images.folder,
    files: await hashFiles(files.map(({ path }) => path)),
    records: () =>
      records(files, folder, (file, name) =>
        images.fileOf(options.images === undefined ? joinPath(ownFolder(file), name) : name),
      ),
    warnings: [
      ...images.warnings,
      ...(unnamed.length === 0
        ? []
        : [`no name tells a split: read ${unnamed.join(", ")}; name the file or its folder`]),
    ],
  };
}

async function* records(
  files: readonly PhraseFile[],
  folder: string,
  fileOf: (file: PhraseFile, name: string) => string,
): AsyncGenerator<DatasetRecord> {
  const images = new Map<string, readonly [number, number] | undefined>();
  for (const file of files) yield* fileRecords(file, relative(folder, file.path).replaceAll("\\", "/"), fileOf, images);
}

/** An entry of `images` while its annotations are read. */
interface PhraseEntry {
  readonly imageId: string;
  readonly size: readonly [width: number, height: number] | undefined;
  readonly where: string;
  /** Undefined in plain COCO, where the categories are the phrases. */
  readonly text: string | undefined;
  /** Annotation ids by category; "" stands for all of an entry with a phrase. */
  readonly targets: Map<string, string[]>;
  isBad: boolean;
}

async function* fileRecords(
  file: PhraseFile,
  name: string,
  fileOf: (file: PhraseFile, name: string) => string,
  images: Map<string, readonly [number, number] | undefined>,
): AsyncGenerator<DatasetRecord> {
  const entries = new Map<string, PhraseEntry>();
  const categories = new Map<string, string>();
  let hasImages = false;
  for await (const { key, index, value } of readJsonArrays(file.path, ["images", "categories"])) {
    const where = `${name}, ${key}[${index}]`;
    if (key === "categories") {
      const id = isDict(value) ? exactId(field(value, "id")) : undefined;
      const phrase = isDict(value) ? field(value, "name") : undefined;
      if (id !== undefined && typeof phrase === "string") categories.set(id, phrase);
      continue;
    }
    hasImages = true;
    const entry = entryOf(value, where, entries, (image) => fileOf(file, image));
    if ("type" in entry) {
      yield entry;
      continue;
    }
    const { id, ...rest } = entry;
    entries.set(id, rest);
    if (images.has(rest.imageId)) continue;
    images.set(rest.imageId, rest.size);
    const sides = rest.size === undefined ? {} : { width: rest.size[0], height: rest.size[1] };
    yield { type: "image", id: rest.imageId, file: rest.imageId, ...sides };
  }
  if (!hasImages)
    fail("bad-input", `expected COCO's {"images": […], "annotations": […], …} in "${file.path}", found no image`);
  const known = new Map<string, string>();
  const prefix = `${file.split}-`;
  for await (const { index, value } of readJsonArrays(file.path, ["annotations"]))
    yield* annotationRecords(value, `${name}, annotations[${index}]`, prefix, entries, categories, known);
  for (const [id, entry] of entries) yield* refRecords(`${prefix}${id}`, entry, file.split, categories);
}

function entryOf(
  value: unknown,
  where: string,
  entries: ReadonlyMap<string, PhraseEntry>,
  fileOf: (name: string) => string,
): (PhraseEntry & { readonly id: string }) | DatasetRecord {
  if (!isDict(value)) {
    const complaint = { expected: "an image {id, file_name, …}", came: value, remedy: "correct or remove it" };
    return bad("not a record", where, complaint);
  }
  const id = exactId(field(value, "id"));
  if (id === undefined) return bad("bad id", where, idComplaint("id", field(value, "id")));
  if (entries.has(id)) {
    const remedy = "remove one of the two";
    return bad("duplicate image id", where, { expected: "an image's id once", came: id, remedy });
  }
  const name = field(value, "file_name");
  if (typeof name !== "string" || !isInnerPath(name)) {
    const expected = `"file_name" to be a path inside the images' folder`;
    return bad("unsafe file name", where, { expected, came: name, remedy: "correct the name" });
  }
  const text = field(value, "text_input");
  if (text !== undefined && typeof text !== "string")
    return bad("wrong type", where, { expected: `"text_input" to be text`, came: text, remedy: "correct the entry" });
  if (text?.trim() === "")
    return bad("empty sentence", where, { expected: "a phrase", came: text, remedy: "remove it or write one" });
  const [width, height] = [pixelsOf(field(value, "width")), pixelsOf(field(value, "height"))];
  const size = width === undefined || height === undefined ? undefined : ([width, height] as const);
  return { id, imageId: fileOf(name), size, where, text, targets: new Map(), isBad: false };
}

function* annotationRecords(
  value: unknown,
  where: string,
  prefix: string,
  entries: ReadonlyMap<string, PhraseEntry>,
  categories: ReadonlyMap<string, string>,
  known: Map<string, string>,
): Generator<DatasetRecord> {
  const entryId = isDict(value) ? exactId(field(value, "image_id")) : undefined;
  const entry = entryId === undefined ? undefined : entries.get(entryId);
  if (!isDict(value) || entry === undefined) {
    const expected = `"image_id" to be one of "images"`;
    const came = isDict(value) ? field(value, "image_id") : value;
    return yield bad("unknown image", where, { expected, came, remedy: "add the image or remove the annotation" });
  }
  const id = exactId(field(value, "id"));
  if (id === undefined) {
    entry.isBad = true;
    return yield bad("bad id", where, idComplaint("id", field(value, "id")));
  }
  const parsed = parseSegmentation(field(value, "segmentation"));
  const complaint = "complaint" in parsed ? parsed.complaint : parsed.unusable && targetComplaint(parsed.unusable);
  if ("complaint" in parsed || complaint) {
    entry.isBad = true; // with fewer targets than meant it would be another truth
    const reason = "complaint" in parsed ? "bad segmentation" : "target without a mask";
    return yield bad(reason, where, complaint || targetComplaint(""));
  }
  for (const reason of parsed.notes) yield note(reason, where);
  const categoryId = exactId(field(value, "category_id")) ?? "";
  const content = hashJson([entry.imageId, parsed.segmentation]);
  const same = known.get(content);
  const annotationId = same ?? `${prefix}${id}`;
  const key = entry.text === undefined ? categoryId : "";
  entry.targets.set(key, [...(entry.targets.get(key) ?? []), annotationId]);
  if (same !== undefined) return;
  known.set(content, annotationId);
  const [box, area] = [boxOf(field(value, "bbox")), finite(field(value, "area"))];
  const isShare = entry.size !== undefined && box?.every((side) => side <= 1) === true && entry.text !== undefined;
  const [width, height] = isShare ? (entry.size ?? [1, 1]) : [1, 1];
  yield {
    type: "annotation",
    id: annotationId,
    imageId: entry.imageId,
    category: entry.text === undefined ? (categories.get(categoryId) ?? "") : "",
    segmentation: parsed.segmentation,
    isCrowd: field(value, "iscrowd") === 1 || field(value, "iscrowd") === true,
    ...(area === undefined || area < 0 ? {} : { area: rounded(area * width * height) }),
    ...(box === undefined ? {} : { box: scaleBox(box, width, height) }),
  };
}

function* refRecords(
  id: string,
  entry: PhraseEntry,
  split: string,
  categories: ReadonlyMap<string, string>,
): Generator<DatasetRecord> {
  const { imageId, text, targets, where } = entry;
  if (entry.isBad) return;
  const phrases: [refId: string, text: string, targets: readonly string[]][] =
    text !== undefined
      ? [[id, text, targets.get("") ?? []]]
      : [...targets].map(([category, ids]) => [`${id}:${category}`, categories.get(category) ?? "", ids]);
  for (const [refId, sent, ids] of phrases) {
    if (sent.trim() === "") {
      yield note("unknown category", where);
      continue;
    }
    yield { type: "ref", id: refId, imageId, annotationIds: [...new Set(ids)], split };
    yield { type: "expression", id: "0", refId, raw: sent, sent };
  }
}

/** The files at `path`: itself, or those in it and in its folders that are so called or have phrases. */
async function filesAt(path: string): Promise<PhraseFile[]> {
  if ((await kindOf(path)) === "file")
    return usualNames.includes(basename(path)) || (await hasPhrases(path)) ? [phraseFile(path)] : [];
  const found: PhraseFile[] = [];
  const seen = new Set<string>();
  for (const name of ["", ...(await namesIn(path))]) {
    const folder = join(path, name);
    if (name !== "" && (await kindOf(folder)) !== "folder") continue;
    const real = await realpath(folder).catch(() => folder);
    if (seen.has(real)) continue; // SAM3_LoRA's "valid" is a link to val
    seen.add(real);
    found.push(...(await filesIn(real === folder ? folder : join(path, basename(real)))));
  }
  return found;
}

async function filesIn(folder: string): Promise<PhraseFile[]> {
  const names = await namesIn(folder);
  const usual = usualNames.find((name) => names.includes(name));
  if (usual !== undefined) return [phraseFile(join(folder, usual))];
  const files: PhraseFile[] = [];
  for (const name of names)
    if (/\.json$/i.test(name) && (await hasPhrases(join(folder, name)))) files.push(phraseFile(join(folder, name)));
  return files;
}

function phraseFile(path: string): PhraseFile {
  for (const name of [basename(path), folderName(dirname(path))]) {
    const split = /(?:^|[^a-z])(train|val|valid|validation|test)(?:[^a-z]|$)/i.exec(name)?.[1]?.toLowerCase();
    if (split !== undefined) return { split: split.startsWith("val") ? "val" : split, path, isNamed: true };
    if (/gold|silver|veval/i.test(name)) return { split: "test", path, isNamed: true };
  }
  return { split: "train", path, isNamed: false };
}

async function hasPhrases(path: string): Promise<boolean> {
  const start = await firstText(path, 1 << 16);
  return start.trimStart().startsWith("{") && start.includes('"text_input"') && start.includes('"file_name"');
}

async function firstNames(path: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { value } of readJsonArrays(path, ["images"])) {
    const name = isDict(value) ? field(value, "file_name") : undefined;
    if (typeof name === "string" && isInnerPath(name) && !names.includes(name)) names.push(name);
    if (names.length >= 5) break;
  }
  return names;
}

function joinPath(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

function scaleBox([x, y, w, h]: Box, width: number, height: number): Box {
  return [rounded(x * width), rounded(y * height), rounded(w * width), rounded(h * height)];
}

/** Shares times sides, without the last digits that are of the multiplication. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
