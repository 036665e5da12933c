import { join } from "node:path";
import { NpyReader } from "../../codecs/index.ts";
import { hashJson } from "../../io/index.ts";
import { fail, quoteValue, unknownName } from "../../model/index.ts";
import type { Pool } from "../../pool/index.ts";
import { cropTable, parseCrops } from "../crops/index.ts";
import { cropFacts, type MatrixManifest, type MatrixName, partFiles, readMatrixManifest } from "../embed/index.ts";
import { type LexicalVectors, lexicalHash, readLexical } from "../lexical/index.ts";
import { embeddingsFolder, lexicalName, listEmbeddings } from "./embed-pool.ts";

/** A matrix of unit vectors on disk, read by position. */
export interface StoredVectors {
  readonly path: string;
  readonly count: number;
  readonly dimension: number;
  read(start: number, count: number, into: Float32Array): Promise<Float32Array>;
  /** As `read`, on this thread: cheaper for a few rows. */
  readSync(start: number, count: number, into: Float32Array): Float32Array;
  close(): Promise<void>;
}

/** The embeddings of a pool, opened: dense vectors of a model, or the lexical relevance. */
export type OpenedEmbeddings =
  | {
      readonly kind: "clip";
      readonly name: string;
      readonly model: string;
      /** Changes with the model, its preprocessing, the images and the texts. */
      readonly hash: string;
      readonly images: StoredVectors;
      readonly expressions: StoredVectors;
      /**
       * Where images have several vectors: all of them, image by image, those of image i in rows starts[i] up to starts[i + 1].
       * `images` holds the first of each.
       */
      readonly parts?: { readonly vectors: StoredVectors; readonly starts: Int32Array } | undefined;
      /** Image rows that could not be decoded: rows of zeros. */
      readonly skipped: readonly number[];
    }
  | {
      readonly kind: "lexical";
      readonly name: string;
      readonly model: string;
      readonly hash: string;
      readonly vectors: LexicalVectors;
    };

/**
 * Opens the embeddings `name` of a pool, or the only ones there are. Errors: "incomplete" where there are none or they
 * are unfinished or older than the pool; "usage" where there are several and none is named.
 */
export async function openEmbeddings(pool: Pool, name?: string): Promise<OpenedEmbeddings> {
  const names = await listEmbeddings(pool.folder);
  if (names.length === 0) fail("incomplete", `"${pool.folder}" has no embeddings; run "nemosaic embed" first`);
  if (name !== undefined && !names.includes(name)) throw unknownName("embeddings", name, names);
  const chosen = name ?? (names.length === 1 ? names[0] : undefined);
  if (chosen === undefined)
    fail("usage", `"${pool.folder}" has several embeddings (${names.join(", ")}); name one with --embeddings`);
  const folder = embeddingsFolder(pool.folder, chosen);
  if (chosen === lexicalName) {
    const vectors = await readLexical(folder);
    if (vectors.index.images.rows !== pool.images.count || vectors.expressions.rows !== pool.expressions.count)
      fail("incomplete", describeStale(folder));
    return { kind: "lexical", name: chosen, model: "lexical (words, not CLIP)", hash: lexicalHash(vectors), vectors };
  }
  const [images, expressions] = [await manifestOf(folder, "images"), await manifestOf(folder, "expressions")];
  if (images.inputs !== hashJson(pool.images.hash) || expressions.inputs !== hashJson(pool.expressions.sent))
    fail("incomplete", describeStale(folder));
  const crops = cropFacts(images);
  if (crops !== undefined && (await cropTable(pool, parseCrops(crops.of))).hash !== crops.boxes)
    fail("incomplete", describeStale(folder, ` --crops ${crops.of}`));
  if (images.key === expressions.key || images.model.hash !== expressions.model.hash)
    fail("bad-input", `"${folder}" holds images and expressions of different models; embed again with --force`);
  const imageVectors = await openVectors(join(folder, "images.npy"), pool.images.count);
  const expressionVectors = await openVectors(join(folder, "expressions.npy"), pool.expressions.count).catch(
    async (error: unknown) => {
      await imageVectors.close();
      throw error;
    },
  );
  const parts = images.parts === undefined ? undefined : await openParts(folder, images.parts.rows, pool.images.count);
  return {
    kind: "clip",
    parts,
    name: chosen,
    model: images.model.id,
    hash: hashJson([images.key, expressions.key]),
    images: imageVectors,
    expressions: expressionVectors,
    skipped: images.skipped.map(({ row }) => row),
  };
}

async function openParts(folder: string, rows: number, images: number) {
  const reader = await NpyReader.open(join(folder, partFiles.starts));
  try {
    if (reader.dtype !== "int32" || reader.shape.join() !== `${images + 1}`)
      fail(
        "bad-input",
        `expected int32 of shape [${images + 1}] in "${reader.path}", got ${reader.dtype} of ${quoteValue(reader.shape)}; import the vectors again with --force`,
      );
    const starts = (await reader.rows(0, images + 1)) as Int32Array;
    return { vectors: await openVectors(join(folder, partFiles.vectors), rows), starts };
  } finally {
    await reader.close();
  }
}

function describeStale(folder: string, more = ""): string {
  return `"${folder}" was made before the pool changed; run "nemosaic embed" again with --force${more}`;
}

async function manifestOf(folder: string, name: MatrixName): Promise<MatrixManifest> {
  return (
    (await readMatrixManifest(folder, name)) ??
    fail(
      "incomplete",
      `"${folder}" is unfinished: no ${name}.json; run "nemosaic embed" again, or "nemosaic merge" after its shards`,
    )
  );
}

async function openVectors(path: string, count: number): Promise<StoredVectors> {
  const reader = await NpyReader.open(path);
  const [rows, dimension] = reader.shape;
  if (rows !== count || dimension === undefined || reader.shape.length !== 2) {
    await reader.close();
    fail(
      "bad-input",
      `expected shape [${count}, d] in "${path}", got ${quoteValue(reader.shape)}; embed again with --force`,
    );
  }
  return {
    path,
    count,
    dimension,
    read: (start, n, into) => reader.rowsAsFloat32(start, n, into),
    readSync: (start, n, into) => reader.rowsAsFloat32Sync(start, n, into),
    close: () => reader.close(),
  };
}
