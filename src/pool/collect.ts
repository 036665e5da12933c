import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pMap, { pMapIterable } from "p-map";
import { imageSize } from "../codecs/index.ts";
import { exists, formatNumber, hashBytes, ImageFinder, type Progress } from "../io/index.ts";
import {
  type AnnotationRecord,
  type DatasetRecord,
  type ExpressionRecord,
  type ImageRecord,
  isShortage,
  NemosaicError,
  type RefRecord,
} from "../model/index.ts";
import { addRefs } from "./collect-refs.ts";
import { type BadPolicy, Ledger } from "./ledger.ts";
import { segmentationText } from "./segmentation-text.ts";
import type { PoolRows, TableRow } from "./tables.ts";

/** Takes encoded images that have no file of their own; returns the offset at which the bytes lie. */
export interface PackSink {
  append(bytes: Uint8Array): Promise<number>;
}

export interface CollectOptions {
  readonly source: string;
  readonly imagesFolder: string;
  /** Where the manifest's roots are. */
  readonly rootFolders: readonly string[];
  /** Index of the images folder among them. */
  readonly root: number;
  readonly onBad: BadPolicy;
  /** Links may lead out of the images folder. */
  readonly followLinks: boolean;
  /** Copy every image into the pack, so that the pool needs no folder outside. */
  readonly packAll: boolean;
  readonly pack: PackSink;
  readonly progress: Progress;
}

export interface Collected {
  readonly skipped: Record<string, number>;
  readonly notes: Record<string, number>;
  /** The first messages of skipped records, for the report. */
  readonly examples: readonly string[];
  /** The first messages of each reason in `skipped`. */
  readonly skippedExamples: Readonly<Record<string, readonly string[]>>;
}

/** A dataset's records by kind, in the order they came. */
interface Gathered {
  readonly images: ImageRecord[];
  readonly packed: Map<string, Packed>;
  readonly annotations: AnnotationRecord[];
  readonly refs: RefRecord[];
  readonly expressions: ExpressionRecord[];
}

/** An embedded image as it went into the pack. */
interface Packed {
  readonly offset: number;
  readonly bytes: number;
  readonly hash: string;
  readonly width: number;
  readonly height: number;
}

/**
 * Appends a stream of dataset records to `rows` (modified): images are read, hashed and measured; equal content is one
 * image; everything is linked by row number. Errors: the first bad record's message where `onBad` is "fail".
 */
export async function collectRecords(
  records: AsyncIterable<DatasetRecord>,
  rows: PoolRows,
  options: CollectOptions,
): Promise<Collected> {
  const ledger = new Ledger(options.onBad);
  const gathered = await gather(records, options, ledger);
  const imageRows = await addImages(gathered, rows, options, ledger);
  const annotationRows = addAnnotations(gathered.annotations, rows, imageRows, options.source, ledger);
  addRefs(gathered, rows, imageRows, annotationRows, options.source, ledger);
  const { skipped, notes, examples, skippedExamples } = ledger;
  return { skipped: sortCounts(skipped), notes: sortCounts(notes), examples, skippedExamples };
}

async function gather(
  records: AsyncIterable<DatasetRecord>,
  options: CollectOptions,
  ledger: Ledger,
): Promise<Gathered> {
  const gathered: Gathered = { images: [], packed: new Map(), annotations: [], refs: [], expressions: [] };
  const task = options.progress.begin("read records", undefined, "records");
  try {
    for await (const record of records) {
      task.advance();
      switch (record.type) {
        case "image":
          if (record.bytes === undefined) gathered.images.push(record);
          else await packRecord(record, record.bytes, gathered, options, ledger);
          break;
        case "annotation":
          gathered.annotations.push(record);
          break;
        case "ref":
          gathered.refs.push(record);
          break;
        case "expression":
          gathered.expressions.push(record);
          break;
        case "bad":
          ledger.bad(record.reason, record.message);
          break;
        case "note":
          ledger.note(record.reason);
          break;
      }
    }
  } finally {
    task.end();
  }
  return gathered;
}

