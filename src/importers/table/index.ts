/**
 * One's own data as a table with named columns: CSV, TSV, JSON lines or Parquet. docs/import.md describes it.
 *
 *   image, text      needed
 *   mask             path of a mask image, polygons or run lengths; in Parquet also {bytes, path}; empty: nothing is meant
 *   split, ref, sentence, category, bbox, exist   where they are there; exist is false where the text is true of nothing
 *
 * Columns are found by their usual names, or as `--columns image=path,mask=masks/{id}.png` says. Rows of one ref are its
 * sentences.
 */
import { dirname, join } from "node:path";
import { readCsv, readTableMetadata } from "../../codecs/index.ts";
import { type DatasetRecord, fail, isInputError } from "../../model/index.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import { maskReader } from "../mask-file.ts";
import { findImagesFolder, firstText, folderName, hashFiles, kindOf, requireSource } from "../places.ts";
import { type SplitFile, splitFilesIn } from "../split-files.ts";
import { field, fieldNames, isDict, isInnerPath } from "../values.ts";
import { type Columns, cellOf, resolveColumns, usualColumns } from "./columns.ts";
import { newTableState, rowRecords } from "./row.ts";
import { tableRows } from "./rows.ts";

export const table: Importer = {
  name: "table",
  title: "a table of your own: CSV, TSV, JSON lines or Parquet with columns image, mask, text",
  looksFor: ".csv, .tsv, .jsonl or .parquet with columns image, mask, text",
  recognise,
  open,
};

const ending = /\.(csv|tsv|jsonl|ndjson|parquet)$/i;

/** train.csv → train; anything else gives undefined, and the rows or "train" say. */
function splitOf(name: string): string | undefined {
  if (!ending.test(name)) return undefined;
  const stem = name.replace(ending, "").replace(/-\d{5}-of-\d{5}.*$/, "");
  const split = /^(?:.*[_-])?(train|val|validation|valid|test\w*)(?:[_-].*)?$/i.exec(stem)?.[1] ?? "train";
  return /^valid/i.test(split) ? "val" : split;
}

async function recognise(path: string): Promise<Recognition | undefined> {
  const [first] = await tablesAt(path);
  if (first === undefined) return undefined;
  const names = await columnNames(first.path);
  const columns = usualColumns(names);
  // The plain format and the hub's layouts have columns of these names and importers of their own.
  if (columns === undefined || names.some((name) => /^(expressions|raw_anns|question_id|sentence_keys)$/.test(name)))
    return undefined;
  const found = Object.entries(columns).map(([role, column]) => (role === column ? role : `${role} (${column})`));
  return { how: `"${first.path}" has the columns ${found.join(", ")}`, options: { source: path } };
}

async function open(options: ImportOptions): Promise<ImportSource> {
  await requireSource(options.source, "a table");
  const files = await tablesAt(options.source);
  const [first] = files;
  if (first === undefined) fail("not-found", `expected a .csv, .tsv, .jsonl or .parquet file at "${options.source}"`);
  const columns = resolveColumns(await columnNames(first.path, true), options.columns, first.path);
  const folder = dirname(first.path);
  const images = await findImagesFolder({
    given: options.images,
    guesses: [folder, join(folder, "images"), join(folder, "..", "images"), join(folder, "..")],
    customs: ["images"],
    probes: await firstImages(first, columns),
  });
  return {
    format: "table",
    name: options.name ?? options.dataset ?? nameOf(options.source, files),
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    imagesFolder: images.folder,
    files: await hashFiles(files.map(({ path }) => path)),
    records: () => records(files, columns, folder, images.fileOf),
    warnings: [...images.warnings, "a table holds referred objects only: other objects of an image are unknown"],
  };
}

async function* records(
  files: readonly SplitFile[],
  columns: Columns,
  folder: string,
  fileOf: (name: string) => string,
): AsyncGenerator<DatasetRecord> {
  const state = newTableState();
  const readMask = maskReader(folder);
  for (const { split, path } of files) {
    for await (const row of tableRows(path)) yield* await rowRecords(row, { columns, split, state, readMask, fileOf });
  }
}

/** A file is its own split; of a folder, each file of the first ending that it holds. */
async function tablesAt(path: string): Promise<SplitFile[]> {
  const kind = await kindOf(path);
  if (kind === "file") {
    const split = splitOf(folderName(path));
    return split === undefined ? [] : [{ split, path }];
  }
  if (kind === undefined) return [];
  const all = await splitFilesIn(path, splitOf);
  const [first] = all;
  const kindOfTable = (file: SplitFile): string => ending.exec(file.path)?.[1]?.toLowerCase() ?? "";
  return first === undefined ? [] : all.filter((file) => kindOfTable(file) === kindOfTable(first));
}

function nameOf(source: string, files: readonly SplitFile[]): string {
  const name = folderName(source);
  return files.length === 1 && ending.test(name) ? name.replace(ending, "") : name;
}

/** A damaged file has none, unless its error is wanted. */
async function columnNames(path: string, mustRead = false): Promise<string[]> {
  if (/\.parquet$/i.test(path)) {
    try {
      return (await readTableMetadata(path)).columns.map(({ name }) => name);
    } catch (error) {
      if (mustRead || !isInputError(error)) throw error;
      return [];
    }
  }
  try {
    if (/\.[ct]sv$/i.test(path)) return (await readCsv(path))[0]?.cells.map((name) => name.trim()) ?? [];
    const names = new Set<string>();
    for await (const row of tableRows(path)) {
      if ("value" in row && isDict(row.value)) for (const name of fieldNames(row.value)) names.add(name);
      if (row.number >= 100) break;
    }
    return [...names];
  } catch (error) {
    if (mustRead || !isInputError(error)) throw error;
    return namesAtStart(path);
  }
}

/** By the first line alone: a table that is not UTF-8 is recognised, and then refused by name when it is read. */
async function namesAtStart(path: string): Promise<string[]> {
  const line = (await firstText(path, 1 << 16)).split(/\r?\n/, 1)[0] ?? "";
  if (/\.[ct]sv$/i.test(path)) return line.split(/[,;\t]/).map((name) => name.trim().replaceAll('"', ""));
  return [...line.matchAll(/"([^"\\]+)"\s*:/g)].map((match) => match[1] ?? "");
}

async function firstImages({ path }: SplitFile, columns: Columns): Promise<string[]> {
  const names: string[] = [];
  let seen = 0;
  for await (const row of tableRows(path)) {
    const cell = "value" in row && isDict(row.value) ? cellOf(row.value, columns.image) : undefined;
    if (isDict(cell) && field(cell, "bytes") !== undefined) return []; // images are inside
    if (typeof cell === "string" && isInnerPath(cell) && !names.includes(cell)) names.push(cell);
    if (names.length >= 20 || ++seen >= 100) break;
  }
  return names;
}
