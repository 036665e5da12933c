import { join } from "node:path";
import { z } from "zod";
import { partSchema, readManifest, readPart, rowRange, sha256, wholeNumber } from "../../artefacts/index.ts";
import { exists, hashJson } from "../../io/index.ts";

export const embeddingsFormat = "nemosaic-embeddings";
export const embeddingsVersion = 1;
/** What a shard leaves: rows of a matrix and the settings of the whole. */
export const partFormat = "nemosaic-embeddings-part";
/** The name of what is being made of embeddings. */
export const embeddingsStaging = "embeddings";

/** The files of embeddings with several vectors an image. */
export const partFiles = { vectors: "image-parts.npy", starts: "image-part-starts.npy" } as const;

/** What a manifest says of crops that nemosaic cut. */
export interface CropFacts {
  /** What was asked for, as `cropsText` writes it. */
  readonly of: string;
  /** The hash of their boxes. */
  readonly boxes: string;
}

/** The crops of a manifest; undefined where there are none, or none that nemosaic cut. */
export function cropFacts({ crops }: { readonly crops?: unknown }): CropFacts | undefined {
  const { of, boxes } = Object(crops) as Readonly<Record<string, unknown>>;
  return typeof of === "string" && typeof boxes === "string" ? { of, boxes } : undefined;
}

/** The two matrices of embeddings. */
export type MatrixName = "images" | "expressions";

const skippedRow = z.object({ row: wholeNumber(), name: z.string(), reason: z.string() });

/** A row that has no vector (it is all zeros), and why. */
export type SkippedRow = z.infer<typeof skippedRow>;

/** All that decides the numbers of a matrix; preprocessing, tokens and such are what the model's kind says of itself. */
const settingsSchema = z.looseObject({
  format: z.literal(embeddingsFormat),
  version: z.literal(embeddingsVersion),
  kind: z.enum(["images", "expressions"]),
  model: z.looseObject({ id: z.string(), hash: z.string() }),
  /** Numbers in a row. */
  dimension: wholeNumber(1),
  dtype: z.literal("float32"),
  /** Rows of the whole matrix. */
  count: wholeNumber(),
  batch: wholeNumber(1),
  /** Hash of what was embedded. */
  inputs: z.string(),
  /** Where images have several vectors: their number in all, and the hash of where they come from. */
  parts: z.object({ rows: wholeNumber(), hash: z.string() }).optional(),
  /** Where these are crops that nemosaic cut: what was asked for, and the hash of their boxes. Others may say what they like. */
  crops: z.unknown().optional(),
});
export type MatrixSettings = z.infer<typeof settingsSchema>;

const manifestSchema = settingsSchema.extend({
  producer: z.string(),
  key: z.string(),
  hash: sha256,
  skipped: z.array(skippedRow),
});

/** The content of images.json or expressions.json. */
export type MatrixManifest = z.infer<typeof manifestSchema>;

const partOfMatrix = partSchema(partFormat, {
  version: z.literal(embeddingsVersion),
  /** Whole batches: images, or distinct texts, short ones first. */
  rows: rowRange,
  key: z.string(),
  settings: settingsSchema,
  hash: sha256,
  skipped: z.array(skippedRow),
}).refine(({ key, settings }) => key === embeddingsKey(settings), {
  message: "the hash of its settings",
  path: ["key"],
});

/** What a shard says of its rows of a matrix. */
export type MatrixPart = z.infer<typeof partOfMatrix>;

/** Hash of all that decides the numbers: of a manifest's settings but for the model's name. */
export function embeddingsKey(settings: MatrixSettings): string {
  const { id: _name, ...identity } = settings.model;
  return hashJson({ ...settings, model: identity });
}

/**
 * The manifest of a matrix of the whole pool; undefined where it is not finished. Errors: "bad-input" where it is damaged or of
 * another version, with what to do.
 */
export async function readMatrixManifest(folder: string, name: MatrixName): Promise<MatrixManifest | undefined> {
  if (!(await exists(join(folder, `${name}.npy`)))) return undefined;
  return readManifest(join(folder, `${name}.json`), manifestSchema, {
    format: embeddingsFormat,
    version: embeddingsVersion,
    remake: "embed again with --force",
  });
}

/** What a shard says of a matrix. Errors: "bad-input" where it is damaged. */
export function readMatrixPart(folder: string, name: MatrixName): Promise<MatrixPart> {
  return readPart(join(folder, `${name}.json`), partOfMatrix);
}
