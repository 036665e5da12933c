import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type Column,
  finishSwap,
  openColumns,
  openStaging,
  removeWorkOf,
  type Staging,
} from "../../artefacts/index.ts";
import { encodeNpy, NpyReader, npyHeader } from "../../codecs/index.ts";
import {
  exists,
  formatNumber,
  hashFile,
  hashJson,
  makeFolder,
  openAtomic,
  type Progress,
  producer,
  withLock,
  writeFileAtomic,
} from "../../io/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import type { Pool } from "../../pool/index.ts";
import {
  embeddingsFormat,
  embeddingsKey,
  embeddingsStaging,
  embeddingsVersion,
  type MatrixName,
  type MatrixSettings,
  partFiles,
  readMatrixManifest,
  type SkippedRow,
} from "../embed/index.ts";
import { embeddingsFolder } from "../pool/index.ts";
import { indexExpressionKeys, indexImageKeys, type Keyed, type KeyRows, readKeys, rowsByKey } from "./key-rows.ts";

/** A file of vectors and the file of their keys, a line a row. */
export interface VectorFiles {
  /** .npy, float16 or float32 [rows, dimension], row-major. */
  readonly vectors: string;
  /** Text, one key a line. */
  readonly keys: string;
}

export interface ImportVectorsOptions {
  /** The folder under embeddings/. */
  readonly name: string;
  readonly images: VectorFiles;
  readonly expressions: VectorFiles;
  /**
   * An image may have several vectors (the whole picture first, then crops or tiles): an expression's score with it is the best
   * of them.
   */
  readonly many?: boolean | undefined;
  /**
   * What made the vectors, for the manifests: `model` {id, hash}, and whatever else decides the numbers. Without it the files
   * themselves are the identity.
   */
  readonly about?: Readonly<Record<string, unknown>> | undefined;
  /** An image without a vector, or with one that cannot be used, ends the run, or gets zeros and is no candidate. */
  readonly onBad: "fail" | "skip";
  readonly force: boolean;
  readonly progress: Progress;
}

/** What became of one file. */
export interface ImportedMatrix {
  /** Rows of the pool. */
  readonly rows: number;
  /** Keys that are not of this pool: their number and the first. */
  readonly unknown: { readonly count: number; readonly first: string | undefined };
  /** Vectors that were not of length 1, and their least and greatest length. */
  readonly scaled: { readonly count: number; readonly least: number; readonly most: number };
  readonly skipped: readonly SkippedRow[];
  /** Vectors beside an image's first that cannot be used: they count as if they were not given. */
  readonly lostParts: number;
}

export interface ImportVectorsReport {
  readonly dimension: number;
  readonly reused: boolean;
  readonly images: ImportedMatrix;
  readonly expressions: ImportedMatrix;
}

/**
 * Takes vectors that another program made as embeddings/<name>, as `embed` would have written them: float32, length 1, in the
 * pool's order. Nothing is written unless all of it is sound; a killed run goes on where it was. Errors: "not-found",
 * "unsupported" and "bad-input" for files that are missing or not what is expected, with the file, the key and the row;
 * "exists" for finished vectors of another identity without `force`; "locked".
 */