async function packRecord(
  record: ImageRecord,
  bytes: Uint8Array,
  gathered: Gathered,
  options: CollectOptions,
  ledger: Ledger,
): Promise<void> {
  const { bytes: _bytes, ...rest } = record;
  const measured = await measure(rest, bytes, ledger, `${record.file} in ${options.source}`);
  if (measured === undefined) return;
  const hash = hashBytes(bytes);
  gathered.images.push(rest);
  gathered.packed.set(record.id, { ...measured, hash, bytes: bytes.length, offset: await options.pack.append(bytes) });
}

async function addImages(
  gathered: Gathered,
  rows: PoolRows,
  options: CollectOptions,
  ledger: Ledger,
): Promise<Map<string, number>> {
  const byHash = new Map(rows.images.map((row, at) => [row.hash, at]));
  const found = new Map<string, number>();
  const task = options.progress.begin("read images", gathered.images.length, "images");
  const finder = new ImageFinder(options.imagesFolder, options.followLinks);
  const read = async (record: ImageRecord): Promise<ReadImage> => {
    const packed = gathered.packed.get(record.id);
    if (packed !== undefined) return { record, file: record.file, image: packed };
    const found = await readImageFile(record, finder, gathered, options, ledger);
    if (found === undefined) return { record, file: record.file, image: undefined };
    const { file, bytes } = found;
    const measured = await measure(record, bytes, ledger, `"${join(options.imagesFolder, file)}"`);
    if (measured === undefined) return { record, file, image: undefined };
    return {
      record,
      file,
      image: { ...measured, hash: hashBytes(bytes), bytes: bytes.length, offset: -1 },
      ...(options.packAll ? { bytes } : {}),
    };
  };
  try {
    for await (const { record, file, image, bytes } of pMapIterable(gathered.images, read, {
      concurrency: 8,
      backpressure: 32,
    })) {
      task.advance();
      if (image === undefined) continue;
      const known = byHash.get(image.hash);
      if (known !== undefined) {
        const row = rows.images[known];
        if (row !== undefined && (await hasMoved(row, options)))
          rows.images[known] = { ...row, root: options.root, path: record.file };
        found.set(record.id, known);
        continue;
      }
      const offset = bytes === undefined ? image.offset : await options.pack.append(bytes);
      const row: TableRow<"images"> = { ...image, root: offset < 0 ? options.root : -1, path: file, offset };
      byHash.set(image.hash, rows.images.length);
      found.set(record.id, rows.images.length);
      rows.images.push(row);
    }
  } finally {
    task.end();
  }
  return found;
}

interface ReadImage {
  readonly record: ImageRecord;
  /** The file's name as found. */
  readonly file: string;
  readonly image: Packed | undefined;
  readonly bytes?: Uint8Array;
}

/** Whether nothing is any more where an earlier import found the image: where it is now takes its place. */
async function hasMoved(
  { root, path }: TableRow<"images">,
  { root: here, rootFolders }: CollectOptions,
): Promise<boolean> {
  const folder = rootFolders[root];
  return folder !== undefined && root !== here && !(await exists(join(folder, path)));
}

async function readImageFile(
  record: ImageRecord,
  finder: ImageFinder,
  gathered: Gathered,
  options: CollectOptions,
  ledger: Ledger,
): Promise<{ file: string; bytes: Uint8Array } | undefined> {
  try {
    const { file, path, how } = await finder.find(record.file);
    const bytes = await readFile(path);
    if (how !== undefined) ledger.note(`image found ${how}`);
    return { file, bytes };
  } catch (error) {
    if (isShortage(error)) throw error;
    const missing = error instanceof NemosaicError && error.code === "not-found";
    const detail =
      error instanceof NemosaicError
        ? error.message
        : `"${join(options.imagesFolder, record.file)}" cannot be read: ${(error as Error).message}`;
    const others = missing && options.onBad === "fail" ? await countMissing(gathered, finder) : "";
    ledger.bad(
      missing ? "image missing" : "image unreadable",
      `image ${record.id} of ${options.source}: ${detail}${others}`,
    );
    return undefined;
  }
}

