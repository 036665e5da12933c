/**
 * What CRIS's and CGFormer's data_process and folder2lmdb steps make:
 *
 *   lmdb/<dataset>/<split>.lmdb     one file, no sub-directory; keys "0" … "N-1", `__keys__` (list of bytes), `__len__`; values are
 *                                   pickles of {img, mask, cat, seg_id, img_name, num_sents, sents, category}: encoded image, PNG
 *                                   of 0 and 255; and the targets where there are several (target-list.ts)
 *   anns/<dataset>/<split>.json     [{bbox [x1, y1, x2, y2], cat, category, segment_id, img_name, sentences [{idx, sent_id, sent}],
 *                                   sentences_num}]
 *   masks/<dataset>/<segment_id>.png   of the splits that are evaluated
 *
 * `cat` is 0 to 79 for COCO's categories, 80 and more for others, -1 for no target; `category`, the name, is ours.
 * The originals hold pyarrow.serialize output, which no current pyarrow reads; pickle is what their authors moved to.
 */
import { z } from "zod";
import { encodePickle, type LmdbEntry, writeLmdb } from "../../codecs/index.ts";
import type { EncodedSample } from "../encoded-sample.ts";
import type { Exporter, ExportSample } from "../exporter.ts";
import type { ExportJob } from "../job.ts";
import type { ExportOutput } from "../output.ts";
import type { AssembledRecord, PartReader } from "../parts.ts";
import { cocoFileName, maskBox, maskPng, metaOf, sentenceSchema } from "../record-meta.ts";
import { targetList } from "../target-list.ts";

const metaSchema = z.object({
  bbox: z.array(z.number()),
  cat: z.number(),
  category: z.string(),
  segment_id: z.number(),
  img_name: z.string(),
  sentences: z.array(sentenceSchema),
});

export const crisLmdb: Exporter = {
  name: "cris-lmdb",
  title: "LMDB files, annotations and masks: CRIS, CGFormer",
  encode,
  assemble,
};

/** Read by Python 3.4 and newer. */
const protocol = 4;

async function encode(sample: ExportSample, job: ExportJob): Promise<EncodedSample> {
  const { image, sentences } = sample;
  const mask = await maskPng(sample);
  const [x, y, width, height] = maskBox(sample.mask, image.width);
  const imageName = cocoFileName(sample.imageId, image.extension);
  const meta: z.infer<typeof metaSchema> = {
    bbox: [x, y, x + width, y + height],
    cat: sample.category.dense,
    category: sample.category.name,
    segment_id: sample.refId,
    img_name: imageName,
    sentences: [...sentences],
  };
  const value = {
    img: image.bytes,
    mask,
    cat: sample.category.dense,
    seg_id: sample.refId,
    img_name: imageName,
    num_sents: sentences.length,
    sents: sentences.map(({ sent }) => sent),
    category: sample.category.name,
    ...targetList(sample),
  };
  const evaluated = sample.plan === undefined && job.splits.some(({ name, drawn }) => name === sample.split && !drawn);
  const files = evaluated ? [{ path: `masks/${job.options.dataset}/${sample.refId}.png`, bytes: mask }] : [];
  return { meta, blob: encodePickle(value, { protocol }), files };
}

async function assemble(job: ExportJob, parts: PartReader, output: ExportOutput): Promise<void> {
  const { dataset } = job.options;
  for (const { name } of job.splits) {
    const records: Pick<AssembledRecord, "part" | "offset" | "bytes">[] = [];
    await output.stream(`anns/${dataset}/${name}.json`, async (append) => {
      await append("[");
      for await (const { meta, part, offset, bytes } of parts.recordsOf(name)) {
        const { sentences, ...rest } = metaOf(metaSchema, meta);
        const listed = sentences.map(({ id, sent }, idx) => ({ idx, sent_id: id, sent: sent.trim() }));
        await append(
          `${records.length === 0 ? "\n" : ",\n"}${JSON.stringify({ ...rest, sentences: listed, sentences_num: listed.length })}`,
        );
        records.push({ part, offset, bytes });
      }
      await append("\n]\n");
    });
    const path = `lmdb/${dataset}/${name}.lmdb`;
    await output.adopt(path, (full) => writeLmdb(full, lmdbEntries(records, parts), { subdir: false }));
  }
}

/** The entries in bytewise order of their keys: "0", "1", "10", "100", …; "_" comes after every digit. */
async function* lmdbEntries(
  records: readonly Pick<AssembledRecord, "part" | "offset" | "bytes">[],
  parts: PartReader,
): AsyncGenerator<LmdbEntry> {
  const keys = records.map((_, at) => String(at));
  const ascii = (key: string): Uint8Array => Buffer.from(key, "ascii");
  for (const key of [...keys].sort()) {
    const record = records[Number(key)];
    if (record !== undefined) yield { key: ascii(key), value: await parts.blob(record) };
  }
  yield { key: ascii("__keys__"), value: encodePickle(keys.map(ascii), { protocol }) };
  yield { key: ascii("__len__"), value: encodePickle(keys.length, { protocol }) };
}
