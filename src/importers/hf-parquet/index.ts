/**
 * Parquet files of the Hugging Face hub, in layouts that share nothing but the container:
 *
 *   jxu124/refcoco, -plus, -g   one row a ref: ref_id, ann_id, image_id, category_id, split, file_name, image_path, bbox,
 *                               and as JSON text raw_anns {id, bbox [x, y, w, h], segmentation, area, iscrowd},
 *                               raw_image_info {id, file_name, width, height}, raw_sentences [{sent_id, sent, raw}].
 *                               `bbox` itself holds corners; raw_anns is taken. Images lie elsewhere.
 *   lmms-lab/RefCOCO, plus, g   one row a ref: question_id, image {bytes, path}, answer [text], segmentation (one flat
 *                               polygon), bbox [x, y, w, h], iscrowd, file_name (with REFER's `_N`). Images are inside.
 *   moondream/refcoco-m         one row an image, its refs in `samples` (sample-rows.ts)
 *   nemosaic export parquet     one row a sample, image and mask inside (export-rows.ts)
 *
 * Files are named <split>-00000-of-00002-<hash>.parquet, in data/.
 */
import { dirname, join } from "node:path";
import { readRows, readTableMetadata } from "../../codecs/index.ts";
import type { Progress } from "../../io/index.ts";
import { type DatasetRecord, fail, isInputError } from "../../model/index.ts";
import { newEntryState } from "../entry-records.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import {
  findImagesFolder,
  firstBytes,
  folderName,
  hashFiles,
  type ImagesFolder,
  kindOf,
  namesIn,
  requireFile,
  requireSource,
} from "../places.ts";
import { type SplitFile, splitFilesIn } from "../split-files.ts";
import { embeddedRowRecords } from "./embedded-rows.ts";
import { exportRowRecords } from "./export-rows.ts";
import { imagePathOf, rawRowRecords } from "./raw-rows.ts";
import { sampleRowRecords } from "./sample-rows.ts";

/** All Parquet layouts. */
export const hfParquet: Importer = {
  name: "hf-parquet",
  title: "Hugging Face Parquet: jxu124/refcoco*, lmms-lab/RefCOCO*, moondream/refcoco-m; our own exports",
  looksFor: "<split>-*.parquet with raw_anns, samples or image",
  recognise,
  open,
};

type Layout = keyof typeof layouts;

/** What each layout is known by, in words, and its rows' reader. */
const layouts = {
  raw: "raw_anns and raw_sentences (jxu124)",
  embedded: "image, answer and segmentation (lmms-lab)",
  samples: "image, file_name and samples (RefCOCO-M)",
  exported: "image, mask and sentence_keys (nemosaic export parquet)",
} as const;

const shard = /^(.+?)(?:-\d{5}-of-\d{5}(?:-[0-9a-f]+)?)?\.parquet$/;

async function recognise(path: string): Promise<Recognition | undefined> {
  const place = await findFiles(path);
  const [first] = place.files;
  const layout = first === undefined ? undefined : await layoutOf(first.path);
  if (layout === undefined) return undefined;
  return { how: `its Parquet files have the columns ${layouts[layout]}`, options: { source: path } };
}

async function open(options: ImportOptions, progress?: Progress): Promise<ImportSource> {
  await requireSource(options.source, "a Parquet file, or a folder of them");
  const { files, folder } = await findFiles(options.source);
  const [first] = files;
  if (first === undefined) fail("not-found", `expected Parquet files in "${options.source}" or its data/, found none`);
  const layout = await layoutOf(first.path, true);
  if (layout === undefined) {
    const expected = `expected the columns ${Object.values(layouts).join(", or ")}`;
    fail(
      "bad-input",
      `${expected} in "${first.path}", found neither; import it as table, naming the columns with --columns`,
    );
  }
  const images = layout === "raw" ? await imagesOf(options, folder, first.path) : insideFiles(folder);
  const warnings = {
    raw: rawWarnings,
    embedded: embeddedWarnings(files),
    samples: rawWarnings,
    exported: ["an export holds the targets alone: other objects of an image are unknown"],
  }[layout];
  return {
    format: "hf-parquet",
    name: options.name ?? options.dataset ?? folderName(folder),
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    imagesFolder: images.folder,
    files: await hashFiles(
      files.map(({ path }) => path),
      progress,
    ),
    records: () => records(files, layout, images),
    warnings: [...images.warnings, ...warnings],
  };
}

