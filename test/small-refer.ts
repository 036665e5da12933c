import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeJpeg, encodePickle } from "../src/codecs/index.ts";
import { CounterRandom } from "../src/kernels/index.ts";

/** Writes a REFER folder of `count` small pictures (one coloured box each) and returns its places: a real dataset in miniature. */
export async function writeSmallRefer(folder: string, count = 12): Promise<{ refer: string; images: string }> {
  const refer = join(folder, "tiny");
  const images = join(folder, "images");
  await mkdir(refer, { recursive: true });
  await mkdir(images, { recursive: true });
  const colours = { red: [220, 40, 40], green: [40, 170, 60], blue: [50, 80, 220], yellow: [230, 200, 40] } as const;
  const names = Object.keys(colours) as (keyof typeof colours)[];
  const refs: object[] = [];
  const instances = {
    images: [] as object[],
    annotations: [] as object[],
    categories: [{ id: 1, name: "box", supercategory: "thing" }],
  };
  for (let id = 1; id <= count; id++) {
    const random = new CounterRandom(7, 0, id, 0);
    const [width, height] = [96, 72];
    const name = names[id % names.length] ?? "red";
    const [x, y, w, h] = [8 + random.below(40), 8 + random.below(24), 24 + random.below(16), 20 + random.below(12)];
    const data = new Uint8Array(width * height * 3).fill(120 + random.below(100));
    for (let row = y; row < y + h; row++)
      for (let column = x; column < x + w; column++) data.set(colours[name], (row * width + column) * 3);
    await writeFile(join(images, `${id}.jpg`), await encodeJpeg({ width, height, channels: 3, data }, 95));
    instances.images.push({ id, file_name: `${id}.jpg`, width, height });
    instances.annotations.push({
      id: id * 10,
      image_id: id,
      category_id: 1,
      segmentation: [[x, y, x + w, y, x + w, y + h, x, y + h]],
      area: w * h,
      bbox: [x, y, w, h],
      iscrowd: 0,
    });
    const sentences = [`${name} box`, `the ${name} thing`].map((sent, at) => ({
      sent,
      raw: sent,
      tokens: sent.split(" "),
      sent_id: id * 2 + at,
    }));
    refs.push({
      ref_id: id,
      ann_id: id * 10,
      image_id: id,
      category_id: 1,
      file_name: `${id}_${id}.jpg`,
      split: id % 6 === 0 ? "val" : "train",
      sent_ids: sentences.map((s) => s.sent_id),
      sentences,
    });
  }
  await writeFile(join(refer, "refs(unc).p"), encodePickle(refs as never, { protocol: 2 }));
  await writeFile(join(refer, "instances.json"), JSON.stringify(instances));
  return { refer, images };
}
