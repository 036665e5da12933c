import { mkdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { TarWriter } from "../codecs/index.ts";
import type { ImportOptions } from "./importer.ts";
import {
  cocoName,
  columnRle,
  maskPng,
  parquet,
  put,
  putImages,
  scalar,
  square,
  triangle,
} from "./sample-datasets.contract.ts";

/** Small datasets of the formats that came later, each of its true shape. */

/** A JPEG of 64 × 48. */
export function photo(seed = 1): Promise<Buffer> {
  const data = Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * 7 * seed) % 256);
  return sharp(data, { raw: { width: 64, height: 48, channels: 3 } })
    .jpeg()
    .toBuffer();
}

/** Masks of the tables below. */
async function putMasks(folder: string): Promise<void> {
  put(folder, "masks/a.png", await maskPng());
  put(folder, "masks/b.png", await maskPng(1, 30, 10, 50, 40));
}

export async function makeTable(folder: string): Promise<ImportOptions> {
  const lines = [
    "image,mask,text,split,ref_id,sent_id,category",
    'a.jpg,masks/a.png,"the mug, left",train,7,s1,mug',
    "a.jpg,masks/a.png,the blue mug,train,7,s2,mug",
    `b.jpg,"${JSON.stringify([square]).replaceAll('"', '""')}",a plate,val,8,s3,plate`,
    "b.jpg,,no such thing,val,9,s4,",
  ];
  put(folder, "mine.csv", `${lines.join("\r\n")}\r\n`);
  await putMasks(folder);
  putImages(join(folder, "images"), ["a.jpg", "b.jpg"]);
  return { source: join(folder, "mine.csv") };
}

export async function makeTableOfLines(folder: string): Promise<ImportOptions> {
  const rows = [
    { image_path: "a.jpg", mask: "masks/a.png", caption: ["the mug", "mug"] },
    { image_path: "b.jpg", mask: columnRle, caption: "edge", split: "val" },
  ];
  put(folder, "table/train.jsonl", rows.map((row) => JSON.stringify(row)).join("\n"));
  await putMasks(join(folder, "table"));
  putImages(join(folder, "table"), ["a.jpg", "b.jpg"]);
  return { source: join(folder, "table/train.jsonl") };
}

export function makeSaco(folder: string): ImportOptions {
  const image = (id: number, name: string, text_input: string): unknown => ({
    id,
    file_name: name,
    text_input,
    width: 64,
    height: 48,
    queried_category: "1",
  });
  const object = (id: number, image_id: number, segmentation: unknown, bbox: unknown): unknown => ({
    id,
    image_id,
    bbox,
    area: 0.125,
    segmentation,
    iscrowd: 0,
    category_id: 1,
  });
  const value = {
    info: { description: "made by a test" },
    images: [image(1, "a.jpg", "the mug"), image(2, "a.jpg", "an elephant"), image(3, "b.jpg", "mug or plate")],
    annotations: [
      object(10, 1, [square], [10 / 64, 10 / 48, 20 / 64, 20 / 48]),
      object(11, 3, [triangle], [40, 5, 20, 20]),
      object(12, 3, columnRle, [0, 2, 1, 46]),
    ],
    categories: [{ id: 1, name: "object" }],
  };
  put(folder, "gold_attributes.json", JSON.stringify(value));
  putImages(folder, ["a.jpg", "b.jpg"]);
  return { source: join(folder, "gold_attributes.json") };
}