export async function importVectors(pool: Pool, options: ImportVectorsOptions): Promise<ImportVectorsReport> {
  const { name, onBad, force } = options;
  const folder = embeddingsFolder(pool.folder, name);
  const many = options.many === true;
  const sides: Side[] = [];
  try {
    sides.push(await openSide(options.images, indexImageKeys(pool), "images", { onBad, many }));
    sides.push(
      await openSide(options.expressions, indexExpressionKeys(pool), "expressions", { onBad: "fail", many: false }),
    );
    const [images, expressions] = sides as [Side, Side];
    if (images.dimension !== expressions.dimension)
      fail(
        "bad-input",
        `expected vectors of one width, got ${images.dimension} in ${quoteValue(images.files.vectors)} and ${expressions.dimension} in ${quoteValue(expressions.files.vectors)}: are they of one model?`,
      );
    const settings = await settingsOf(pool, options, sides);
    await makeFolder(folder);
    return await withLock(folder, "import-vectors", async () => {
      await finishSwap(folder, embeddingsStaging);
      const keys = settings.map(embeddingsKey);
      const known = await Promise.all(sides.map(({ matrix }) => finished(folder, matrix)));
      const report = (reused: boolean, made: readonly Made[], lostParts = 0): ImportVectorsReport => {
        const told = (side: Side, at: number): ImportedMatrix => ({
          rows: side.keyed.count,
          unknown: side.rows.unknown,
          lostParts: side === images ? lostParts : 0,
          ...(made[at] ?? { scaled: { count: 0, least: 1, most: 1 }, skipped: known[at]?.skipped ?? [] }),
        });
        return { dimension: images.dimension, reused, images: told(images, 0), expressions: told(expressions, 1) };
      };
      if (!force && known.every((one, at) => one?.key === keys[at])) {
        await removeWorkOf(folder, embeddingsStaging, keys);
        return report(true, []);
      }
      if (!force && known.some((one) => one !== undefined))
        fail("exists", `"${folder}" holds other vectors: use --force to replace them, or --name to keep both`);
      const staging = await openStaging(folder, embeddingsStaging);
      const made: Made[] = [];
      for (const [at, side] of sides.entries()) made.push(await writeSide(staging, side, settings[at]!, options));
      const lostParts = many ? await writeParts(staging, images) : 0;
      await staging.commit(["images.json", "expressions.json"]);
      if (!many) for (const file of Object.values(partFiles)) await rm(join(folder, file), { force: true });
      return report(false, made, lostParts);
    });
  } finally {
    for (const { reader } of sides) await reader.close();
  }
}

/** One matrix to take in. */
interface Side {
  readonly matrix: MatrixName;
  readonly files: VectorFiles;
  readonly keyed: Keyed;
  readonly reader: NpyReader;
  readonly dimension: number;
  readonly rows: KeyRows;
  readonly onBad: "fail" | "skip";
}

