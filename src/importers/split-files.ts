import { dirname, join } from "node:path";
import { fail, unknownName } from "../model/index.ts";
import type { ImportOptions } from "./importer.ts";
import { folderName, kindOf, namesIn, requireSource } from "./places.ts";

/** Splits in the order in which they are streamed; others follow by name. */
const order = ["train", "val", "test", "testA", "testB", "testC"];

/** A file that holds one split. */
export interface SplitFile {
  readonly split: string;
  readonly path: string;
}

/** The files in `folder` that `splitOf` takes for splits, in the usual order of splits. */
export async function splitFilesIn(
  folder: string,
  splitOf: (name: string) => string | undefined,
): Promise<SplitFile[]> {
  const files: SplitFile[] = [];
  for (const name of await namesIn(folder)) {
    const split = splitOf(name);
    if (split !== undefined) files.push({ split, path: join(folder, name) });
  }
  return files.sort((a, b) => rank(a.split) - rank(b.split) || (a.path < b.path ? -1 : 1));
}

/** How a dataset is laid out whose splits are files in one folder. */
export interface SplitLayout {
  /** The files in words, for a person. */
  readonly what: string;
  /** The split that a file of that name holds; undefined for any other file. */
  readonly splitOf: (name: string) => string | undefined;
  readonly isDataset: (folder: string) => Promise<boolean>;
}

/**
 * The files to import and the folder that they lie in: `source` alone where it is a file, else all of the dataset that
 * `chooseDataset` finds. Errors: as there, and "not-found" where nothing is at `source`.
 */
export async function findSplitFiles(
  { source, dataset }: Pick<ImportOptions, "source" | "dataset">,
  { what, splitOf, isDataset }: SplitLayout,
): Promise<{ readonly folder: string; readonly splits: readonly SplitFile[] }> {
  if ((await requireSource(source, what)) === "file")
    return { folder: dirname(source), splits: [{ split: splitOf(folderName(source)) ?? "train", path: source }] };
  const folder = await chooseDataset(source, dataset, what, isDataset);
  return { folder, splits: await splitFilesIn(folder, splitOf) };
}

/**
 * The folder of split files that `source` and `dataset` mean: `source` itself, its sub-folder `dataset`, or its only
 * sub-folder with such files. Errors: "not-found"; "usage" where several are there and none was chosen.
 */
export async function chooseDataset(
  source: string,
  dataset: string | undefined,
  what: string,
  isDataset: (folder: string) => Promise<boolean>,
): Promise<string> {
  if (await isDataset(source)) return source;
  const names: string[] = [];
  for (const name of await namesIn(source)) {
    const folder = join(source, name);
    if ((await kindOf(folder)) === "folder" && (await isDataset(folder))) names.push(name);
  }
  if (names.length === 0) fail("not-found", `expected ${what} in "${source}", found none`);
  if (dataset !== undefined) return names.includes(dataset) ? join(source, dataset) : throwUnknown(dataset, names);
  if (names.length > 1)
    fail("usage", `"${source}" holds several datasets: ${names.join(", ")}; choose one with --dataset`);
  return join(source, names[0] ?? "");
}

function throwUnknown(dataset: string, names: readonly string[]): never {
  throw unknownName("dataset", dataset, names);
}

function rank(split: string): number {
  const place = order.indexOf(split);
  return place < 0 ? order.length : place;
}
