/**
 * SeqTR's layout, and that of its descendants (DeRIS, InstanceVG):
 *
 *   annotations/<name>/instances.json     {split: [entries]}
 *   images/mscoco/train2014/COCO_train2014_<image_id, 12 digits>.jpg
 *
 * `category`, the name beside `category_id`, is ours.
 *
 * An entry of SeqTR's is a ref: {image_id, width, height, bbox [x, y, w, h], mask (polygons), expressions [text],
 * category_id}, and <name> is refcoco-unc, refcocoplus-unc, refcocog-umd. As "grefcoco" <name> is grefs, and an entry is
 * a sentence: {image_id, file_name, width, height, expressions {raw, sent, sent_id, ref_id}, annotations [{id, bbox,
 * category_id, segmentation, iscrowd, bbox_mode, empty}]}, with one annotation whose members are null and whose id is -1
 * where nothing is meant; train_dict.json, {image_id: {expressions}}, is what DeRIS draws other sentences from.
 *
 * The loaders build image names that end in .jpg; OpenCV decodes by content, whatever the name.
 */
import { z } from "zod";
import type { EncodedSample } from "../encoded-sample.ts";
import type { Exporter, ExportSample, ExportTarget, LeftOut } from "../exporter.ts";
import { floatJson } from "../float-json.ts";
import type { ExportJob } from "../job.ts";
import { storedPolygons } from "../mask-polygons.ts";
import type { ExportOutput } from "../output.ts";
import type { PartReader } from "../parts.ts";
import { cocoFileName, maskBox, metaOf, sentenceSchema } from "../record-meta.ts";

const general = "grefcoco";

const metaSchema = z.object({
  imageId: z.number(),
  width: z.number(),
  height: z.number(),
  refId: z.number(),
  sentences: z.array(sentenceSchema),
  /** SeqTR's: members of the entry. GRES: those of each target's annotation, but for the id. As JSON without braces. */
  members: z.array(z.string()),
});
type Meta = z.infer<typeof metaSchema>;

export const seqtr: Exporter = {
  name: "seqtr",
  title: "instances.json of {split: [entries]}: SeqTR, DeRIS, InstanceVG",
  encode,
  assemble,
};

async function encode(sample: ExportSample, job: ExportJob): Promise<EncodedSample | LeftOut> {
  const { image, imageId, refId, targets } = sample;
  const isGeneral = job.options.dataset === general;
  if (!isGeneral && !sample.mask.includes(1))
    return { leftOut: "its mask is empty, which SeqTR cannot hold; --dataset grefcoco can" };
  const meta: Meta = {
    imageId,
    width: image.width,
    height: image.height,
    refId,
    sentences: [...sample.sentences],
    members: isGeneral ? targets.map((target) => annotationMembers(target, sample)) : [entryMembers(sample)],
  };
  return { meta, files: [{ path: `images/mscoco/train2014/${fileName(imageId)}`, bytes: image.bytes }] };
}

const fileName = (imageId: number): string => cocoFileName(imageId, "jpg");

function entryMembers(sample: ExportSample): string {
  const { mask, image, category } = sample;
  return `"bbox": ${floatJson(maskBox(mask, image.width))}, "mask": ${floatJson(storedPolygons(sample, image))}, "category_id": ${category.id}, "category": ${JSON.stringify(category.name)}`;
}

function annotationMembers(target: ExportTarget, { image }: ExportSample): string {
  const box = floatJson(maskBox(target.mask, image.width));
  const polygons = floatJson(storedPolygons(target, image));
  return `"bbox": ${box}, "category_id": ${target.category.id}, "category": ${JSON.stringify(target.category.name)}, "segmentation": ${polygons}, "iscrowd": 0, "bbox_mode": 1, "empty": false`;
}

const nothingMeant = '{"iscrowd": null, "bbox": null, "category_id": null, "id": -1, "bbox_mode": 1, "empty": true}';

async function assemble(job: ExportJob, parts: PartReader, output: ExportOutput): Promise<void> {
  const { dataset, splitBy } = job.options;
  const isGeneral = dataset === general;
  const folder = `annotations/${isGeneral ? "grefs" : `${dataset.replace("+", "plus")}-${splitBy}`}`;
  let annotation = 1; // DeRIS passes over an id of 0
  await output.stream(`${folder}/instances.json`, async (append) => {
    let opening = "{";
    for (const { name } of job.splits) {
      await append(`${opening}${JSON.stringify(name)}: [`);
      opening = "\n],\n";
      let separator = "\n";
      for await (const record of parts.recordsOf(name)) {
        const meta = metaOf(metaSchema, record.meta);
        const entries = isGeneral ? sentenceEntries(meta, annotation) : [refEntry(meta)];
        if (isGeneral) annotation += meta.members.length;
        for (const entry of entries) {
          await append(`${separator}${entry}`);
          separator = ",\n";
        }
      }
    }
    await append("\n]}\n");
  });
  const drawn = job.splits.find((split) => split.drawn);
  if (isGeneral && drawn !== undefined) await writeSentences(`${folder}/train_dict.json`, drawn.name, parts, output);
}

function refEntry({ imageId, width, height, sentences, members }: Meta): string {
  const expressions = JSON.stringify(sentences.map(({ sent }) => sent));
  return `{"image_id": ${imageId}, "width": ${width}, "height": ${height}, ${members.join("")}, "expressions": ${expressions}}`;
}

function sentenceEntries(meta: Meta, firstId: number): string[] {
  const { imageId, width, height, members } = meta;
  const targets = members.map((text, at) => `{"id": ${firstId + at}, ${text}}`);
  const annotations = targets.length === 0 ? nothingMeant : targets.join(", ");
  return expressionsOf(meta).map(
    (expressions) =>
      `{"image_id": ${imageId}, "file_name": "${fileName(imageId)}", "width": ${width}, "height": ${height}, "expressions": ${JSON.stringify(expressions)}, "annotations": [${annotations}]}`,
  );
}

function expressionsOf({ sentences, refId }: Meta): Record<string, unknown>[] {
  return sentences.map(({ raw, sent, id }) => ({ raw, sent, sent_id: id, ref_id: refId }));
}

async function writeSentences(path: string, split: string, parts: PartReader, output: ExportOutput): Promise<void> {
  const byImage = new Map<number, Record<string, unknown>[]>();
  for await (const record of parts.recordsOf(split)) {
    const meta = metaOf(metaSchema, record.meta);
    byImage.set(meta.imageId, [...(byImage.get(meta.imageId) ?? []), ...expressionsOf(meta)]);
  }
  await output.stream(path, async (append) => {
    let separator = "{\n";
    for (const [imageId, expressions] of byImage) {
      await append(`${separator}"${imageId}": ${JSON.stringify({ expressions })}`);
      separator = ",\n";
    }
    await append(byImage.size === 0 ? "{}\n" : "\n}\n");
  });
}
