import { once } from "node:events";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodePickle, type Picklable } from "../src/codecs/index.ts";
import { CounterRandom } from "../src/kernels/index.ts";

/** How large a generated dataset is. RefCOCO has 50,000 refs, 142,000 expressions, 20,000 images. */
export interface ReferSize {
  readonly images: number;
  readonly annotations: number;
  readonly refs: number;
  readonly expressions: number;
}

/**
 * Writes a REFER folder of RefCOCO's shape below `folder` (refcoco/refs(unc).p, refcoco/instances.json, images/ with
 * names and no photographs): polygons of 10 to 90 corners, some in parts. Returns the bytes of instances.json.
 */
export async function writeReferFolder(folder: string, size: ReferSize): Promise<number> {
  mkdirSync(join(folder, "refcoco"), { recursive: true });
  mkdirSync(join(folder, "images"), { recursive: true });
  writeFileSync(join(folder, "images", imageName(1)), "");
  writeFileSync(join(folder, "refcoco/refs(unc).p"), encodePickle(refsOf(size), { protocol: 2 }));
  const file = createWriteStream(join(folder, "refcoco/instances.json"));
  let bytes = 0;
  const write = async (text: string): Promise<void> => {
    bytes += text.length;
    if (!file.write(text)) await once(file, "drain");
  };
  await write('{"info": {}, "images": [');
  for (let i = 0; i < size.images; i++) {
    const image = {
      license: 1,
      file_name: imageName(i + 1),
      height: 480,
      width: 640,
      id: i + 1,
      coco_url: `http://images.example/${i}.jpg`,
    };
    await write(`${i === 0 ? "" : ", "}${JSON.stringify(image)}`);
  }
  await write('], "licenses": [], "annotations": [');
  const random = new CounterRandom(1, 2, 3, 4);
  for (let i = 0; i < size.annotations; i++)
    await write(`${i === 0 ? "" : ", "}${JSON.stringify(annotationOf(i, size, random))}`);
  await write('], "categories": [{"supercategory": "person", "id": 1, "name": "person"}]}');
  file.end();
  await once(file, "close");
  return bytes;
}

function imageName(id: number): string {
  return `COCO_train2014_${String(id).padStart(12, "0")}.jpg`;
}

function annotationOf(index: number, size: ReferSize, random: CounterRandom): unknown {
  const parts = index % 9 === 0 ? 2 : 1;
  const segmentation = Array.from({ length: parts }, () => {
    const corners = 10 + random.below(80);
    return Array.from({ length: 2 * corners }, (_, i) => Math.round(random.below(i % 2 === 0 ? 64000 : 48000)) / 100);
  });
  return {
    segmentation,
    area: 1234.5,
    iscrowd: 0,
    image_id: (index % size.images) + 1,
    bbox: [1.5, 2.5, 100.25, 50.75],
    category_id: 1,
    id: index + 1,
  };
}

function refsOf(size: ReferSize): Picklable[] {
  let sentence = 0;
  return Array.from({ length: size.refs }, (_, i) => {
    const until = Math.round(((i + 1) * size.expressions) / size.refs);
    const ids: number[] = [];
    while (sentence < until) ids.push(sentence++);
    return {
      sent_ids: ids,
      file_name: `COCO_train2014_${String((i % size.images) + 1).padStart(12, "0")}_${i}.jpg`,
      ann_id: i + 1,
      ref_id: i,
      image_id: (i % size.images) + 1,
      split: i % 10 === 0 ? "val" : "train",
      category_id: 1,
      sentences: ids.map((id) => ({
        tokens: ["the", "man", "number", String(id)],
        raw: `The man number ${id}`,
        sent_id: id,
        sent: `the man number ${id}`,
      })),
    };
  });
}
