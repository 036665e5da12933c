/**
 * PhraseCut (VGPhraseCut_v0):
 *
 *   image_data_split3000.json              [{image_id, width, height, split, coco_id, …}]
 *   refer_{train,val,test,miniv}.json      [{task_id "<image>__<n>", image_id, ann_ids, instance_boxes [[x, y, w, h]],
 *                                            Polygons [instance][polygon][[x, y]], phrase, phrase_structure {name, …}}]
 *   images/<image_id>.jpg                  Visual Genome's images
 *
 * miniv is a part of val, so it is read only where it stands alone or is asked for by name. `ann_ids` are Visual
 * Genome's objects, which need not match the drawn instances one to one: an instance is named <task_id>:<n>, and equal
 * polygons in one image are one annotation.
 */
import { join } from "node:path";
import { readJsonList } from "../../codecs/index.ts";
import { hashJson } from "../../io/index.ts";
import type { AnnotationRecord, DatasetRecord } from "../../model/index.ts";
import { type EntryState, entryRecords, newEntryState } from "../entry-records.ts";
import { bad, type NoteReason, note } from "../findings.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import { findImagesFolder, firstNames, firstText, hashFiles, type ImagesFolder, kindOf, shortPath } from "../places.ts";
import { publishedCounts } from "../published-counts.ts";
import { parseSegmentation } from "../segmentation.ts";
import { chooseDataset, findSplitFiles, type SplitFile, splitFilesIn } from "../split-files.ts";
import { boxOf, type Dict, exactId, field, idComplaint, isDict, pixelsOf } from "../values.ts";

/** PhraseCut's refer_*.json. */
export const phrasecut: Importer = {
  name: "phrasecut",
  title: "PhraseCut: refer_<split>.json with Polygons and phrase",
  looksFor: "refer_<split>.json with task_id",
  recognise,
  open,
};

const imageTable = "image_data_split3000.json";
const splitOf = (name: string): string | undefined => /^refer_(train|val|test|miniv)\.json$/.exec(name)?.[1];

async function recognise(path: string): Promise<Recognition | undefined> {
  if ((await kindOf(path)) === "file") {
    if (!(await isTasks(path))) return undefined;
    return { how: "its first entry has task_id and Polygons", options: { source: path } };
  }
  const folder = await chooseDataset(path, undefined, "", isDataset).catch(() => undefined);
  if (folder === undefined) return undefined;
  return { how: `"${folder}" holds refer_<split>.json files with task_id and Polygons`, options: { source: folder } };
}

async function open(options: ImportOptions): Promise<ImportSource> {
  const layout = { what: "PhraseCut's refer_<split>.json", splitOf, isDataset };
  const { folder, splits: all } = await findSplitFiles(options, layout);
  const isWhole = all.some(({ split }) => split === "val");
  const splits = all.filter(({ split }) => split !== "miniv" || !isWhole);
  const [first] = splits;
  const table = join(folder, imageTable);
  const hasTable = (await kindOf(table)) === "file";
  const images = await findImagesFolder({
    given: options.images,
    customs: ["images"],
    guesses: [join(folder, "images"), join(folder, "..", "images"), folder],
    probes: first === undefined ? [] : await firstNames(readJsonList(first.path), imageName),
  });
  const isComplete = ["train", "val", "test"].every((split) => splits.some((file) => file.split === split));
  const counts = isComplete ? publishedCounts("phrasecut") : undefined;
  const left =
    splits.length < all.length ? ["refer_miniv.json is a part of refer_val.json and is not read beside it"] : [];
  return {
    format: "phrasecut",
    name: options.name ?? "phrasecut",
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    imagesFolder: images.folder,
    files: await hashFiles([...splits.map(({ path }) => path), ...(hasTable ? [table] : [])]),
    records: () => records(splits, folder, hasTable ? table : undefined, images),
    ...(counts === undefined ? {} : { counts }),
    warnings: [
      ...images.warnings,
      ...left,
      "PhraseCut holds referred objects only: other objects of an image are unknown",
    ],
  };
}

type Sizes = ReadonlyMap<string, readonly [width: number, height: number]>;

async function* records(
  splits: readonly SplitFile[],
  folder: string,
  table: string | undefined,
  images: ImagesFolder,
): AsyncGenerator<DatasetRecord> {
  const sizes = table === undefined ? new Map() : await readSizes(table);
  const reading: Reading = { images, sizes, state: newEntryState(), instances: new Map() };
  for (const { split, path } of splits) {
    const file = shortPath(path, folder);
    for await (const { index, value } of readJsonList(path)) {
      yield* taskRecords(value, `${file}, record ${index}`, split, reading);
    }
  }
}

