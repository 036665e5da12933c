/**
 * The REFER layout, as the REFER API and the trainers on it look for it:
 *
 *   <dataset>/refs(<splitBy>).p     pickle, protocol 2: [{ref_id, ann_id, image_id, category_id, file_name, split, sent_ids,
 *                                   sentences: [{raw, sent, tokens, sent_id}]}]
 *   <dataset>/instances.json        COCO: {images, annotations, categories}
 *   images/…                        where the dataset's trainers look for them: image-folders.ts
 *
 * A ref has one annotation, whose mask is the union of its targets. Where it means several or none, that annotation
 * lists them as `target_ids`, and the targets have annotations too; a sentence that is true of nothing has `exist:
 * false`, as in R-RefCOCO. As "grefcoco" the first file is grefs(<splitBy>).json, where ann_id and category_id are
 * lists with an entry for each target, and [-1] means none.
 */
import { z } from "zod";
import { encodeCocoRle, encodePickle, type Picklable } from "../../codecs/index.ts";
import { listedNoCategory } from "../category-numbers.ts";
import type { EncodedSample } from "../encoded-sample.ts";
import type { Exporter, ExportSample, ExportTarget } from "../exporter.ts";
import { floatJson } from "../float-json.ts";
import type { ExportJob } from "../job.ts";
import { storedPolygons } from "../mask-polygons.ts";
import type { ExportOutput } from "../output.ts";
import type { PartReader } from "../parts.ts";
import { cocoFileName, maskArea, maskBox, metaOf, sentenceSchema, wordsOf } from "../record-meta.ts";
import { imageFolders } from "./image-folders.ts";

const general = "grefcoco";
/** Annotations that are no ref's own are numbered from here on, above every ref's number. */
const firstTargetId = 2_000_000_000;

const rle = z.object({ size: z.tuple([z.number(), z.number()]).readonly(), counts: z.string() });
const maskSchema = z.object({
  category: z.object({ id: z.number(), name: z.string() }),
  box: z.array(z.number()),
  area: z.number(),
  segmentation: z.union([z.array(z.array(z.number())), rle]),
});
const metaSchema = z.object({
  imageId: z.number(),
  fileName: z.string(),
  width: z.number(),
  height: z.number(),
  refId: z.number(),
  /** The ref's own annotation. */
  union: maskSchema,
  /** Empty where that one says it all: for a single target. */
  targets: z.array(maskSchema),
  isTrue: z.boolean(),
  sentences: z.array(sentenceSchema),
  extension: z.string(),
});
type Meta = z.infer<typeof metaSchema>;

export const refer: Exporter = {
  name: "refer",
  title: "refs(*).p, instances.json and images: the REFER API, LAVT, VPD, ReLA, RMSIN, MaskRIS, LISA and their kin",
  encode,
  assemble,
};

async function encode(sample: ExportSample, job: ExportJob): Promise<EncodedSample> {
  const { image, targets } = sample;
  const fileName = cocoFileName(sample.imageId, image.extension);
  const { name, id } = targets.length === 0 ? listedNoCategory : sample.category;
  const meta: Meta = {
    imageId: sample.imageId,
    fileName,
    width: image.width,
    height: image.height,
    refId: sample.refId,
    union: storedMask({ ...sample, category: { id, name } }, sample, job),
    targets: targets.length === 1 ? [] : targets.map((target) => storedMask(target, sample, job)),
    isTrue: targets.length > 0,
    sentences: [...sample.sentences],
    extension: image.extension,
  };
  const folder = imageFolders(job.options.dataset, job.options.imagesFolder).files;
  return { meta, files: [{ path: `${folder}/${fileName}`, bytes: image.bytes }] };
}

/**
 * Polygons: the REFER API takes a list of them or a list of run lengths (never a bare object), sums them, and keeps the
 * pixels that are exactly 1; ReLA passes over whatever in the list has not six numbers or more.
 */
function storedMask(
  part: Pick<ExportTarget, "mask" | "polygons"> & { category: Meta["union"]["category"] },
  { image }: ExportSample,
  { options }: ExportJob,
): Meta["union"] {
  const segmentation =
    options.masks === "rle"
      ? encodeCocoRle(part.mask, image.height, image.width)
      : storedPolygons(part, image).map((polygon) => [...polygon]);
  const { id, name } = part.category;
  return { category: { id, name }, box: maskBox(part.mask, image.width), area: maskArea(part.mask), segmentation };
}

/** A record as its files list it: its targets' annotations have numbers. */
interface Listed {
  readonly split: string;
  readonly meta: Meta;
  readonly annotations: readonly (Meta["union"] & { readonly id: number; readonly targetIds?: readonly number[] })[];
}

