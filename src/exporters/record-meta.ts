import { z } from "zod";
import { encodePng } from "../codecs/index.ts";
import { fail } from "../model/index.ts";
import type { RecordMeta } from "./encoded-sample.ts";
import type { ExportSample, ExportSentence } from "./exporter.ts";

/** Reads what an exporter stored of a record, by its schema. Errors: "bad-input" for a damaged part. */
export function metaOf<T>(schema: z.ZodType<T>, meta: RecordMeta): T {
  const result = schema.safeParse(meta);
  if (result.success) return result.data;
  return fail(
    "bad-input",
    `a part of the export is damaged (${result.error.issues[0]?.path.join(".")}); run it again with --force`,
    result.error,
  );
}

export const sentenceSchema = z.object({ id: z.number(), key: z.string(), raw: z.string(), sent: z.string() });

/** A mask as trainers store it: a PNG of one channel, 0 and 255. */
export async function maskPng(sample: Pick<ExportSample, "mask" | "image">): Promise<Uint8Array> {
  const { width, height } = sample.image;
  return encodePng({ width, height, channels: 1, data: sample.mask.map((value) => (value === 0 ? 0 : 255)) });
}

/** The tight box [x, y, width, height] of a mask; zeros for an empty one. */
export function maskBox(mask: Uint8Array, width: number): [x: number, y: number, width: number, height: number] {
  let [left, right, top, bottom] = [width, -1, -1, -1];
  for (let at = mask.indexOf(1); at >= 0; at = mask.indexOf(1, at + 1)) {
    const x = at % width;
    const y = (at - x) / width;
    if (x < left) left = x;
    if (x > right) right = x;
    if (top < 0) top = y;
    bottom = y;
  }
  return right < 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1];
}

/** The number of pixels set. */
export function maskArea(mask: Uint8Array): number {
  let area = 0;
  for (const value of mask) area += value;
  return area;
}

/** The words of a sentence, as REFER's `tokens`. */
export function wordsOf(sentence: Pick<ExportSentence, "sent">): string[] {
  return sentence.sent.split(/\s+/).filter((word) => word !== "");
}

/** COCO's name for an image id; loaders that build names from ids build this one. */
export function cocoFileName(imageId: number, extension: string): string {
  return `COCO_train2014_${String(imageId).padStart(12, "0")}.${extension}`;
}
