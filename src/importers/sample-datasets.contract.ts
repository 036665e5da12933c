import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SchemaElement } from "hyparquet";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { encodePickle, encodePng, type Picklable, writeLmdb } from "../codecs/index.ts";
import { rleFromCounts, rleToString } from "../kernels/index.ts";
import type { ImportOptions } from "./importer.ts";

/** Datasets of each format's true shape, small, written by the test that needs them. */

/** Writes a file below `folder`, and the folders above it. */
export function put(folder: string, path: string, content: string | Uint8Array): string {
  const whole = join(folder, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, content);
  return whole;
}

/** Python 2 pickled these: protocol 2 with byte strings. */
export function pickleValue(value: Picklable): Uint8Array {
  return encodePickle(value, { protocol: 2 });
}

export const square = [10, 10, 30, 10, 30, 30, 10, 30];
export const triangle = [40, 5, 60, 5, 50, 25];
/** A mask of 64 × 48 whose first column, but for the first two rows, is set. */
export const columnRle = { size: [48, 64], counts: rleToString(rleFromCounts([2, 46, 3024], 48, 64)) };

export function cocoName(id: number): string {
  return `COCO_train2014_${String(id).padStart(12, "0")}.jpg`;
}

export interface CocoAnnotation {
  readonly id: number;
  readonly image_id: number;
  readonly category_id?: number;
  readonly categories_id?: number;
  readonly bbox?: unknown;
  readonly segmentation?: unknown;
  readonly area?: number;
  readonly iscrowd?: number;
}

/** COCO's instances.json of two images 64 × 48 with three annotations, of which annotation 12 is never referred to. */
export function instances(
  change: { images?: unknown[]; annotations?: unknown[]; categories?: unknown[] } = {},
): string {
  const images =
    change.images ?? [11, 22].map((id) => ({ id, file_name: cocoName(id), height: 48, width: 64, license: 1 }));
  const annotations = change.annotations ?? [
    annotation(1, 11, [square]),
    annotation(12, 11, [triangle, square]),
    annotation(2, 22, { size: [48, 64], counts: [2, 46, 3024] }, 3),
  ];
  const categories = change.categories ?? [
    { id: 1, name: "person", supercategory: "person" },
    { id: 3, name: "car", supercategory: "vehicle" },
  ];
  return JSON.stringify({ info: { description: "made by a test" }, images, licenses: [], annotations, categories });
}

export function annotation(id: number, imageId: number, segmentation: unknown, category = 1): CocoAnnotation {
  return { id, image_id: imageId, category_id: category, bbox: [10, 10, 20, 20], segmentation, area: 400, iscrowd: 0 };
}

export function ref(
  id: number,
  annId: Picklable,
  imageId: number,
  sentences: readonly [id: number, sent: string][],
  split = "train",
): {
  [name: string]: Picklable;
} {
  return {
    ref_id: id,
    ann_id: annId,
    image_id: imageId,
    category_id: 1,
    file_name: `COCO_train2014_${String(imageId).padStart(12, "0")}_${id}.jpg`,
    split,
    sent_ids: sentences.map(([sentId]) => sentId),
    sentences: sentences.map(([sentId, sent]) => ({
      sent_id: sentId,
      sent,
      raw: sent.toUpperCase(),
      tokens: sent.split(" "),
    })),
  };
}

export const twoRefs = [
  ref(100, 1, 11, [
    [1000, "the man on the left"],
    [1001, "left man"],
  ]),
  ref(101, 2, 22, [[1002, "a red car"]], "val"),
];

/** <folder>/refcoco with refs(unc).p and instances.json, and <folder>/images/train2014. */
export function makeRefer(
  folder: string,
  refs: Picklable = twoRefs,
  instancesJson: string = instances(),
): ImportOptions {
  put(folder, "refcoco/refs(unc).p", pickleValue(refs));
  put(folder, "refcoco/instances.json", instancesJson);
  putImages(join(folder, "images/train2014"));
  return { source: join(folder, "refcoco"), images: join(folder, "images/train2014") };
}

