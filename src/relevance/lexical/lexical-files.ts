import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeNpy, encodeNpy } from "../../codecs/index.ts";
import { hashJson, producer, writeFileAtomic } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import type { LexicalIndex } from "./lexical-index.ts";
import type { SparseRows } from "./sparse-rows.ts";

/** What is stored of the lexical relevance of a pool: the index and one row per expression. */
export interface LexicalVectors {
  readonly index: LexicalIndex;
  readonly expressions: SparseRows;
}

const format = "nemosaic-lexical";
const version = 1;

/** The file that makes the lexical relevance count. */
export const lexicalManifest = "lexical.json";

/**
 * Writes into `folder`, usually a staging: `lexical.json` (format, version, producer, vocabulary, counts, a hash) and, as .npy,
 * `idf`, `images.{indptr,indices,values}`, `expressions.{indptr,indices,values}`. The manifest comes last.
 */
export async function writeLexical(folder: string, { index, expressions }: LexicalVectors): Promise<void> {
  await writeFileAtomic(join(folder, "idf.npy"), encodeNpy(index.idf, [index.idf.length]));
  await writeRows(folder, "images", index.images);
  await writeRows(folder, "expressions", expressions);
  const manifest = {
    format,
    version,
    producer,
    method: "lexical",
    note: "scores come from annotated words, not from CLIP or any other model that sees the pictures",
    images: index.images.rows,
    expressions: expressions.rows,
    vocabulary: index.vocabulary,
    hash: lexicalHash({ index, expressions }),
  };
  await writeFileAtomic(join(folder, "lexical.json"), `${JSON.stringify(manifest, undefined, 1)}\n`);
}

/** SHA-256 over the vocabulary and all vectors. */
export function lexicalHash({ index, expressions }: LexicalVectors): string {
  const bytes = (array: Int32Array | Float32Array): string =>
    Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");
  const rows = ({ indptr, indices, values }: SparseRows): string[] => [bytes(indptr), bytes(indices), bytes(values)];
  return hashJson([index.vocabulary, rows(index.images), rows(expressions)]);
}

/** Reads what `writeLexical` wrote. Errors: `not-found`, `bad-input`, `unsupported` for another version. */
export async function readLexical(folder: string): Promise<LexicalVectors> {
  const path = join(folder, "lexical.json");
  const text = await readFile(path, "utf8").catch((cause: unknown) =>
    fail("not-found", `expected "${path}", found no such file: run nemosaic embed with --model lexical`, cause),
  );
  const manifest = parseManifest(text, path);
  const columns = manifest.vocabulary.length;
  const images = await readRows(folder, "images", manifest.images, columns);
  const expressions = await readRows(folder, "expressions", manifest.expressions, columns);
  const idf = await readArray(join(folder, "idf.npy"));
  if (!(idf instanceof Float32Array) || idf.length !== columns)
    fail("bad-input", `expected ${columns} floats in "${folder}/idf.npy"`);
  return { index: { vocabulary: manifest.vocabulary, idf, images }, expressions };
}

interface Manifest {
  readonly images: number;
  readonly expressions: number;
  readonly vocabulary: string[];
}

function parseManifest(text: string, path: string): Manifest {
  let value: Readonly<Record<string, unknown>> = {};
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    fail("bad-input", `expected JSON in "${path}"`, cause);
  }
  if (value.format !== format)
    fail("bad-input", `expected format "${format}" in "${path}", got ${String(value.format)}`);
  if (value.version !== version)
    fail("unsupported", `expected version ${version} in "${path}", got ${String(value.version)}`);
  const { images, expressions, vocabulary } = value;
  const isWhole = (n: unknown): n is number => Number.isInteger(n);
  if (!isWhole(images) || !isWhole(expressions) || !Array.isArray(vocabulary)) {
    return fail("bad-input", `expected images, expressions and vocabulary in "${path}"`);
  }
  return { images, expressions, vocabulary: vocabulary.map(String) };
}

async function writeRows(folder: string, name: string, { indptr, indices, values }: SparseRows): Promise<void> {
  for (const [part, array] of Object.entries({ indptr, indices, values })) {
    await writeFileAtomic(join(folder, `${name}.${part}.npy`), encodeNpy(array, [array.length]));
  }
}

async function readRows(folder: string, name: string, rows: number, columns: number): Promise<SparseRows> {
  const indptr = await readArray(join(folder, `${name}.indptr.npy`));
  const indices = await readArray(join(folder, `${name}.indices.npy`));
  const values = await readArray(join(folder, `${name}.values.npy`));
  const isSound =
    indptr instanceof Int32Array &&
    indices instanceof Int32Array &&
    values instanceof Float32Array &&
    indptr.length === rows + 1 &&
    indptr[rows] === indices.length &&
    indices.length === values.length &&
    indices.every((column) => column >= 0 && column < columns);
  if (!isSound)
    return fail("bad-input", `expected ${rows} sparse rows over ${columns} words in "${folder}/${name}.*.npy"`);
  return { rows, columns, indptr, indices, values };
}

async function readArray(path: string): Promise<unknown> {
  const bytes = await readFile(path).catch((cause: unknown) => fail("not-found", `expected "${path}"`, cause));
  return decodeNpy(bytes, path).data;
}
