/**
 * What SAM 3 is trained and evaluated with:
 *
 *   <split>/_annotations.coco.json   COCO, as its training and SAM3_LoRA read it: a category is a text prompt, so each
 *                                    sentence is one; an image is listed for each ref; masks are run lengths. Refs of
 *                                    which nothing is to be seen are not in it: SAM 3 cannot ask for a phrase that no
 *                                    annotation has, and SAM3_LoRA would ask such an image for "object".
 *   <split>/saco.json                SA-Co: an image is listed for each sentence, `text_input`, those true of nothing
 *                                    too; boxes and areas are shares of the image
 *   <split>/images/…
 *   valid                            a link to val, as SAM3_LoRA calls it
 */
import { z } from "zod";
import { encodeCocoRle } from "../../codecs/index.ts";
import type { EncodedSample } from "../encoded-sample.ts";
import type { Exporter, ExportSample } from "../exporter.ts";
import { floatJson } from "../float-json.ts";
import type { ExportJob } from "../job.ts";
import type { ExportOutput } from "../output.ts";
import type { PartReader } from "../parts.ts";
import { cocoFileName, maskArea, maskBox, metaOf, sentenceSchema } from "../record-meta.ts";

const metaSchema = z.object({
  fileName: z.string(),
  width: z.number(),
  height: z.number(),
  refId: z.number(),
  sentences: z.array(sentenceSchema),
  /** `rle` is JSON. */
  targets: z.array(
    z.object({
      box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      area: z.number(),
      rle: z.string(),
    }),
  ),
});
type Meta = z.infer<typeof metaSchema>;

export const sam3: Exporter = {
  name: "sam3",
  title: "COCO with sentences for categories, and SA-Co: SAM 3, SAM3_LoRA",
  encode,
  assemble,
};

async function encode(sample: ExportSample): Promise<EncodedSample> {
  const { image, split } = sample;
  const name = cocoFileName(sample.imageId, image.extension);
  const targets = sample.targets.map(({ mask }) => ({
    box: maskBox(mask, image.width),
    area: maskArea(mask),
    rle: JSON.stringify(encodeCocoRle(mask, image.height, image.width)),
  }));
  const meta: Meta = {
    fileName: `images/${name}`,
    width: image.width,
    height: image.height,
    refId: sample.refId,
    sentences: [...sample.sentences],
    targets,
  };
  return { meta, files: [{ path: `${split}/images/${name}`, bytes: image.bytes }] };
}

async function assemble(job: ExportJob, parts: PartReader, output: ExportOutput): Promise<void> {
  for (const { name } of job.splits) {
    const records = async function* (): AsyncGenerator<Meta> {
      for await (const { meta } of parts.recordsOf(name)) yield metaOf(metaSchema, meta);
    };
    await output.stream(`${name}/_annotations.coco.json`, (append) => writeCoco(records, append));
    await output.stream(`${name}/saco.json`, (append) => writeSaco(records, append));
  }
  const names = job.splits.map(({ name }) => name);
  if (names.includes("val") && !names.includes("valid")) await output.link("valid", "val");
}

type Append = (text: string) => Promise<void>;

async function writeCoco(records: () => AsyncGenerator<Meta>, append: Append): Promise<void> {
  const categories = new Map<string, number>();
  await append('{"images": [');
  await appendList(append, keepVisible(records()), ({ refId, fileName, width, height }) => [
    JSON.stringify({ id: refId, file_name: fileName, width, height }),
  ]);
  await append('\n], "annotations": [');
  let id = 0;
  await appendList(append, keepVisible(records()), ({ refId, sentences, targets }) =>
    sentences.flatMap(({ sent }) => {
      const category = categories.get(sent) ?? categories.size + 1;
      categories.set(sent, category);
      return targets.map(
        ({ box, area, rle }) =>
          `{"id": ${++id}, "image_id": ${refId}, "category_id": ${category}, "bbox": ${floatJson(box)}, "area": ${floatJson(area)}, "segmentation": ${rle}, "iscrowd": 0}`,
      );
    }),
  );
  await append('\n], "categories": [');
  await appendList(append, [...categories], ([name, number]) => [
    JSON.stringify({ id: number, name, supercategory: "expression" }),
  ]);
  await append("\n]}\n");
}

async function* keepVisible(records: AsyncGenerator<Meta>): AsyncGenerator<Meta> {
  for await (const meta of records) if (meta.targets.length > 0) yield meta;
}

async function writeSaco(records: () => AsyncGenerator<Meta>, append: Append): Promise<void> {
  await append('{"images": [');
  await appendList(append, records(), ({ fileName, width, height, refId, sentences }) =>
    sentences.map(({ id, sent }) =>
      JSON.stringify({
        id,
        ref_id: refId,
        file_name: fileName,
        width,
        height,
        text_input: sent,
        queried_category: "1",
        is_instance_exhaustive: 1,
        is_pixel_exhaustive: 1,
      }),
    ),
  );
  await append('\n], "annotations": [');
  let id = 0;
  await appendList(append, records(), ({ width, height, sentences, targets }) =>
    sentences.flatMap((sentence) =>
      targets.map(({ box: [x, y, w, h], area, rle }) => {
        const box = floatJson([x / width, y / height, w / width, h / height]);
        const share = floatJson(area / (width * height));
        return `{"id": ${++id}, "image_id": ${sentence.id}, "category_id": 1, "bbox": ${box}, "area": ${share}, "segmentation": ${rle}, "iscrowd": 0, "source": "nemosaic"}`;
      }),
    ),
  );
  await append('\n], "categories": [{"id": 1, "name": "object"}]}\n');
}

/** Appends what `textsOf` makes of each item, a line each, with commas between. */
async function appendList<T>(
  append: Append,
  items: AsyncIterable<T> | Iterable<T>,
  textsOf: (item: T) => readonly string[],
): Promise<void> {
  let separator = "\n";
  for await (const item of items) {
    for (const text of textsOf(item)) {
      await append(`${separator}${text}`);
      separator = ",\n";
    }
  }
}