/** How many of the dataset's images are missing, for the error about the first. */
async function countMissing({ images, packed }: Gathered, finder: ImageFinder): Promise<string> {
  const files = images.filter(({ id }) => !packed.has(id));
  const gone = await pMap(
    files,
    ({ file }) =>
      finder.find(file).then(
        () => 0,
        () => 1,
      ),
    { concurrency: 32 },
  );
  const count = gone.reduce<number>((sum, one) => sum + one, 0);
  return `; ${formatNumber(count)} of ${formatNumber(files.length)} images are missing: check --images`;
}

async function measure(
  record: ImageRecord,
  bytes: Uint8Array,
  ledger: Ledger,
  where: string,
): Promise<{ width: number; height: number } | undefined> {
  let size: { width: number; height: number };
  try {
    size = await imageSize(bytes, { where: record.file });
  } catch (error) {
    if (!(error instanceof NemosaicError)) throw error;
    ledger.bad("image unreadable", `image ${where}: ${error.message}`);
    return undefined;
  }
  const { width = size.width, height = size.height } = record;
  if (width !== size.width || height !== size.height) {
    ledger.bad(
      "image of another size",
      `image ${where}: expected ${width}×${height} pixels as its dataset says, got ${size.width}×${size.height}; masks would not fit`,
    );
    return undefined;
  }
  return { width: size.width, height: size.height };
}

function addAnnotations(
  records: readonly AnnotationRecord[],
  rows: PoolRows,
  imageRows: ReadonlyMap<string, number>,
  source: string,
  ledger: Ledger,
): Map<string, number> {
  // One COCO object comes with several datasets: the same region of the same image is one annotation.
  const known = new Map<string, number>();
  const identity = (row: TableRow<"annotations">): string =>
    `${row.image}\n${row.category}\n${row.isCrowd}\n${row.segmentation}`;
  rows.annotations.forEach((row, at) => {
    if (row.segmentation !== "null") known.set(identity(row), at);
  });
  const isFirst = rows.annotations.length === 0;
  const found = new Map<string, number>();
  for (const record of records) {
    const image = imageRows.get(record.imageId);
    if (image === undefined) {
      ledger.note("annotation of an image left out");
      continue;
    }
    const misfit = misfitOf(record, rows.images[image]);
    if (misfit !== undefined) {
      ledger.bad("mask of another size", `annotation ${record.id} of ${source}: ${misfit}`);
      continue;
    }
    const [x = null, y = null, boxWidth = null, boxHeight = null] = record.box ?? [];
    const row: TableRow<"annotations"> = {
      image,
      source,
      id: record.id,
      category: record.category,
      segmentation: segmentationText(record.segmentation),
      area: record.area ?? null,
      x,
      y,
      boxWidth,
      boxHeight,
      isCrowd: record.isCrowd,
    };
    const same = isFirst ? undefined : known.get(identity(row));
    if (same !== undefined) {
      found.set(record.id, same);
      continue;
    }
    found.set(record.id, rows.annotations.length);
    rows.annotations.push(row);
  }
  return found;
}

/** A mask belongs to the pixels of its image as the file's header counts them. */
function misfitOf({ segmentation }: AnnotationRecord, image: TableRow<"images"> | undefined): string | undefined {
  if (segmentation.kind !== "rle" || image === undefined) return undefined;
  const [height, width] = segmentation.size;
  if (height === image.height && width === image.width) return undefined;
  const turned = height === image.width && width === image.height ? " (height and width are exchanged)" : "";
  return `expected a mask of ${image.width}×${image.height} pixels as "${image.path}" has, got ${width}×${height}${turned}; save the mask at the image's size`;
}

function sortCounts(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