/** As Sa2VA's docs/finetune.md has it, a folder a split; `ours` leaves the file of our exports beside them. */
export function makeSa2va(folder: string, ours = false): ImportOptions {
  const nothing = [[0, 0, 0, 0, 0, 0]];
  const train = [
    { image: "a.jpg", mask: [[square], [square], [triangle, square]], text: ["the mug", "mug", "all of it"] },
    { image: "a.jpg", mask: [[square], ...(ours ? [nothing] : [])], text: ["a cup", ...(ours ? ["a yak"] : [])] },
  ];
  put(folder, "mine/train/annotations.json", JSON.stringify(train));
  put(folder, "mine/val/annotations.json", JSON.stringify([{ image: "b.jpg", mask: [[triangle]], text: ["a sail"] }]));
  if (ours) put(folder, "mine/export.json", "{}");
  putImages(join(folder, "mine/train/images"), ["a.jpg"]);
  putImages(join(folder, "mine/val/images"), ["b.jpg"]);
  return { source: join(folder, "mine") };
}

export async function makeReasonseg(folder: string): Promise<ImportOptions> {
  const pairs = (flat: readonly number[]): number[][] =>
    Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
  const shape = (label: string, points: number[][]): unknown => ({
    label,
    labels: [label],
    shape_type: "polygon",
    points,
  });
  const pair = async (stem: string, text: string[], shapes: unknown[]): Promise<void> => {
    put(folder, `${stem}.jpg`, await photo());
    put(folder, `${stem}.json`, JSON.stringify({ text, is_sentence: true, shapes }));
  };
  await pair("train/a", ["what holds coffee?", "the mug"], [shape("target", pairs(square)), shape("flag", [[1, 1]])]);
  await pair(
    "val/b",
    ["where to sit, a sofa?"],
    [shape("target", pairs(square)), shape("ignore", pairs([15, 15, 20, 15, 20, 20, 15, 20]))],
  );
  return { source: folder };
}

export function makeMmr(folder: string): ImportOptions {
  const answer = (segmentation: unknown): unknown => ({
    segmentation,
    bbox: [10, 10, 20, 20],
    area: 400,
    category_name: "mug",
  });
  const record = (image_id: number, questions: string[], answers: unknown[][]): unknown => ({
    file_name: `train2017/${String(image_id).padStart(12, "0")}.jpg`,
    height: 48,
    width: 64,
    image_id,
    coco_url: "",
    questions,
    answers,
    text_answers: questions.map(() => "{seg}"),
    annotations: [],
  });
  const rle = { size: [48, 64], counts: [480, 960, 1632] };
  const train = [
    record(11, ["what holds coffee, a mug?", "both"], [[answer(columnRle)], [answer(columnRle), answer(rle)]]),
  ];
  put(folder, "MMR/MMR_train.json", JSON.stringify(train));
  put(folder, "MMR/MMR_test_mixed.json", JSON.stringify([record(22, ["the sofa?"], [[answer(rle)]])]));
  putImages(join(folder, "images/train2017"), ["000000000011.jpg", "000000000022.jpg"]);
  return { source: join(folder, "MMR"), images: join(folder, "images") };
}

export function makeRefloco(folder: string): ImportOptions {
  const object = (id: string, file_name: string, caption: string, split: string): unknown => ({
    id,
    source_dataset: "coco2017",
    source_dataset_split: "val",
    file_name,
    width: 64,
    height: 48,
    bbox: [10.5, 10, 20, 20],
    bbox_area: 400,
    caption,
    labels: [{ category: "Appearance", label: 0, location: [0, 9] }],
    is_rewrite: false,
    split,
  });
  const list = [
    object("0000000", "a.jpg", "The individual in a car.", "val"),
    object("0000001", "a.jpg", "The same person, told again.", "val"),
    object("0000002", "b.jpg", "A man on a sofa.", "test"),
  ];
  put(folder, "HC_RefLoCo/hc_refloco.json", JSON.stringify(list));
  putImages(join(folder, "HC_RefLoCo/images"), ["a.jpg", "b.jpg"]);
  return { source: join(folder, "HC_RefLoCo"), images: join(folder, "HC_RefLoCo/images") };
}

