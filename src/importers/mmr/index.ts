/**
 * MMR, multi-target and multi-granularity reasoning segmentation: MMR_<split>.json =
 *
 *   [{file_name "train2017/000000000009.jpg", height, width, image_id, coco_url,
 *     questions [text], answers [[{segmentation run lengths, bbox, category_name, category_id}]], text_answers [text], annotations}]
 *
 * The n-th question means the objects of the n-th list of answers. A ref is named <image_id>-<place>, as the file gives
 * it no id; equal segmentations in one image are one annotation. Images are COCO 2017's.
 */
import { dirname, join } from "node:path";
import { readJsonList } from "../../codecs/index.ts";
import { hashJson } from "../../io/index.ts";
import type { DatasetRecord } from "../../model/index.ts";
import { entryHead } from "../entry-head.ts";
import { type Entry, type EntryState, entryRecords, newEntryState } from "../entry-records.ts";
import { bad, note } from "../findings.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import { findImagesFolder, firstNames, firstText, hashFiles, type ImagesFolder, kindOf, shortPath } from "../places.ts";
import { parseSegmentation } from "../segmentation.ts";
import { findSplitFiles, type SplitFile, splitFilesIn } from "../split-files.ts";
import { boxOf, exactId, field, finite, innerPathOf, isDict, pixelsOf } from "../values.ts";

export const mmr: Importer = {
  name: "mmr",
  title: "MMR: MMR_<split>.json with questions and answers",
  looksFor: "MMR_<split>.json",
  recognise,
  open,
};

const splitOf = (name: string): string | undefined => /^MMR_((?:train|val|test)\w*)\.json$/.exec(name)?.[1];

async function recognise(path: string): Promise<Recognition | undefined> {
  const folder = (await kindOf(path)) === "file" ? undefined : path;
  const file = folder === undefined ? path : (await splitFilesIn(folder, splitOf))[0]?.path;
  if (file === undefined || !(await isMmr(file))) return undefined;
  return { how: `the entries of "${file}" have questions and answers`, options: { source: path } };
}

async function open(options: ImportOptions): Promise<ImportSource> {
  const isDataset = async (folder: string): Promise<boolean> => (await splitFilesIn(folder, splitOf)).length > 0;
  const { folder, splits } = await findSplitFiles(options, { what: "MMR's MMR_<split>.json", splitOf, isDataset });
  const [first] = splits;
  const images = await findImagesFolder({
    given: options.images,
    customs: ["images", "coco"],
    guesses: ["refer_seg/images/mscoco/images", "images", "coco"].flatMap((custom) =>
      [folder, dirname(folder)].map((base) => join(base, custom)),
    ),
    probes:
      first === undefined
        ? []
        : await firstNames(readJsonList(first.path), ({ value }) => innerPathOf(value, "file_name")),
  });
  return {
    format: "mmr",
    name: options.name ?? "mmr",
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    imagesFolder: images.folder,
    files: await hashFiles(splits.map(({ path }) => path)),
    records: () => records(splits, folder, images),
    warnings: [...images.warnings, "MMR's questions ask for reasoning: their texts do not describe their targets"],
  };
}

async function* records(
  splits: readonly SplitFile[],
  folder: string,
  images: ImagesFolder,
): AsyncGenerator<DatasetRecord> {
  const reading: Reading = { images, state: newEntryState(), known: new Map() };
  for (const { split, path } of splits) {
    const file = shortPath(path, folder);
    for await (const { index, value } of readJsonList(path))
      yield* imageRecords(value, `${file}, record ${index}`, split, reading);
  }
}

const keys = { shape: "an image {image_id, file_name, questions, answers, …}", id: "image_id", file: "file_name" };

/** What is known of the records read so far. */
interface Reading {
  readonly images: ImagesFolder;
  readonly state: EntryState;
  /** The id of each answer by its content. */
  readonly known: Map<string, string>;
}

function* imageRecords(value: unknown, where: string, split: string, reading: Reading): Generator<DatasetRecord> {
  const { images, state, known } = reading;
  const head = entryHead(value, where, keys);
  if ("type" in head) return yield head;
  const { entry, id: imageId, file } = head;
  const [questions, answers] = [field(entry, "questions"), field(entry, "answers")];
  if (!Array.isArray(questions) || !Array.isArray(answers) || questions.length !== answers.length) {
    const expected = `"questions" and "answers" to be lists of one length`;
    return yield bad("wrong type", where, { expected, came: answers, remedy: "correct the image" });
  }
  const [width, height] = [pixelsOf(field(entry, "width")), pixelsOf(field(entry, "height"))];
  const size = width === undefined || height === undefined ? {} : { width, height };
  const image = { id: imageId, file: images.fileOf(file), ...size };
  for (const [n, question] of questions.entries()) {
    const refId = `${split}-${imageId}-${n}`;
    const place = `${where}, question ${n}`;
    const targets = answerTargets(answers[n], refId, imageId, place, known);
    if ("type" in targets) yield targets;
    else {
      yield* targets.notes;
      yield* entryRecords({ image, refId, split, sentences: [{ id: "0", sent: question }], ...targets }, place, state);
    }
  }
}

function answerTargets(
  answer: unknown,
  refId: string,
  imageId: string,
  where: string,
  known: Map<string, string>,
): (Pick<Entry, "targets" | "unusable"> & { notes: DatasetRecord[] }) | DatasetRecord {
  if (!Array.isArray(answer)) {
    const expected = "the answers to a question to be a list of {segmentation, …}";
    return bad("wrong type", where, { expected, came: answer, remedy: "correct the image" });
  }
  const targets: Entry["targets"][number][] = [];
  const notes: DatasetRecord[] = [];
  let unusable: string | undefined;
  for (const [i, object] of answer.entries()) {
    const parsed = parseSegmentation(isDict(object) ? field(object, "segmentation") : object);
    if ("complaint" in parsed) return bad("bad segmentation", `${where}, answer ${i}`, parsed.complaint);
    unusable ??= parsed.unusable;
    notes.push(...parsed.notes.map((reason) => note(reason, where)));
    const content = hashJson([imageId, parsed.segmentation]);
    const id = known.get(content) ?? `${refId}.${i}`;
    if (parsed.unusable === undefined) known.set(content, id);
    const of = (name: string): unknown => (isDict(object) ? field(object, name) : undefined);
    const category = of("category_name") ?? of("category") ?? of("category_id");
    const [box, area] = [boxOf(of("bbox")), finite(of("area"))];
    targets.push({
      id,
      category: exactId(category) ?? "",
      segmentation: parsed.segmentation,
      isCrowd: false,
      ...(box === undefined ? {} : { box }),
      ...(area === undefined || area < 0 ? {} : { area }),
    });
  }
  return { targets, unusable, notes };
}

async function isMmr(path: string): Promise<boolean> {
  const start = await firstText(path, 1 << 20);
  return start.trimStart().startsWith("[") && start.includes('"questions"') && start.includes('"answers"');
}
