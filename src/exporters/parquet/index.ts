/**
 * Parquet as the Hugging Face hub lays it out: data/<split>-00000-of-0000N.parquet, one row a sample. `image` and `mask` are
 * structs {bytes, path}; the key "huggingface" of the file's metadata makes `datasets` show them as images. A mask is a
 * PNG of 0 and 255; `targets` is JSON, where there are several (target-list.ts).
 */
import { z } from "zod";
import type { EncodedSample } from "../encoded-sample.ts";
import type { Exporter, ExportSample } from "../exporter.ts";
import type { ExportJob } from "../job.ts";
import type { ExportOutput } from "../output.ts";
import type { AssembledRecord, PartReader } from "../parts.ts";
import { cocoFileName, maskPng, metaOf, sentenceSchema } from "../record-meta.ts";
import { targetList } from "../target-list.ts";
import { type NestedColumn, writeNestedTable } from "./nested-table.ts";

const metaSchema = z.object({
  imageBytes: z.number(),
  imageName: z.string(),
  kind: z.string(),
  epoch: z.number().nullable(),
  index: z.number().nullable(),
  imageId: z.number(),
  refId: z.number(),
  ref: z.string(),
  category: z.string(),
  categoryId: z.number(),
  targets: z.array(z.unknown()).optional(),
  sentences: z.array(sentenceSchema),
});

export const parquet: Exporter = {
  name: "parquet",
  title: "Parquet files with images and masks inside: Hugging Face datasets, pandas, pyarrow",
  encode,
  assemble,
};

/** The hub's viewer and `datasets` read whole row groups; images make them heavy. */
const rowsInGroup = 100;

async function encode(sample: ExportSample): Promise<EncodedSample> {
  const { image, plan, category } = sample;
  const mask = await maskPng(sample);
  const meta: z.infer<typeof metaSchema> = {
    imageBytes: image.bytes.length,
    imageName: cocoFileName(sample.imageId, image.extension),
    kind: plan?.kind ?? "original",
    epoch: plan?.epoch ?? null,
    index: plan?.index ?? null,
    imageId: sample.imageId,
    refId: sample.refId,
    ref: sample.refKey,
    category: category.name,
    categoryId: category.id,
    ...targetList(sample),
    sentences: [...sample.sentences],
  };
  return { meta, blob: Buffer.concat([image.bytes, mask]) };
}

const columns: readonly NestedColumn[] = [
  { name: "image", kind: "image" },
  { name: "mask", kind: "image" },
  { name: "sentences", kind: "strings" },
  { name: "sentence_keys", kind: "strings" },
  { name: "kind", kind: "string" },
  { name: "epoch", kind: "int32" },
  { name: "index", kind: "int32" },
  { name: "image_id", kind: "int64" },
  { name: "ref_id", kind: "int64" },
  { name: "ref", kind: "string" },
  { name: "category", kind: "string" },
  { name: "category_id", kind: "int32" },
  { name: "targets", kind: "string" },
  { name: "plan", kind: "string" },
];

async function assemble(job: ExportJob, parts: PartReader, output: ExportOutput): Promise<void> {
  const { shardSamples } = job.options;
  for (const { name } of job.splits) {
    let records = 0;
    for await (const _record of parts.recordsOf(name)) records++;
    const shards = Math.max(1, Math.ceil(records / shardSamples));
    const rows = parts.recordsOf(name);
    const five = (number: number): string => String(number).padStart(5, "0");
    for (let shard = 0; shard < shards; shard++) {
      await output.stream(`data/${name}-${five(shard)}-of-${five(shards)}.parquet`, (append) =>
        writeNestedTable(append, columns, rowGroups(rows, shardSamples, parts)),
      );
    }
  }
}

/** Up to `limit` rows in groups. */
async function* rowGroups(
  records: AsyncGenerator<AssembledRecord>,
  limit: number,
  parts: PartReader,
): AsyncGenerator<Record<string, unknown>[]> {
  let group: Record<string, unknown>[] = [];
  for (let taken = 0; taken < limit; taken++) {
    const next = await records.next();
    if (next.done === true) break;
    group.push(await rowOf(next.value, parts));
    if (group.length === rowsInGroup) {
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}

async function rowOf(record: AssembledRecord, parts: PartReader): Promise<Record<string, unknown>> {
  const meta = metaOf(metaSchema, record.meta);
  const blob = await parts.blob(record);
  return {
    image: { bytes: blob.subarray(0, meta.imageBytes), path: meta.imageName },
    mask: { bytes: blob.subarray(meta.imageBytes), path: meta.imageName.replace(/\.\w+$/, ".mask.png") },
    sentences: meta.sentences.map(({ sent }) => sent),
    sentence_keys: meta.sentences.map(({ key }) => key),
    kind: meta.kind,
    epoch: meta.epoch,
    index: meta.index,
    image_id: BigInt(meta.imageId),
    ref_id: BigInt(meta.refId),
    ref: meta.ref,
    category: meta.category,
    category_id: meta.categoryId,
    targets: meta.targets === undefined ? null : JSON.stringify(meta.targets),
    plan: record.plan === undefined ? null : JSON.stringify(record.plan),
  };
}