export function putImages(folder: string, names: readonly string[] = [cocoName(11), cocoName(22)]): void {
  for (const name of names) put(folder, name, "importers never look inside an image");
}

export const gRefs = [
  { ...ref(200, [1, 12], 11, [[2000, "both people"]]), category_id: [1, 1], no_target: false },
  { ...ref(201, [-1], 22, [[2001, "the elephant"]], "val"), category_id: [-1], no_target: true },
  { ...ref(202, [2], 22, [[2002, "the car"]], "testA"), category_id: [3] },
];

export function makeGrefcoco(
  folder: string,
  refs: unknown = gRefs,
  instancesJson: string = instances(),
): ImportOptions {
  put(folder, "grefcoco/grefs(unc).json", JSON.stringify(refs));
  put(folder, "grefcoco/instances.json", instancesJson);
  putImages(join(folder, "images/train2014"));
  return { source: join(folder, "grefcoco"), images: join(folder, "images/train2014") };
}

/** Lines of the plain format as one file; a string is written as it is. */
export function makeJsonl(folder: string, lines: readonly unknown[] = plainLines): ImportOptions {
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  put(folder, "mine.jsonl", `${text}\n`);
  putImages(folder, ["a.jpg", "b/c.jpg"]);
  return { source: join(folder, "mine.jsonl") };
}

export const plainLines = [
  {
    image: "a.jpg",
    category: "mug",
    expressions: ["the blue mug", "mug"],
    segmentation: [square],
    bbox: [10, 10, 20, 20],
  },
  {
    image: "b/c.jpg",
    ref_id: "x/7",
    expressions: [{ sent: "two bolts", raw: "Two bolts!", id: "s1" }],
    segmentation: [[square], columnRle],
    width: 64,
    height: 48,
    split: "val",
  },
  {
    image: "a.jpg",
    expressions: ["the fork"],
    segmentation: null,
    objects: [
      { category: "mug", segmentation: [square], bbox: [10, 10, 20, 20] },
      { category: "plate", bbox: [0, 0, 9, 9] },
    ],
  },
];

/** A grey PNG of 64 × 48 with the given value inside a rectangle. */
export async function maskPng(value = 255, left = 5, top = 6, right = 20, bottom = 30): Promise<Uint8Array> {
  const data = new Uint8Array(64 * 48);
  for (let y = top; y < bottom; y++) data.fill(value, y * 64 + left, y * 64 + right);
  return encodePng({ width: 64, height: 48, channels: 1, data });
}

export function crisEntry(
  refId: number,
  imageId: number,
  sentences: readonly [id: number, sent: string][],
  cat = 2,
): {
  [name: string]: unknown;
} {
  return {
    bbox: [5, 6, 20, 30],
    cat,
    segment_id: refId,
    img_name: cocoName(imageId),
    sentences: sentences.map(([sentId, sent], idx) => ({ idx, sent_id: sentId, sent })),
    sentences_num: sentences.length,
  };
}

export async function makeCris(folder: string): Promise<ImportOptions> {
  const train = [
    crisEntry(300, 11, [
      [3000, "the car"],
      [3001, "car"],
    ]),
    crisEntry(301, 11, [[3002, "a dog"]], 16),
  ];
  put(folder, "anns/refcoco/train.json", JSON.stringify(train));
  put(folder, "anns/refcoco/testA.json", JSON.stringify([crisEntry(302, 22, [[3003, "person"]], 0)]));
  for (const id of [300, 301, 302]) put(folder, `masks/refcoco/${id}.png`, await maskPng(id === 301 ? 254 : 255));
  putImages(join(folder, "images/train2014"));
  return { source: join(folder, "anns/refcoco"), images: join(folder, "images/train2014") };
}

