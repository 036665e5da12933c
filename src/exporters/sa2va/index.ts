/**
 * Sa2VA's fine-tuning data, as its docs/finetune.md has it:
 *
 *   <split>/annotations.json     [{image, mask: [polygons], text: [text]}]: mask i is that of text i
 *   <split>/images/…
 *
 * Sa2VA sums the polygons of a mask, so no two share a pixel; it asks for the last character of a text, so none is empty.
 */
import { z } from "zod";
import type { EncodedSample } from "../encoded-sample.ts";
import type { Exporter, ExportSample } from "../exporter.ts";
import { floatJson } from "../float-json.ts";
import type { ExportJob } from "../job.ts";
import { storedPolygons } from "../mask-polygons.ts";
import type { ExportOutput } from "../output.ts";
import type { PartReader } from "../parts.ts";
import { cocoFileName, metaOf } from "../record-meta.ts";

const metaSchema = z.object({ image: z.string(), mask: z.string(), text: z.array(z.string()) });

export const sa2va: Exporter = {
  name: "sa2va",
  title: "annotations.json of {image, mask, text}: Sa2VA's fine-tuning",
  encode,
  assemble,
};

async function encode(sample: ExportSample): Promise<EncodedSample> {
  const { image, imageId, split, sentences } = sample;
  const name = cocoFileName(imageId, image.extension);
  const meta: z.infer<typeof metaSchema> = {
    image: name,
    mask: floatJson(storedPolygons(sample, image)),
    text: sentences.map(({ sent }) => sent),
  };
  return { meta, files: [{ path: `${split}/images/${name}`, bytes: image.bytes }] };
}

async function assemble(job: ExportJob, parts: PartReader, output: ExportOutput): Promise<void> {
  for (const { name } of job.splits) {
    await output.stream(`${name}/annotations.json`, async (append) => {
      let separator = "[\n";
      for await (const record of parts.recordsOf(name)) {
        const { image, mask, text } = metaOf(metaSchema, record.meta);
        const masks = text.map(() => mask).join(", ");
        await append(
          `${separator}{"image": ${JSON.stringify(image)}, "mask": [${masks}], "text": ${JSON.stringify(text)}}`,
        );
        separator = ",\n";
      }
      await append(separator === "[\n" ? "[]\n" : "\n]\n");
    });
  }
}
