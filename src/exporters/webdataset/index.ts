/**
 * WebDataset shards: <split>/000000.tar, 000001.tar, … Each sample is three files that share the name before the first dot:
 *
 *   <number>.jpg        the image (png, webp where the original is one)
 *   <number>.mask.png   0 and 255
 *   <number>.json       {split, kind, sentences [{key, raw, sent}], image_id, ref_id, ref, category, category_id,
 *                       targets? (target-list.ts), plan?}
 */
import { z } from "zod";
import { TarWriter } from "../../codecs/index.ts";
import type { EncodedSample } from "../encoded-sample.ts";
import type { Exporter, ExportSample } from "../exporter.ts";
import type { ExportJob } from "../job.ts";
import type { ExportOutput } from "../output.ts";
import type { AssembledRecord, PartReader } from "../parts.ts";
import { maskPng, metaOf } from "../record-meta.ts";
import { targetList } from "../target-list.ts";

const metaSchema = z.object({ key: z.string(), files: z.array(z.tuple([z.string(), z.number()])) });

export const webdataset: Exporter = {
  name: "webdataset",
  title: "tar shards of jpg, mask.png and json: the webdataset package",
  encode,
  assemble,
};

async function encode(sample: ExportSample): Promise<EncodedSample> {
  const { image, plan, category } = sample;
  const description = {
    split: sample.split,
    kind: plan?.kind ?? "original",
    sentences: sample.sentences.map(({ key, raw, sent }) => ({ key, raw, sent })),
    image_id: sample.imageId,
    ref_id: sample.refId,
    ref: sample.refKey,
    category: category.name,
    category_id: category.id,
    ...targetList(sample),
    ...(plan === undefined ? {} : { plan }),
  };
  const parts: [string, Uint8Array][] = [
    [image.extension, image.bytes],
    ["mask.png", await maskPng(sample)],
    ["json", Buffer.from(JSON.stringify(description))],
  ];
  const meta: z.infer<typeof metaSchema> = {
    key: String(sample.inSplit).padStart(9, "0"),
    files: parts.map(([extension, bytes]) => [extension, bytes.length]),
  };
  return { meta, blob: Buffer.concat(parts.map(([, bytes]) => bytes)) };
}

async function assemble(job: ExportJob, parts: PartReader, output: ExportOutput): Promise<void> {
  const { shardSamples, shardBytes } = job.options;
  for (const { name } of job.splits) {
    let shard: AssembledRecord[] = [];
    let bytes = 0;
    let number = 0;
    const flush = async (): Promise<void> => {
      if (shard.length === 0) return;
      await writeShard(`${name}/${String(number++).padStart(6, "0")}.tar`, shard, parts, output);
      shard = [];
      bytes = 0;
    };
    for await (const record of parts.recordsOf(name)) {
      const { files } = metaOf(metaSchema, record.meta);
      const size = files.reduce((sum, [, length]) => sum + 512 + Math.ceil(length / 512) * 512, 0);
      if (shard.length >= shardSamples || (shardBytes !== null && bytes + size + 1024 > shardBytes)) await flush();
      shard.push({ ...record, plan: undefined });
      bytes += size;
    }
    await flush();
  }
}

async function writeShard(
  path: string,
  records: readonly AssembledRecord[],
  parts: PartReader,
  output: ExportOutput,
): Promise<void> {
  await output.stream(path, async (append) => {
    const tar = new TarWriter(append);
    for (const record of records) {
      const { key, files } = metaOf(metaSchema, record.meta);
      const blob = await parts.blob(record);
      let at = 0;
      for (const [extension, length] of files) {
        await tar.add(`${key}.${extension}`, blob.subarray(at, at + length));
        at += length;
      }
    }
    await tar.finish();
  });
}