async function* records(
  files: readonly SplitFile[],
  layout: Layout,
  images: ImagesFolder,
): AsyncGenerator<DatasetRecord> {
  const state = newEntryState();
  for (const { split, path } of files) {
    const file = folderName(path);
    let row = 0;
    for await (const value of readRows(path)) {
      const where = `${file}, row ${row++}`;
      if (layout === "raw") yield* rawRowRecords(value, where, split, state, images);
      else if (layout === "embedded") yield* embeddedRowRecords(value, where, split, state);
      else if (layout === "samples") yield* sampleRowRecords(value, where, split, state);
      else yield* await exportRowRecords(value, where, split, state);
    }
  }
}

const rawWarnings = ["this layout holds referred objects only: other objects of an image are unknown"];

function embeddedWarnings(files: readonly SplitFile[]): string[] {
  const splits = [...new Set(files.map(({ split }) => split))];
  const noTrain = splits.includes("train")
    ? []
    : [
        `no train split is there (only ${splits.join(", ")}): lmms-lab's files are made for evaluation, so nothing can be mined for training`,
      ];
  return [
    "this layout keeps one polygon of each mask: the other parts of a mask are lost, and scores against it are not comparable with published ones",
    ...noTrain,
    "lmms-lab's val of RefCOCO (8,811 rows) and RefCOCOg (7,573 rows) joins the val splits of two splittings (unc or umd, and google)",
    "this layout holds referred objects only, without categories: other objects of an image are unknown",
  ];
}

async function findFiles(source: string): Promise<{ files: SplitFile[]; folder: string }> {
  if ((await kindOf(source)) === "file") {
    const isParquet = (await firstBytes(source, 4)).toString("latin1") === "PAR1" || source.endsWith(".parquet");
    const files = isParquet ? [{ split: splitOf(folderName(source)) ?? "train", path: source }] : [];
    return { files, folder: ownFolder(dirname(source)) };
  }
  const inner = (await namesIn(source)).some((name) => shard.test(name)) ? source : join(source, "data");
  return { files: await splitFilesIn(inner, splitOf), folder: ownFolder(source) };
}

/** The dataset's folder is the one above data/. */
function ownFolder(folder: string): string {
  return folderName(folder) === "data" ? dirname(folder) : folder;
}

function splitOf(name: string): string | undefined {
  const split = shard.exec(name)?.[1];
  return split === "validation" ? "val" : split;
}

/** By the columns; undefined where they are those of neither. `mustRead` lets a damaged file's error out. */
async function layoutOf(path: string, mustRead = false): Promise<Layout | undefined> {
  try {
    await requireFile(path, "a Parquet file");
    const { columns } = await readTableMetadata(path);
    const has = (...names: string[]): boolean => names.every((name) => columns.some((column) => column.name === name));
    if (has("ref_id", "raw_anns", "raw_image_info", "raw_sentences")) return "raw";
    if (has("image", "mask", "sentences", "sentence_keys", "ref_id")) return "exported";
    if (has("image", "file_name", "samples")) return "samples";
    return has("question_id", "image", "answer", "segmentation", "file_name") ? "embedded" : undefined;
  } catch (error) {
    if (mustRead || !isInputError(error)) throw error;
    return undefined;
  }
}

async function imagesOf(options: ImportOptions, folder: string, file: string): Promise<ImagesFolder> {
  const probes: string[] = [];
  for await (const row of readRows(file, { columns: ["raw_image_info"], rowEnd: 5 })) {
    const path = imagePathOf(row);
    if (path !== undefined) probes.push(path);
  }
  return findImagesFolder({
    given: options.images,
    customs: ["train2014", "coco/train2014"],
    guesses: ["images", "train2014", "coco/train2014", "images/train2014"].flatMap((custom) => [
      join(folder, custom),
      join(folder, "..", custom),
    ]),
    probes,
  });
}

function insideFiles(folder: string): ImagesFolder {
  return { folder, fileOf: (name) => name, warnings: [] };
}
