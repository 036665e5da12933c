/**
 * HC-RefLoCo and Ref-L4, referring expression comprehension with long texts: one list of objects with boxes and no masks,
 *
 *   {id, file_name, width, height, bbox [x, y, w, h], caption, split "val" | "test", bbox_area, labels, …}
 *
 * as hc_refloco*.json (a JSON list) or as Parquet, hc_refloco_val.parquet or ref-l4-val.parquet. There is no training
 * split. Captions with one image and one box are of one target.
 */
import { dirname, join } from "node:path";
import { readJsonList, readRows, readTableMetadata } from "../../codecs/index.ts";
import { hashJson } from "../../io/index.ts";
import { type DatasetRecord, fail, isInputError } from "../../model/index.ts";
import { entryHead } from "../entry-head.ts";
import { type EntryState, entryRecords, newEntryState } from "../entry-records.ts";
import { bad } from "../findings.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import {
  findImagesFolder,
  firstNames,
  firstText,
  folderName,
  hashFiles,
  type ImagesFolder,
  kindOf,
  requireSource,
} from "../places.ts";
import { type SplitFile, splitFilesIn } from "../split-files.ts";
import { boxOf, field, innerPathOf, pixelsOf } from "../values.ts";

export const refloco: Importer = {
  name: "refloco",
  title: "HC-RefLoCo, Ref-L4: lists of captions with boxes, for evaluation",
  looksFor: "hc_refloco*.json or .parquet of captions",
  recognise,
  open,
};

const splitOf = (name: string): string | undefined =>
  /^(?:hc_refloco|ref-l4)\S*\.(?:json|parquet)$/i.test(name)
    ? (/[_-](train|val|test)\b/i.exec(name)?.[1]?.toLowerCase() ?? "test")
    : undefined;

async function recognise(path: string): Promise<Recognition | undefined> {
  for (const { path: file } of await filesAt(path)) {
    if (!(await hasCaptions(file))) return undefined;
    return { how: `"${file}" lists captions with boxes`, options: { source: path } };
  }
  return undefined;
}

async function open(options: ImportOptions): Promise<ImportSource> {
  await requireSource(options.source, "HC-RefLoCo's list");
  const files = await filesAt(options.source);
  const [first] = files;
  if (first === undefined)
    fail("not-found", `expected hc_refloco*.json or .parquet in "${options.source}", found none`);
  const folder = dirname(first.path);
  const images = await findImagesFolder({
    given: options.images,
    customs: ["images"],
    guesses: [join(folder, "images"), folder],
    probes: await firstNames(rowsOf(first.path), ({ value }) => innerPathOf(value, "file_name")),
  });
  return {
    format: "refloco",
    name: options.name ?? options.dataset ?? folderName(folder),
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    imagesFolder: images.folder,
    files: await hashFiles(files.map(({ path }) => path)),
    records: () => records(files, images),
    warnings: [
      ...images.warnings,
      "this list has boxes and no masks: it can be mined and looked at, not trained on or scored by masks",
    ],
  };
}

async function* records(files: readonly SplitFile[], images: ImagesFolder): AsyncGenerator<DatasetRecord> {
  const reading: Reading = { images, state: newEntryState(), known: new Map() };
  for (const { split, path } of files) {
    for await (const { index, value } of rowsOf(path))
      yield* captionRecords(value, `${folderName(path)}, record ${index}`, split, reading);
  }
}

const keys = { shape: "an object {id, file_name, bbox, caption, …}", id: "id", file: "file_name" };

/** What is known of the records read so far. */
interface Reading {
  readonly images: ImagesFolder;
  readonly state: EntryState;
  /** The id of each object by its content. */
  readonly known: Map<string, string>;
}

function* captionRecords(
  value: unknown,
  where: string,
  fileSplit: string,
  { images, state, known }: Reading,
): Generator<DatasetRecord> {
  const head = entryHead(value, where, keys);
  if ("type" in head) return yield head;
  const { entry, id: refId, file } = head;
  const box = boxOf(field(entry, "bbox"));
  if (box === undefined) {
    const expected = `"bbox" to be [x, y, width, height]`;
    return yield bad("wrong type", where, { expected, came: field(entry, "bbox"), remedy: "correct the object" });
  }
  const [width, height] = [pixelsOf(field(entry, "width")), pixelsOf(field(entry, "height"))];
  const size = width === undefined || height === undefined ? {} : { width, height };
  const content = hashJson([file, box]);
  const id = known.get(content) ?? refId;
  known.set(content, id);
  const split = field(entry, "split");
  yield* entryRecords(
    {
      image: { id: file, file: images.fileOf(file), ...size },
      targets: [{ id, category: "", segmentation: { kind: "none" }, isCrowd: false, box }],
      refId,
      split: typeof split === "string" && split !== "" ? split : fileSplit,
      sentences: [{ id: "0", sent: field(entry, "caption") }],
    },
    where,
    state,
  );
}

async function* rowsOf(path: string): AsyncGenerator<{ readonly index: number; readonly value: unknown }> {
  if (!/\.parquet$/i.test(path)) return yield* readJsonList(path);
  let index = 0;
  for await (const value of readRows(path)) yield { index: index++, value };
}

async function filesAt(path: string): Promise<SplitFile[]> {
  if ((await kindOf(path)) === "file") {
    const isListed = /\.(json|parquet)$/i.test(path);
    return isListed ? [{ split: splitOf(folderName(path)) ?? "test", path }] : [];
  }
  const all = await splitFilesIn(path, splitOf);
  const tables = all.filter((file) => /\.parquet$/i.test(file.path));
  return tables.length > 0 ? tables : all;
}

async function hasCaptions(path: string): Promise<boolean> {
  if (/\.parquet$/i.test(path)) {
    try {
      const names = (await readTableMetadata(path)).columns.map(({ name }) => name);
      return ["id", "file_name", "caption", "bbox"].every((name) => names.includes(name));
    } catch (error) {
      if (isInputError(error)) return false;
      throw error;
    }
  }
  const start = (await firstText(path, 1 << 16)).trimStart();
  return start.startsWith("[") && ["id", "file_name", "caption", "bbox"].every((name) => start.includes(`"${name}"`));
}
