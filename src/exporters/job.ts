import { z } from "zod";
import { hashJson } from "../io/index.ts";
import { fail, quoteValue } from "../model/index.ts";

/** How pixels that were drawn are stored: JPEG with loss, or PNG without. */
const imageEncoding = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("jpeg"),
    quality: z.number().int().min(1).max(100),
    chroma: z.enum(["4:2:0", "4:4:4"]),
  }),
  z.strictObject({ kind: z.literal("png") }),
]);
export type ImageEncoding = z.infer<typeof imageEncoding>;

/** What is lost at the default, measured on photographs: docs/export.md. */
export const defaultEncoding: ImageEncoding = { kind: "jpeg", quality: 95, chroma: "4:4:4" };

const positive = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
/** A folder's or file's name part: becomes a path, so nothing that leaves the folder. */
const namePart = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9+_.-]*$/, 'expected letters, digits, "+", "_", "." or "-"');

/** A folder inside the export: names with "/" between, so nothing that leaves it. */
const innerFolder = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9+_.-]*(\/[A-Za-z0-9][A-Za-z0-9+_.-]*)*$/,
    'expected a folder inside the export, as "images/train2014"',
  );

const formatOptions = z.strictObject({
  /** refer, cris-lmdb: the dataset's name, which their loaders look for: refcoco, refcoco+, refcocog, grefcoco. */
  dataset: namePart,
  /** refer: what stands between the brackets of refs(unc).p. */
  splitBy: namePart,
  /** refer: polygons, which every loader reads, or run lengths, which are smaller and which some do not read. */
  masks: z.enum(["polygons", "rle"]),
  /** refer: where images go; null = where the dataset's trainers look for them. */
  imagesFolder: innerFolder.nullable().default(null),
  /** webdataset, parquet: samples of a shard at most. */
  shardSamples: positive,
  /** webdataset: bytes of a shard at most (one sample may be larger); null = no limit. */
  shardBytes: positive.nullable(),
});
export type FormatOptions = z.infer<typeof formatOptions>;

export const defaultFormatOptions: FormatOptions = {
  dataset: "refcoco",
  splitBy: "unc",
  masks: "polygons",
  imagesFolder: null,
  shardSamples: 1000,
  shardBytes: null,
};

const splitPart = z.strictObject({
  name: z.string(),
  /** True for the split that is augmented: its samples are drawn. The others are the dataset's own. */
  drawn: z.boolean(),
  /** Samples of one epoch. */
  units: z.number().int().nonnegative(),
  /** Records in all: epochs × units and the originals beside them; of the other splits their refs. */
  records: z.number().int().nonnegative(),
});
export type SplitPart = z.infer<typeof splitPart>;

const jobSchema = z.strictObject({
  exporter: z.string(),
  /** The pool's hash, and that of whatever else decides which samples are drawn. */
  pool: z.string(),
  settings: z.string(),
  mined: z.string().nullable(),
  judgements: z.string().nullable(),
  seed: z.number().int().nonnegative(),
  firstEpoch: z.number().int().nonnegative(),
  epochs: positive,
  /** Original images beside the drawn ones, per drawn sample. */
  originals: z.number().min(0).max(16),
  image: imageEncoding,
  splits: z.array(splitPart).min(1),
  options: formatOptions,
  /** Ids given to one sample's sentences: no ref has more. */
  sentenceStride: positive,
});

/** Everything that decides the bytes of an export; equal jobs give equal files. */
export type ExportJob = z.infer<typeof jobSchema>;

/** Checks a job's values. Errors: "usage" naming the value; "bad-input" where `where` names a file it was read from. */
export function parseJob(value: unknown, where?: string): ExportJob {
  const result = jobSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join(".") ?? "";
  const at = (issue?.path ?? []).reduce<unknown>(
    (node, key) => (node as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
  const problem = `export option "${path}": ${issue?.message}, got ${quoteValue(at)}`;
  return where === undefined ? fail("usage", problem) : fail("bad-input", `${problem}, in "${where}"`);
}

/** Raise it when equal jobs give other bytes than before. */
const bytesVersion = 3;

/** The identity of a job: what parts and manifests are compared by. */
export function jobHash(job: ExportJob): string {
  return hashJson({ version: bytesVersion, ...job });
}

/** Records of all splits. */
export function recordCount(job: ExportJob): number {
  return job.splits.reduce((sum, split) => sum + split.records, 0);
}
