/**
 * The REFER layout, as the REFER API, LAVT, VPD and ReLA look for it:
 *
 *   <dataset>/refs(<splitBy>).p             pickle, protocol 2: [{ref_id, ann_id, image_id, category_id, file_name, split, sent_ids,
 *                                           sentences: [{raw, sent, tokens, sent_id}]}]
 *   <dataset>/instances.json                COCO: {images, annotations, categories}
 *   images/mscoco/images/train2014/*.jpg    the REFER API's, LAVT's and VPD's place
 *   images/train2014                        ReLA's place: a link to the former
 *
 * As "grefcoco" the first file is grefs(<splitBy>).json, where ann_id and category_id are lists and [-1] means no target.
 * Each ref has an annotation of its own, whose mask is the union of its targets.
 */
import { z } from "zod";
import { encodeCocoRle, encodePickle, type Picklable } from "../../codecs/index.ts";
import type { EncodedSample, Exporter, ExportSample } from "../exporter.ts";
import type { ExportJob } from "../job.ts";
import { emptyPolygon, maskPolygons } from "../mask-polygons.ts";
import type { ExportOutput } from "../output.ts";
import type { AssembledRecord, PartReader } from "../parts.ts";
import { cocoFileName, maskArea, maskBox, metaOf, sentenceSchema, wordsOf } from "../record-meta.ts";

const imagesFolder = "images/mscoco/images/train2014";
const general = "grefcoco";

const metaSchema = z.object({
  imageId: z.number(),
  fileName: z.string(),
  width: z.number(),
  height: z.number(),
  refId: z.number(),
  category: z.object({ id: z.number(), name: z.string() }),
  targets: z.number(),
  box: z.array(z.number()),
  area: z.number(),
  segmentation: z.array(z.unknown()),
  sentences: z.array(sentenceSchema),
  extension: z.string(),
});
type Meta = z.infer<typeof metaSchema>;

export const refer: Exporter = {
  name: "refer",
  title: "refs(*).p, instances.json and images: the REFER API, LAVT, VPD, ReLA",
  encode,
  assemble,
};

async function encode(sample: ExportSample, job: ExportJob): Promise<EncodedSample> {
  const { image, mask } = sample;
  const fileName = cocoFileName(sample.imageId, image.extension);
  const meta: Meta = {
    imageId: sample.imageId,
    fileName,
    width: image.width,
    height: image.height,
    refId: sample.refId,
    category: { id: sample.category.id, name: sample.category.name },
    targets: sample.targets,
    box: maskBox(mask, image.width),
    area: maskArea(mask),
    segmentation: segmentationOf(sample, job),
    sentences: [...sample.sentences],
    extension: image.extension,
  };
  return { meta, files: [{ path: `${imagesFolder}/${fileName}`, bytes: image.bytes }] };
}

/**
 * Polygons: the REFER API takes a list of them or a list of run lengths (never a bare object), sums them, and keeps the
 * pixels that are exactly 1; ReLA passes over whatever in the list has not six numbers or more.
 */
function segmentationOf(sample: ExportSample, job: ExportJob): unknown[] {
  const { width, height } = sample.image;
  if (job.options.masks === "rle") return [encodeCocoRle(sample.mask, height, width)];
  if (sample.polygons !== undefined) return [...sample.polygons];
  const polygons = maskPolygons(sample.mask, height, width);
  return polygons.length > 0 ? polygons : [[...emptyPolygon]];
}

async function assemble(job: ExportJob, parts: PartReader, output: ExportOutput): Promise<void> {
  const { dataset, splitBy } = job.options;
  const read = ({ meta }: AssembledRecord): Meta => metaOf(metaSchema, meta);
  const categories = new Map<number, string>();
  await output.stream(`${dataset}/instances.json`, async (append) => {
    await append('{"images": [');
    let separator = "\n";
    const images = new Set<number>();
    for await (const record of parts.records()) {
      const { imageId, fileName, height, width, category } = read(record);
      if (category.id >= 0) categories.set(category.id, category.name);
      if (images.has(imageId)) continue;
      images.add(imageId);
      await append(`${separator}${JSON.stringify({ id: imageId, file_name: fileName, height, width })}`);
      separator = ",\n";
    }
    await append('\n], "annotations": [');
    separator = "\n";
    for await (const record of parts.records()) {
      const meta = read(record);
      if (dataset === general && meta.targets === 0) continue;
      const { refId, imageId, category, box, area, segmentation } = meta;
      const annotation = {
        id: refId,
        image_id: imageId,
        category_id: category.id,
        bbox: box,
        area,
        segmentation,
        iscrowd: 0,
      };
      await append(`${separator}${JSON.stringify(annotation)}`);
      separator = ",\n";
    }
    const list = [...categories].sort(([a], [b]) => a - b).map(([id, name]) => ({ id, name, supercategory: name }));
    await append(`\n], "categories": ${JSON.stringify(list)}}\n`);
  });
  if (dataset === general) await writeGeneralRefs(`${dataset}/grefs(${splitBy}).json`, parts, output, read);
  else {
    const refs: Picklable[] = [];
    for await (const record of parts.records()) refs.push(refOf(record.split, read(record)));
    await output.write(`${dataset}/refs(${splitBy}).p`, encodePickle(refs, { protocol: 2 }));
  }
  await output.link("images/train2014", "mscoco/images/train2014");
}

function refOf(split: string, meta: Meta): { [key: string]: Picklable } {
  const { refId, imageId, category, sentences, extension } = meta;
  return {
    ref_id: refId,
    ann_id: refId,
    image_id: imageId,
    category_id: category.id,
    // As in the published files: the image's name and a number that belongs to the ref.
    file_name: cocoFileName(imageId, extension).replace(/\.\w+$/, `_${refId}$&`),
    split,
    sent_ids: sentences.map(({ id }) => id),
    sentences: sentences.map((sentence) => ({
      raw: sentence.raw,
      sent: sentence.sent,
      tokens: wordsOf(sentence),
      sent_id: sentence.id,
    })),
  };
}

async function writeGeneralRefs(
  path: string,
  parts: PartReader,
  output: ExportOutput,
  read: (record: AssembledRecord) => Meta,
): Promise<void> {
  await output.stream(path, async (append) => {
    await append("[");
    let separator = "\n";
    for await (const record of parts.records()) {
      const meta = read(record);
      const none = meta.targets === 0;
      const ref = {
        ...refOf(record.split, meta),
        ann_id: [none ? -1 : meta.refId],
        category_id: [none ? -1 : meta.category.id],
        no_target: none,
      };
      await append(`${separator}${JSON.stringify(ref)}`);
      separator = ",\n";
    }
    await append("\n]\n");
  });
}
