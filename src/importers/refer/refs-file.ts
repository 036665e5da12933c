import { extname, join } from "node:path";
import { decodePickle, readJsonList } from "../../codecs/index.ts";
import { fail, quoteValue, unknownName } from "../../model/index.ts";
import type { ImportOptions } from "../importer.ts";
import { folderName, kindOf, namesIn, readBytes, requireFile, requireSource } from "../places.ts";
import { field, isDict } from "../values.ts";

/** A folder with an instances.json and one or several refs files beside it, and the one chosen. */
export interface RefsFolder {
  /** "refcoco" */
  readonly dataset: string;
  readonly splitBy: string | undefined;
  readonly folder: string;
  readonly refs: string;
  readonly instances: string;
  /** Other spellings of the same splitting that lie beside `refs` and are not read: file names. */
  readonly unread: readonly string[];
}

/** How a family names its refs files. */
export interface RefsNaming {
  /** "refs(unc).p", for error lines. */
  readonly example: string;
  /** The splitting that a file's name states ("" for a file without one); undefined where it is no refs file. */
  splitByOf(name: string): string | undefined;
}

/** REFER's naming: refs(<splitBy>).p; Ref-ZOM's Ref_ZOM.p says no splitting. */
export const referNaming: RefsNaming = {
  example: "refs(unc).p",
  splitByOf: (name) =>
    /^refs\(([^()]+)\)\.(?:p|pkl|pickle|json)$/.exec(name)?.[1] ?? (/^ref_?zom\.p$/i.test(name) ? "" : undefined),
};

/** gRefCOCO's naming: grefs(<splitBy>).json, or .p. */
export const grefNaming: RefsNaming = {
  example: "grefs(unc).json",
  splitByOf: (name) => /^grefs\(([^()]+)\)\.(?:p|pkl|pickle|json)$/.exec(name)?.[1],
};

/**
 * Finds the refs file that `options` mean: `source` is the dataset's folder, its parent together with `dataset`, or the
 * refs file itself. Errors: "not-found"; "usage" where several are there and none was chosen.
 */
export async function findRefs(options: ImportOptions, naming: RefsNaming): Promise<RefsFolder> {
  const kind = await requireSource(options.source, `a folder with ${naming.example} and instances.json`);
  if (kind === "file") return refsFileAt(options, naming);
  const folder = await datasetFolder(options, naming);
  const splittings = refsIn(await namesIn(folder), naming);
  const splitBy = chosenSplitting(options.splitBy, splittings, folder);
  const names = splittings.get(splitBy) ?? [];
  const isUsual = (name: string): boolean => extname(name) === extname(naming.example);
  const chosen = names.find(isUsual) ?? names[0] ?? "";
  const place = await describeRefs(folder, chosen, splitBy, options);
  return { ...place, unread: names.filter((name) => name !== chosen) };
}

/** The splittings in a folder and the files that state them, sorted; two spellings of one splitting stand together. */
export function refsIn(names: readonly string[], naming: RefsNaming): Map<string, string[]> {
  const splittings = new Map<string, string[]>();
  for (const name of names) {
    const splitBy = naming.splitByOf(name);
    if (splitBy !== undefined) splittings.set(splitBy, [...(splittings.get(splitBy) ?? []), name]);
  }
  return splittings;
}

/** One entry of a refs file, by its place from 0. */
export interface RefEntry {
  readonly index: number;
  readonly value: unknown;
  /** A sentence of it was no UTF-8 and was read as latin-1. */
  readonly isLatin1?: boolean;
}

/**
 * Opens a refs file: a pickled list, or a JSON one by its name's ending. A pickle is read whole here, so that one which
 * could run code is refused before anything is streamed; JSON is streamed, its beginning looked at here.
 * Errors: "refused" for a pickle that could run code; "bad-input" for anything that is no list.
 */
export async function openRefs(path: string): Promise<AsyncIterable<RefEntry> | Iterable<RefEntry>> {
  if (path.endsWith(".json")) {
    for await (const _first of readJsonList(path)) break;
    return readJsonList(path);
  }
  const latin1 = new Set<string>();
  const value = decodePickle(await readBytes(path), { where: `"${path}"`, onLatin1: (text) => latin1.add(text) });
  if (Array.isArray(value)) return entriesOf(value, latin1);
  const came = value instanceof Map ? "a dict" : typeof value;
  fail("bad-input", `expected a pickled list of refs in "${path}", got ${came}`);
}

function* entriesOf(values: readonly unknown[], latin1: Set<string>): Generator<RefEntry> {
  for (const [index, given] of values.entries()) {
    const value = withText(given, 8, latin1);
    yield { index, value, isLatin1: latin1.size > 0 && sentenceTexts(value).some((text) => latin1.has(text)) };
  }
}