async function openSide(
  files: VectorFiles,
  keyed: Keyed,
  matrix: MatrixName,
  { onBad, many }: { readonly onBad: "fail" | "skip"; readonly many: boolean },
): Promise<Side> {
  const reader = await NpyReader.open(files.vectors);
  try {
    const where = quoteValue(files.vectors);
    const [count, dimension] = reader.shape;
    if (reader.dtype !== "float32" && reader.dtype !== "float16")
      fail("unsupported", `expected float16 or float32 in ${where}, got ${reader.dtype}: save array.astype("float32")`);
    if (count === undefined || dimension === undefined || reader.shape.length !== 2 || dimension === 0)
      fail("bad-input", `expected shape [${keyed.unit}, width] in ${where}, got ${quoteValue(reader.shape)}`);
    const keys = await readKeys(files.keys);
    if (keys.length !== count)
      fail(
        "bad-input",
        `expected a key for each of the ${formatNumber(count)} rows of ${where} in ${quoteValue(files.keys)}, got ${formatNumber(keys.length)}`,
      );
    const rows = rowsByKey(keys, keyed, files.keys, many);
    const without = Array.from({ length: keyed.count }, (_, row) => row).filter(
      (row) => rows.starts[row] === rows.starts[row + 1],
    );
    if (without.length > 0 && onBad === "fail")
      fail(
        "bad-input",
        `expected a vector for each of the pool's ${formatNumber(keyed.count)} ${keyed.unit}, found none for ${formatNumber(without.length)}, such as ${quoteValue(keyed.nameOf(without[0] ?? 0))}${matrix === "images" ? "; --on-bad skip leaves such images out of the candidates" : ""}`,
      );
    return { matrix, files, keyed, reader, dimension, rows, onBad };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

async function settingsOf(
  pool: Pool,
  { name, about, onBad, many }: ImportVectorsOptions,
  sides: readonly Side[],
): Promise<MatrixSettings[]> {
  const files = sides.flatMap(({ files: { vectors, keys } }) => [vectors, keys]);
  const content = about === undefined ? await Promise.all(files.map((path) => hashFile(path))) : undefined;
  const model = { id: name, hash: hashJson(content ?? null), ...Object(about?.model) } as { id: string; hash: string };
  const [images] = sides;
  const parts =
    many === true && images !== undefined
      ? { parts: { rows: partStarts(images).at(-1) ?? 0, hash: await hashFile(images.files.vectors) } }
      : {};
  const inputs = { images: hashJson(pool.images.hash), expressions: hashJson(pool.expressions.sent) };
  return sides.map(({ matrix, dimension, keyed }) => ({
    ...about,
    format: embeddingsFormat,
    version: embeddingsVersion,
    kind: matrix,
    made: "imported",
    model,
    dimension,
    dtype: "float32",
    count: keyed.count,
    batch: typeof about?.batch === "number" ? about.batch : 1,
    inputs: inputs[matrix],
    ...(matrix === "images" ? { onBad, ...parts } : {}),
  }));
}

async function finished(folder: string, name: MatrixName) {
  if (!(await exists(join(folder, `${name}.json`)))) return undefined;
  const damaged = { key: undefined, skipped: [] };
  return readMatrixManifest(folder, name).catch(() => damaged);
}

interface Made {
  readonly scaled: ImportedMatrix["scaled"];
  readonly skipped: readonly SkippedRow[];
}

/** What is noted with a step: rows without a usable vector, and lengths that were not 1. */
type Note = SkippedRow | { readonly scaled: number; readonly least: number; readonly most: number };

async function writeSide(
  staging: Staging,
  side: Side,
  settings: MatrixSettings,
  { progress }: ImportVectorsOptions,
): Promise<Made> {
  const { matrix, keyed, dimension } = side;
  const key = embeddingsKey(settings);
  const column: Column = { file: `${matrix}.npy`, dtype: "float32", shape: [keyed.count, dimension] };
  const work = hashJson([key, await hashFile(side.files.vectors), await hashFile(side.files.keys)]);
  const writer = await openColumns<Note>(staging, { name: matrix, key: work, rows: keyed.count, columns: [column] });
  const task = progress.begin(`import ${keyed.unit}`, keyed.count - writer.done, keyed.unit);
  try {
    while (writer.done < keyed.count) {
      const end = Math.min(keyed.count, writer.done + stepRows(dimension));
      const { vectors, notes } = await readStep(side, writer.done, end);
      task.advance(end - writer.done);
      await writer.write([vectors], { notes });
    }
  } finally {
    task.end();
    await writer.close();
  }
  const skipped = writer.notes.filter((note): note is SkippedRow => "row" in note);
  const scaled = { count: 0, least: Number.POSITIVE_INFINITY, most: 0 };
  for (const note of writer.notes) {
    if (!("scaled" in note)) continue;
    scaled.count += note.scaled;
    scaled.least = Math.min(scaled.least, note.least);
    scaled.most = Math.max(scaled.most, note.most);
  }
  const hash = await hashFile(staging.path(column.file));
  const manifest = { ...settings, producer, key, hash, skipped };
  await writeFileAtomic(staging.path(`${matrix}.json`), `${JSON.stringify(manifest, undefined, 1)}\n`);
  return { scaled, skipped };
}

/** Where the vectors of image i begin among all: an image without any has one, of zeros. */
function partStarts({ keyed, rows: { starts } }: Side): Int32Array {
  const result = new Int32Array(keyed.count + 1);
  for (let row = 0; row < keyed.count; row++)
    result[row + 1] = result[row]! + Math.max(1, starts[row + 1]! - starts[row]!);
  return result;
}

/**
 * Writes all vectors of the images, image by image, and where each image's begin. In place of one that cannot be used stands the
 * image's first again, which changes no best score, as zeros would. Returns their number.
 */
async function writeParts(staging: Staging, side: Side): Promise<number> {
  const { reader, dimension, keyed, rows, onBad } = side;
  const starts = partStarts(side);
  const out = await openAtomic(staging.path(partFiles.vectors));
  let lost = 0;
  try {
    await out.write(npyHeader("float32", [starts.at(-1) ?? 0, dimension]));
    for (let image = 0; image < keyed.count; image++) {
      const vectors = new Float32Array((starts[image + 1]! - starts[image]!) * dimension);
      for (let at = rows.starts[image]!; at < rows.starts[image + 1]!; at++) {
        const from = (at - rows.starts[image]!) * dimension;
        const into = vectors.subarray(from, from + dimension);
        const line = rows.rows[at]!;
        reader.rowsAsFloat32Sync(line, 1, into);
        const length = normalise(into);
        if (isUsable(length)) continue;
        if (onBad === "fail") failVector(side, image, line, length);
        if (from === 0) continue;
        into.set(vectors.subarray(0, dimension));
        lost++;
      }
      await out.write(new Uint8Array(vectors.buffer));
    }
    await out.commit();
  } finally {
    await out.abort();
  }
  await writeFileAtomic(staging.path(partFiles.starts), encodeNpy(starts, [starts.length]));
  return lost;
}

/** Scales a vector to length 1 in place and returns its length before; one that has no direction becomes zeros. */
function normalise(vector: Float32Array): number {
  const length = lengthOf(vector);
  if (!isUsable(length)) vector.fill(0);
  else for (let at = 0; at < vector.length; at++) vector[at] = vector[at]! / length;
  return length;
}

function isUsable(length: number): boolean {
  return length > 0 && Number.isFinite(length);
}

function failVector({ files, keyed }: Side, row: number, line: number, length: number): never {
  return fail(
    "bad-input",
    `${quoteValue(files.vectors)}: the vector of ${quoteValue(keyed.nameOf(row))} (row ${line}) ${problemOf(length)}`,
  );
}

function stepRows(dimension: number): number {
  return Math.max(1, Math.floor(2 ** 22 / dimension));
}

/** How far a length may be from 1: what rounding leaves in float16, and in float32. */
const tolerance = { float16: 4e-3, float32: 1e-4 };

async function readStep(side: Side, start: number, end: number): Promise<{ vectors: Float32Array; notes: Note[] }> {
  const { reader, dimension, rows, keyed, onBad } = side;
  const vectors = new Float32Array((end - start) * dimension);
  const notes: Note[] = [];
  const scaled = { scaled: 0, least: Number.POSITIVE_INFINITY, most: 0 };
  const off = reader.dtype === "float16" ? tolerance.float16 : tolerance.float32;
  for (let row = start; row < end; row++) {
    const line = rows.starts[row] === rows.starts[row + 1] ? undefined : rows.rows[rows.starts[row] ?? 0];
    const into = vectors.subarray((row - start) * dimension, (row - start + 1) * dimension);
    if (line !== undefined) reader.rowsAsFloat32Sync(line, 1, into);
    const length = normalise(into);
    if (line === undefined || !isUsable(length)) {
      if (onBad === "fail") failVector(side, row, line ?? -1, length);
      const reason = line === undefined ? "no vector was given" : `its vector ${problemOf(length)}`;
      notes.push({ row, name: keyed.nameOf(row), reason });
      continue;
    }
    if (Math.abs(length - 1) > off) {
      scaled.scaled++;
      scaled.least = Math.min(scaled.least, length);
      scaled.most = Math.max(scaled.most, length);
    }
  }
  if (scaled.scaled > 0) notes.push(scaled);
  return { vectors, notes };
}

function lengthOf(vector: Float32Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}

function problemOf(length: number): string {
  return length === 0 ? "is all zeros, which has no direction" : "holds NaN or an infinity";
}
