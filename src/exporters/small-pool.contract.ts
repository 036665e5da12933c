import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { encodeCocoRle } from "../codecs/index.ts";
import { silentProgress } from "../io/index.ts";
import type { DatasetRecord, Segmentation } from "../model/index.ts";
import { importPool } from "../pool/index.ts";

/**
 * A pool with what exports have to live with: images of several sizes and formats, one with an EXIF orientation, one
 * grey; polygons in parts, overlapping parts, a ring as run lengths, several targets, none; odd characters. Splits: 9 train refs
 * and 4 val refs.
 */
export async function makeSmallPool(folder: string): Promise<string> {
  const images = join(folder, "images");
  await mkdir(images, { recursive: true });
  for (const image of smallImages) await writeFile(join(images, image.file), await imageBytes(image));
  const pool = join(folder, "pool");
  await importPool(
    pool,
    { format: "test", name: "refcoco-unc", splitBy: "unc", imagesFolder: images, files: [], warnings: [], records },
    { onBad: "fail", pack: false, force: false, progress: silentProgress },
  );
  return pool;
}

interface SmallImage {
  readonly id: number;
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly orientation?: number;
  readonly grey?: boolean;
}

const sizes = [
  [64, 48],
  [48, 64],
  [50, 50],
  [71, 33],
  [40, 60],
  [64, 64],
  [33, 71],
  [60, 40],
  [48, 48],
  [52, 44],
] as const;

const smallImages: readonly SmallImage[] = sizes.map(([width, height], at) => {
  const id = 5000 + at * 7;
  const name = `COCO_train2014_${String(id).padStart(12, "0")}`;
  const file = `${name}.${at === 3 ? "png" : "jpg"}`;
  return { id, file, width, height, ...(at === 7 ? { orientation: 6 } : {}), ...(at === 4 ? { grey: true } : {}) };
});

async function imageBytes({ id, file, width, height, orientation, grey }: SmallImage): Promise<Uint8Array> {
  const data = new Uint8Array(width * height * 3);
  for (let at = 0; at < data.length; at++) {
    const [pixel, channel] = [Math.floor(at / 3), at % 3];
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    data[at] = 128 + 90 * Math.sin((x * (1 + channel) + y * (id % 5)) / 9 + id);
  }
  let pipeline = sharp(data, { raw: { width, height, channels: 3 } });
  if (grey === true) pipeline = pipeline.greyscale();
  if (orientation !== undefined) pipeline = pipeline.withMetadata({ orientation });
  return file.endsWith("png") ? pipeline.png().toBuffer() : pipeline.jpeg({ quality: 92 }).toBuffer();
}

const box = (x: number, y: number, width: number, height: number): number[] => [
  x,
  y,
  x + width,
  y,
  x + width,
  y + height,
  x,
  y + height,
];

function ring(width: number, height: number): Segmentation {
  const mask = new Uint8Array(width * height).map((_, at) => {
    const distance = Math.hypot((at % width) - width / 2, Math.floor(at / width) - height / 2);
    return distance > 6 && distance < 14 ? 1 : 0;
  });
  const { size, counts } = encodeCocoRle(mask, height, width);
  return { kind: "rle", size, counts };
}

const annotations: readonly (readonly [id: string, image: number, category: string, segmentation: Segmentation])[] = [
  ["1", 0, "cat", { kind: "polygons", parts: [[5.5, 4.2, 30.1, 6, 28, 33.7, 9, 30]] }],
  ["2", 0, "dog", { kind: "polygons", parts: [box(40, 10, 12, 20), box(44, 34, 10, 9)] }],
  ["3", 1, "cat", { kind: "polygons", parts: [box(5, 5, 20, 20), box(15, 15, 20, 20)] }],
  ["4", 2, "robot, blue", ring(50, 50)],
  ["5", 3, "cat", { kind: "polygons", parts: [box(0, 0, 71, 33)] }],
  ["6", 4, "person", { kind: "polygons", parts: [box(1, 50, 39, 10)] }],
  ["7", 5, "person", { kind: "polygons", parts: [box(10, 10, 20, 20)] }],
  ["8", 5, "person", { kind: "polygons", parts: [box(25, 25, 30, 30)] }],
  ["9", 6, "cup", ring(33, 71)],
  ["10", 7, "cup", { kind: "polygons", parts: [box(3, 3, 30, 12)] }],
  ["11", 8, "dog", { kind: "polygons", parts: [[10, 10, 40, 12, 25, 40]] }],
  ["12", 9, "dog", { kind: "polygons", parts: [box(20, 5, 20, 30)] }],
];

const refs: readonly (readonly [
  id: string,
  image: number,
  targets: readonly string[],
  split: string,
  sentences: readonly string[],
])[] = [
  ["11", 0, ["1"], "train", ["left cat", "the cat that is asleep", "cat"]],
  ["12", 0, ["2"], "train", ["dog in two parts"]],
  ["13", 1, ["3"], "train", ["overlapping \u732b \ud83d\ude3a", 'tom\'s  "cat"']],
  ["14", 2, ["4"], "train", ["the ring"]],
  ["15", 3, ["5"], "train", ["everything"]],
  ["16", 4, ["6"], "train", ["person at the bottom", "lowest"]],
  ["17", 5, ["7", "8"], "train", ["both people"]],
  ["18", 6, [], "train", ["the unicorn"]],
  ["19", 7, ["10"], "train", ["turned cup"]],
  ["20", 8, ["11"], "val", ["triangle dog", "dog"]],
  ["21", 9, ["12"], "val", ["tall dog"]],
  ["22", 9, [], "val", ["no such thing"]],
  ["23", 7, ["10"], "val", ["cup, turned"]],
];

async function* records(): AsyncGenerator<DatasetRecord> {
  const imageId = (at: number): string => String(smallImages[at]?.id);
  for (const { id, file, width, height } of smallImages) yield { type: "image", id: String(id), file, width, height };
  for (const [id, image, category, segmentation] of annotations) {
    yield { type: "annotation", id, imageId: imageId(image), category, segmentation, isCrowd: false };
  }
  let sentence = 100;
  for (const [id, image, targets, split, sentences] of refs) {
    yield { type: "ref", id, imageId: imageId(image), annotationIds: targets, split };
    for (const sent of sentences)
      yield { type: "expression", id: String(sentence++), refId: id, raw: sent.toUpperCase(), sent };
  }
}