function sentenceTexts(ref: unknown): string[] {
  const sentences = isDict(ref) ? field(ref, "sentences") : undefined;
  const texts = Array.isArray(sentences)
    ? sentences.flatMap((sentence: unknown) =>
        isDict(sentence) ? [field(sentence, "sent"), field(sentence, "raw")] : [],
      )
    : [];
  return texts.filter((text) => typeof text === "string");
}

/**
 * A pickled value with its bytes read as text (UTF-8, else latin-1, which `latin1` learns), down to `depth` containers: what Python 3 writes
 * after it read a Python 2 file with encoding="bytes". Refs hold no other bytes.
 */
function withText(value: unknown, depth: number, latin1: Set<string>): unknown {
  if (value instanceof Uint8Array) return textOf(value, latin1);
  if (depth === 0) return value;
  if (value instanceof Map)
    return new Map(
      [...value].map(([key, item]) => [withText(key, depth - 1, latin1), withText(item, depth - 1, latin1)]),
    );
  if (value instanceof Set) return new Set([...value].map((item) => withText(item, depth - 1, latin1)));
  return Array.isArray(value) ? value.map((item) => withText(item, depth - 1, latin1)) : value;
}

function textOf(bytes: Uint8Array, latin1: Set<string>): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const text = new TextDecoder("latin1").decode(bytes);
    latin1.add(text);
    return text;
  }
}

async function refsFileAt(options: ImportOptions, naming: RefsNaming): Promise<RefsFolder> {
  const folder = join(options.source, "..");
  const name = options.source.split(/[/\\]/).at(-1) ?? "";
  const splitBy = naming.splitByOf(name);
  if (splitBy === undefined)
    fail("usage", `expected a folder, or a file named as ${naming.example}, got "${options.source}"`);
  if (options.splitBy !== undefined && options.splitBy !== splitBy) {
    fail("usage", `expected --split-by ${splitBy || "left out"} for "${name}", got ${quoteValue(options.splitBy)}`);
  }
  return describeRefs(folder, name, splitBy, options);
}

async function datasetFolder(options: ImportOptions, naming: RefsNaming): Promise<string> {
  const { source, dataset } = options;
  if (refsIn(await namesIn(source), naming).size > 0) return source;
  if (dataset !== undefined) {
    const folder = join(source, dataset);
    if (refsIn(await namesIn(folder), naming).size > 0) return folder;
  }
  const datasets = await datasetsBelow(source, naming);
  if (dataset !== undefined && datasets.length > 0) throw unknownName("dataset", dataset, datasets);
  const [only] = datasets;
  if (only === undefined || dataset !== undefined) {
    fail(
      "not-found",
      `expected ${naming.example} in "${dataset === undefined ? source : join(source, dataset)}", found no such file`,
    );
  }
  if (datasets.length === 1) return join(source, only);
  fail("usage", `"${source}" holds several datasets: ${datasets.join(", ")}; choose one with --dataset`);
}

async function datasetsBelow(source: string, naming: RefsNaming): Promise<string[]> {
  const datasets: string[] = [];
  for (const name of await namesIn(source)) {
    const folder = join(source, name);
    if ((await kindOf(folder)) === "folder" && refsIn(await namesIn(folder), naming).size > 0) datasets.push(name);
  }
  return datasets;
}

function chosenSplitting(
  wanted: string | undefined,
  splittings: ReadonlyMap<string, string[]>,
  folder: string,
): string {
  const names = [...splittings.keys()];
  const files = [...splittings.values()].flat();
  if (wanted !== undefined && splittings.has(wanted)) return wanted;
  if (wanted !== undefined && names.every((name) => name === "")) {
    fail("usage", `"${folder}" holds ${files.join(", ")}, which has no splittings; leave --split-by out`);
  }
  if (wanted !== undefined) throw unknownName("splitting (--split-by)", wanted, names.filter(Boolean));
  const [only] = names;
  if (names.length === 1 && only !== undefined) return only;
  fail(
    "usage",
    `"${folder}" holds several splittings: ${files.join(", ")}; choose one with --split-by ${names.filter(Boolean).join("|")}`,
  );
}

async function describeRefs(
  folder: string,
  name: string,
  splitBy: string,
  options: ImportOptions,
): Promise<RefsFolder> {
  const refs = join(folder, name);
  const instances = join(folder, "instances.json");
  await requireFile(refs, "the refs file");
  await requireFile(instances, "the dataset's instances.json");
  const dataset = options.dataset ?? folderName(folder);
  return { dataset, splitBy: splitBy === "" ? undefined : splitBy, folder, refs, instances, unread: [] };
}