/** What is known of the images, and of the records read so far. */
interface Reading {
  readonly images: ImagesFolder;
  readonly sizes: Sizes;
  readonly state: EntryState;
  /** The id of each instance by its content. */
  readonly instances: Map<string, string>;
}

function* taskRecords(value: unknown, where: string, split: string, reading: Reading): Generator<DatasetRecord> {
  const { images, sizes, state, instances } = reading;
  if (!isDict(value)) {
    return yield bad("not a record", where, {
      expected: "a task {task_id, image_id, Polygons, phrase, …}",
      came: value,
      remedy: "correct or remove it",
    });
  }
  const refId = exactId(field(value, "task_id"));
  if (refId === undefined) return yield bad("bad id", where, idComplaint("task_id", field(value, "task_id")));
  const imageId = exactId(field(value, "image_id"));
  if (imageId === undefined || /[/\\\0]/.test(imageId))
    return yield bad("bad id", where, idComplaint("image_id", field(value, "image_id")));
  const polygons = field(value, "Polygons");
  if (!Array.isArray(polygons) || polygons.length === 0) {
    const complaint = { expected: `"Polygons" to be a list of instances`, came: polygons, remedy: "correct the task" };
    return yield bad("bad segmentation", where, complaint);
  }
  const targets: Omit<AnnotationRecord, "type" | "imageId">[] = [];
  const notes: NoteReason[] = [];
  let unusable: string | undefined;
  const named: [content: string, id: string][] = [];
  for (const [n, instance] of polygons.entries()) {
    const parsed = parseSegmentation(flattenPolygons(instance));
    if ("complaint" in parsed) return yield bad("bad segmentation", where, parsed.complaint);
    notes.push(...parsed.notes);
    unusable ??= parsed.unusable;
    const box = boxAt(value, n);
    const content = hashJson([imageId, instance, parsed.segmentation.kind === "none" ? `${refId}:${n}` : ""]);
    const id = instances.get(content) ?? named.find(([other]) => other === content)?.[1] ?? `${refId}:${n}`;
    named.push([content, id]);
    targets.push({
      id,
      category: categoryOf(value),
      segmentation: parsed.segmentation,
      isCrowd: false,
      ...(box === undefined ? {} : { box }),
    });
  }
  const size = sizes.get(imageId);
  const found = entryRecords(
    {
      image: {
        id: imageId,
        file: images.fileOf(`${imageId}.jpg`),
        ...(size === undefined ? {} : { width: size[0], height: size[1] }),
      },
      targets,
      refId,
      split,
      sentences: [{ id: "0", sent: field(value, "phrase") }],
      unusable,
    },
    where,
    state,
  );
  if (found.some((record) => record.type === "ref")) {
    for (const [content, id] of named) instances.set(content, id);
    for (const reason of notes) yield note(reason, where);
  }
  yield* found;
}

/** [[[x, y], …], …] → [[x, y, …], …]; whatever has another shape is left for the segmentation's own complaint. */
function flattenPolygons(instance: unknown): unknown {
  if (!Array.isArray(instance)) return instance;
  return instance.map((polygon: unknown) => (Array.isArray(polygon) ? polygon.flat() : polygon));
}

function categoryOf(task: Dict): string {
  const structure = field(task, "phrase_structure");
  const name = isDict(structure) ? field(structure, "name") : undefined;
  return typeof name === "string" ? name : "";
}

function boxAt(task: Dict, n: number): AnnotationRecord["box"] {
  const boxes = field(task, "instance_boxes");
  return Array.isArray(boxes) ? boxOf(boxes[n]) : undefined;
}

async function readSizes(table: string): Promise<Map<string, readonly [number, number]>> {
  const sizes = new Map<string, readonly [number, number]>();
  for await (const { value } of readJsonList(table)) {
    if (!isDict(value)) continue; // images without a size: their header says
    const id = exactId(field(value, "image_id"));
    const [width, height] = [pixelsOf(field(value, "width")), pixelsOf(field(value, "height"))];
    if (id !== undefined && width !== undefined && height !== undefined) sizes.set(id, [width, height]);
  }
  return sizes;
}

async function isDataset(folder: string): Promise<boolean> {
  const [first] = await splitFilesIn(folder, splitOf);
  return first !== undefined && (await isTasks(first.path));
}

async function isTasks(path: string): Promise<boolean> {
  const start = (await firstText(path, 1 << 16)).trimStart();
  return (
    start.startsWith("[") &&
    start.includes('"task_id"') &&
    (start.includes('"Polygons"') || start.includes('"instance_boxes"'))
  );
}

function imageName({ value }: { readonly value: unknown }): string | undefined {
  const id = isDict(value) ? exactId(field(value, "image_id")) : undefined;
  return id === undefined || /[/\\\0]/.test(id) ? undefined : `${id}.jpg`;
}