/** train.lmdb and val.lmdb as folder2lmdb makes them with pickle in place of pyarrow. */
export async function makeCrisLmdb(folder: string): Promise<ImportOptions> {
  const value = async (refId: number, imageId: number, sents: string[], cat: number): Promise<Picklable> => ({
    img: new TextEncoder().encode(`JPEG bytes of ${imageId}`),
    mask: await maskPng(),
    cat,
    seg_id: refId,
    img_name: cocoName(imageId),
    num_sents: sents.length,
    sents,
  });
  const write = async (split: string, values: Picklable[]): Promise<void> => {
    const keys = values.map((_, i) => new TextEncoder().encode(String(i)));
    const entries: (readonly [Uint8Array, Picklable])[] = values.map((item, i) => [keys[i]!, item]);
    entries.push([new TextEncoder().encode("__keys__"), keys], [new TextEncoder().encode("__len__"), keys.length]);
    mkdirSync(join(folder, "refcoco"), { recursive: true });
    await writeLmdb(
      join(folder, "refcoco", `${split}.lmdb`),
      entries.map(([key, item]) => ({ key, value: encodePickle(item) })),
      { subdir: false },
    );
  };
  await write("train", [await value(300, 11, ["the car", "car"], 2), await value(301, 11, ["a dog"], 16)]);
  await write("val", [await value(302, 22, ["person"], 0)]);
  return { source: join(folder, "refcoco") };
}

export function makeSeqtr(folder: string): ImportOptions {
  const entry = (imageId: number, mask: unknown, expressions: unknown): unknown => ({
    bbox: [10, 10, 20, 20],
    category_id: 3,
    expressions,
    height: 48,
    image_id: imageId,
    mask,
    width: 64,
  });
  const value = {
    train: [entry(11, [square], ["the car", "car"]), entry(11, columnRle, ["edge"])],
    testA: [entry(22, [triangle, square], ["two parts"])],
  };
  put(folder, "refcoco-unc/instances.json", JSON.stringify(value));
  putImages(join(folder, "images/mscoco/train2014"));
  return { source: join(folder, "refcoco-unc"), images: join(folder, "images/mscoco/train2014") };
}

export function makePhrasecut(folder: string): ImportOptions {
  const pairs = (flat: readonly number[]): number[][] =>
    Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
  const task = (taskId: string, imageId: number, polygons: number[][][][], phrase: string): unknown => ({
    task_id: taskId,
    image_id: imageId,
    ann_ids: [1],
    instance_boxes: polygons.map(() => [10, 10, 20, 20]),
    Polygons: polygons,
    phrase,
    phrase_structure: {
      name: phrase.split(" ").at(-1),
      attributes: [],
      relation_ids: [],
      relation_descriptions: [],
      type: "name",
    },
  });
  const val = [
    task("2__0", 2, [[pairs(square)]], "black shirt"),
    task("2__1", 2, [[pairs(square)], [pairs(triangle), pairs(square)]], "shirts"),
  ];
  put(folder, "refer_train.json", JSON.stringify([task("1__0", 1, [[pairs(triangle)]], "walking dog")]));
  put(folder, "refer_val.json", JSON.stringify(val));
  put(folder, "refer_miniv.json", JSON.stringify(val.slice(0, 1)));
  put(
    folder,
    "image_data_split3000.json",
    JSON.stringify([1, 2].map((image_id) => ({ image_id, coco_id: null, width: 64, height: 48, split: "val" }))),
  );
  putImages(join(folder, "images"), ["1.jpg", "2.jpg"]);
  return { source: folder, images: join(folder, "images") };
}

/** The schema of a list of `type`, as pyarrow writes it: name.list.element. */
function listOf(name: string, type: SchemaElement["type"], text = false): SchemaElement[] {
  return [
    { name, repetition_type: "OPTIONAL", converted_type: "LIST", num_children: 1 },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", repetition_type: "OPTIONAL", type: type!, ...(text ? { converted_type: "UTF8" as const } : {}) },
  ];
}

export function scalar(name: string, type: SchemaElement["type"], text = false): SchemaElement {
  return { name, repetition_type: "OPTIONAL", type: type!, ...(text ? { converted_type: "UTF8" as const } : {}) };
}

export function parquet(schema: SchemaElement[][], columns: Record<string, unknown[]>): Uint8Array {
  const columnData: ColumnSource[] = Object.entries(columns).map(([name, data]) => ({ name, data }) as ColumnSource);
  const root: SchemaElement = { name: "schema", num_children: schema.length };
  return new Uint8Array(parquetWriteBuffer({ columnData, schema: [root, ...schema.flat()] }));
}