export async function makeRefsegrs(folder: string): Promise<ImportOptions> {
  put(folder, "RefSegRS/output_phrase_train.txt", "1 road\n1 the long road\n2 vehicle in the parking area\n");
  put(folder, "RefSegRS/output_phrase_test.txt", "3 building\r\n");
  for (const n of [1, 2, 3]) {
    const tiff = sharp(await maskPng(255, n, 6, 20, 30)).tiff({ compression: "lzw" });
    put(folder, `RefSegRS/masks/${n}.tif`, await tiff.toBuffer());
  }
  putImages(join(folder, "RefSegRS/images"), ["1.tif", "2.tif", "3.tif"]);
  return { source: join(folder, "RefSegRS"), images: join(folder, "RefSegRS/images") };
}

/** As `nemosaic export webdataset` writes. */
export async function makeWebdataset(folder: string): Promise<ImportOptions> {
  const shard = async (split: string, samples: [ref: number, mask: Uint8Array, category: string][]): Promise<void> => {
    const parts: Uint8Array[] = [];
    const tar = new TarWriter(async (bytes) => void parts.push(bytes));
    for (const [at, [ref, mask, category]] of samples.entries()) {
      const key = String(at).padStart(9, "0");
      const sentences = [{ key: `small/r${ref}/s%2F1`, raw: "The mug", sent: "the mug" }];
      await tar.add(`${key}.jpg`, Buffer.from(`JPEG bytes of ${ref}`));
      await tar.add(`${key}.mask.png`, mask);
      const json = {
        split,
        kind: "original",
        sentences,
        image_id: 10 + ref,
        ref_id: ref,
        ref: `small/r${ref}`,
        category,
      };
      await tar.add(`${key}.json`, Buffer.from(JSON.stringify(json)));
    }
    await tar.finish();
    mkdirSync(join(folder, "export", split), { recursive: true });
    put(folder, `export/${split}/000000.tar`, Buffer.concat(parts));
  };
  await shard("train", [
    [1, await maskPng(), "mug"],
    [2, await maskPng(0), ""],
  ]);
  await shard("val", [[3, await maskPng(), "plate"]]);
  return { source: join(folder, "export") };
}

/** moondream/refcoco-m: one row an image. */
export async function makeSamplesParquet(folder: string): Promise<ImportOptions> {
  const text = { type: "BYTE_ARRAY" as const, converted_type: "UTF8" as const, repetition_type: "OPTIONAL" as const };
  const list = (name: string, children: number): object[] => [
    { name, repetition_type: "OPTIONAL", converted_type: "LIST", num_children: 1 },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    ...(children === 0 ? [] : [{ name: "element", repetition_type: "OPTIONAL", num_children: children }]),
  ];
  const sample = (id: number, category: string, sentences: string[]): object => ({
    id: BigInt(id),
    category,
    sentences,
    mask: { counts: columnRle.counts, size: columnRle.size },
  });
  const bytes = parquet(
    [
      [
        { name: "image", repetition_type: "OPTIONAL", num_children: 2 },
        scalar("bytes", "BYTE_ARRAY"),
        scalar("path", "BYTE_ARRAY", true),
      ],
      [scalar("image_id", "INT64")],
      [scalar("file_name", "BYTE_ARRAY", true)],
      [
        ...list("samples", 4),
        { name: "id", type: "INT64", repetition_type: "OPTIONAL" },
        { name: "category", ...text },
        ...list("sentences", 0),
        { name: "element", ...text },
        { name: "mask", repetition_type: "OPTIONAL", num_children: 2 },
        { name: "counts", ...text },
        ...list("size", 0),
        { name: "element", type: "INT32", repetition_type: "OPTIONAL" },
      ] as never,
    ],
    {
      image: [{ bytes: await photo(), path: null }],
      image_id: [11n],
      file_name: [cocoName(11)],
      samples: [[sample(1, "mug", ["the mug", "mug"]), sample(2, "plate", ["a plate"])]],
    },
  );
  put(folder, "refcoco-m/data/validation-00000-of-00001.parquet", bytes);
  return { source: join(folder, "refcoco-m") };
}