/** Every record in order, with its annotations: the ref's own first. */
async function* readListed(parts: PartReader, dataset: string): AsyncGenerator<Listed> {
  let next = firstTargetId;
  for await (const record of parts.records()) {
    const meta = metaOf(metaSchema, record.meta);
    const { union, targets, refId, isTrue } = meta;
    if (dataset === general) {
      const own = isTrue && targets.length === 0 ? [union] : targets;
      const annotations = own.map((mask, at) => ({ ...mask, id: at === 0 ? refId : next++ }));
      yield { split: record.split, meta, annotations };
      continue;
    }
    const others = targets.map((mask) => ({ ...mask, id: next++ }));
    const targetIds = isTrue && targets.length === 0 ? {} : { targetIds: others.map(({ id }) => id) };
    yield { split: record.split, meta, annotations: [{ ...union, id: refId, ...targetIds }, ...others] };
  }
}

async function assemble(job: ExportJob, parts: PartReader, output: ExportOutput): Promise<void> {
  const { dataset, splitBy, imagesFolder } = job.options;
  await output.stream(`${dataset}/instances.json`, (append) =>
    writeInstances(readListed(parts, dataset), parts, append),
  );
  if (dataset === general) {
    await output.stream(`${dataset}/grefs(${splitBy}).json`, (append) =>
      writeGeneralRefs(readListed(parts, dataset), append),
    );
  } else {
    const refs: Picklable[] = [];
    for await (const record of readListed(parts, dataset)) refs.push(refOf(record));
    await output.write(`${dataset}/refs(${splitBy}).p`, encodePickle(refs, { protocol: 2 }));
  }
  const { files, links } = imageFolders(dataset, imagesFolder);
  for (const link of links) await output.link(link, `${"../".repeat(link.split("/").length - 1)}${files}`);
}

async function writeInstances(
  records: AsyncGenerator<Listed>,
  parts: PartReader,
  append: (text: string) => Promise<void>,
): Promise<void> {
  await append('{"images": [');
  let separator = "\n";
  const images = new Set<number>();
  for await (const record of parts.records()) {
    const { imageId, fileName, height, width } = metaOf(metaSchema, record.meta);
    if (images.has(imageId)) continue;
    images.add(imageId);
    await append(`${separator}${JSON.stringify({ id: imageId, file_name: fileName, height, width })}`);
    separator = ",\n";
  }
  await append('\n], "annotations": [');
  separator = "\n";
  const categories = new Map<number, string>();
  for await (const { meta, annotations } of records) {
    for (const annotation of annotations) {
      categories.set(annotation.category.id, annotation.category.name);
      await append(`${separator}${annotationText(annotation, meta.imageId)}`);
      separator = ",\n";
    }
  }
  const list = [...categories].sort(([a], [b]) => a - b).map(([id, name]) => ({ id, name, supercategory: name }));
  await append(`\n], "categories": ${JSON.stringify(list)}}\n`);
}

function annotationText(annotation: Listed["annotations"][number], imageId: number): string {
  const { id, category, box, area, segmentation, targetIds } = annotation;
  const masks = Array.isArray(segmentation) ? floatJson(segmentation) : JSON.stringify([segmentation]);
  const targets = targetIds === undefined ? "" : `, "target_ids": ${JSON.stringify(targetIds)}`;
  return `{"id": ${id}, "image_id": ${imageId}, "category_id": ${category.id}, "bbox": ${floatJson(box)}, "area": ${floatJson(area)}, "segmentation": ${masks}, "iscrowd": 0${targets}}`;
}

function refOf({ split, meta }: Listed): { [key: string]: Picklable } {
  const { refId, imageId, union, sentences, extension, isTrue } = meta;
  return {
    ref_id: refId,
    ann_id: refId,
    image_id: imageId,
    category_id: union.category.id,
    // As in the published files: the image's name and a number that belongs to the ref.
    file_name: cocoFileName(imageId, extension).replace(/\.\w+$/, `_${refId}$&`),
    split,
    sent_ids: sentences.map(({ id }) => id),
    sentences: sentences.map((sentence) => ({
      raw: sentence.raw,
      sent: sentence.sent,
      tokens: wordsOf(sentence),
      sent_id: sentence.id,
      ...(isTrue ? {} : { exist: false }),
    })),
  };
}

async function writeGeneralRefs(
  records: AsyncGenerator<Listed>,
  append: (text: string) => Promise<void>,
): Promise<void> {
  await append("[");
  let separator = "\n";
  for await (const record of records) {
    const { annotations, meta } = record;
    const ref = {
      ...refOf(record),
      ann_id: meta.isTrue ? annotations.map(({ id }) => id) : [-1],
      category_id: meta.isTrue ? annotations.map(({ category }) => category.id) : [-1],
      no_target: !meta.isTrue,
    };
    await append(`${separator}${JSON.stringify(ref)}`);
    separator = ",\n";
  }
  await append("\n]\n");
}