/** One row a ref, the annotation and the sentences as JSON text. */
export function makeRawParquet(folder: string): ImportOptions {
  const rows = twoRefs.map((entry, i) => ({
    entry,
    annotation: JSON.parse(instances()).annotations[i === 0 ? 0 : 2] as CocoAnnotation,
  }));
  const file = (part: typeof rows): Uint8Array =>
    parquet(
      [
        [scalar("ref_id", "INT64")],
        [scalar("ann_id", "INT64")],
        [scalar("image_id", "INT64")],
        [scalar("category_id", "INT64")],
        [scalar("split", "BYTE_ARRAY", true)],
        [scalar("file_name", "BYTE_ARRAY", true)],
        [scalar("image_path", "BYTE_ARRAY", true)],
        listOf("bbox", "DOUBLE"),
        listOf("sent_ids", "INT64"),
        [scalar("raw_anns", "BYTE_ARRAY", true)],
        [scalar("raw_image_info", "BYTE_ARRAY", true)],
        [scalar("raw_sentences", "BYTE_ARRAY", true)],
      ],
      {
        ref_id: part.map(({ entry }) => BigInt(entry.ref_id as number)),
        ann_id: part.map(({ annotation }) => BigInt(annotation.id)),
        image_id: part.map(({ annotation }) => BigInt(annotation.image_id)),
        category_id: part.map(({ annotation }) => BigInt(annotation.category_id!)),
        split: part.map(({ entry }) => entry.split),
        file_name: part.map(({ entry }) => entry.file_name),
        image_path: part.map(({ annotation }) => `coco/train2014/${cocoName(annotation.image_id)}`),
        bbox: part.map(() => [10, 10, 30, 30]),
        sent_ids: part.map(({ entry }) => (entry.sent_ids as number[]).map(BigInt)),
        raw_anns: part.map(({ annotation }) => JSON.stringify(annotation)),
        raw_image_info: part.map(({ annotation }) =>
          JSON.stringify({ id: annotation.image_id, file_name: cocoName(annotation.image_id), height: 48, width: 64 }),
        ),
        raw_sentences: part.map(({ entry }) => JSON.stringify(entry.sentences)),
      },
    );
  put(folder, "refcoco/data/train-00000-of-00001-0123456789abcdef.parquet", file(rows.slice(0, 1)));
  put(folder, "refcoco/data/validation-00000-of-00001-0123456789abcdef.parquet", file(rows.slice(1)));
  putImages(join(folder, "images/train2014"));
  return { source: join(folder, "refcoco"), images: join(folder, "images/train2014") };
}

/** Images inside, one flat polygon a row. */
export function makeEmbeddedParquet(folder: string): ImportOptions {
  const photo = new TextEncoder().encode("JPEG bytes of image 11");
  const bytes = parquet(
    [
      [scalar("question_id", "BYTE_ARRAY", true)],
      [
        { name: "image", repetition_type: "OPTIONAL", num_children: 2 },
        scalar("bytes", "BYTE_ARRAY"),
        scalar("path", "BYTE_ARRAY", true),
      ],
      [scalar("question", "BYTE_ARRAY", true)],
      listOf("answer", "BYTE_ARRAY", true),
      listOf("segmentation", "FLOAT"),
      listOf("bbox", "FLOAT"),
      [scalar("iscrowd", "INT32")],
      [scalar("file_name", "BYTE_ARRAY", true)],
    ],
    {
      question_id: ["1", "2"],
      image: [photo, photo].map((bytes) => ({ bytes, path: null })),
      question: ["Please carefully observe the area", "Please carefully observe the area"],
      answer: [["left man", "the man"], ["woman"]],
      segmentation: [square, triangle],
      bbox: [
        [10, 10, 20, 20],
        [40, 5, 20, 20],
      ],
      iscrowd: [0, 0],
      file_name: ["COCO_train2014_000000000011_0.jpg", "COCO_train2014_000000000011_1.jpg"],
    },
  );
  put(folder, "RefCOCO/data/val-00000-of-00001.parquet", bytes);
  return { source: join(folder, "RefCOCO") };
}
