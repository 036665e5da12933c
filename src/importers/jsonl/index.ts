/**
 * The plain format for one's own data, docs/formats/jsonl.md: one JSON object a line,
 *
 *   {image, expressions, segmentation, ref_id?, category?, bbox?, split?, width?, height?, objects?}
 */
import { dirname, join } from "node:path";
import { pMapIterable } from "p-map";
import { type DatasetRecord, fail } from "../../model/index.ts";
import { bad } from "../findings.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import { maskReader, type ReadMask } from "../mask-file.ts";
import { findImagesFolder, firstText, hashFiles, kindOf, namesIn, requireSource } from "../places.ts";
import { field, isDict, isInnerPath } from "../values.ts";
import { lineRecords, newLineState } from "./line-records.ts";
import { jsonLines } from "./lines.ts";

/** People's own data in the plain format. */
export const jsonl: Importer = {
  name: "jsonl",
  title: "plain JSON lines, for your own data",
  looksFor: ".jsonl of image and expressions",
  recognise,
  open,
};

const linesAtOnce = 8;
const ending = /\.(jsonl|ndjson)$/i;

async function recognise(path: string): Promise<Recognition | undefined> {
  const file = (await kindOf(path)) === "folder" ? await onlyFileIn(path) : path;
  if (file === undefined || !ending.test(file)) return undefined;
  const start = await firstText(file, 1 << 20);
  const line = start.split("\n", 1)[0] ?? "";
  if (!/"image"\s*:/.test(line) || !/"expressions"\s*:/.test(line)) return undefined;
  return { how: `the first line of "${file}" has "image" and "expressions"`, options: { source: file } };
}

async function open(options: ImportOptions): Promise<ImportSource> {
  const kind = await requireSource(options.source, "a .jsonl file");
  const file = kind === "file" ? options.source : await onlyFileIn(options.source);
  if (file === undefined) {
    const names = (await namesIn(options.source)).filter((name) => ending.test(name));
    if (names.length === 0) fail("not-found", `expected a .jsonl file in "${options.source}", found none`);
    fail("usage", `"${options.source}" holds several .jsonl files: ${names.join(", ")}; name one`);
  }
  const folder = dirname(file);
  const images = await findImagesFolder({
    given: options.images,
    guesses: [folder, join(folder, "images")],
    customs: ["images"],
    probes: await firstImages(file, 20),
  });
  return {
    format: "jsonl",
    name: options.name ?? options.dataset ?? (file.split(/[/\\]/).at(-1) ?? "").replace(ending, ""),
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    imagesFolder: images.folder,
    files: await hashFiles([file]),
    records: () => records(file, folder, images.fileOf),
    warnings: images.warnings,
  };
}

async function* records(file: string, folder: string, fileOf: (name: string) => string): AsyncGenerator<DatasetRecord> {
  const name = file.split(/[/\\]/).at(-1) ?? file;
  const readMask = maskReader(folder);
  const state = newLineState();
  // Masks are decoded ahead, several at once; lines are understood one after the other.
  const lines = pMapIterable(
    jsonLines(file),
    async (line) => ({ line, masks: "value" in line ? await masksOf(line.value, readMask) : undefined }),
    { concurrency: linesAtOnce, backpressure: 2 * linesAtOnce },
  );
  for await (const { line, masks } of lines) {
    const where = `${name}, line ${line.line}`;
    if ("error" in line) {
      const expected = "a JSON object on one line";
      yield bad("not JSON", where, { expected, came: line.error, remedy: "correct the line" });
    } else {
      const readMaskAhead: ReadMask = async (path) => masks?.get(path) ?? readMask(path);
      yield* await lineRecords(line.value, line.line, where, state, readMaskAhead, fileOf);
    }
  }
}

type Masks = ReadonlyMap<string, Awaited<ReturnType<ReadMask>>>;

/** The mask images that a line names, read; whether the line is sound is not asked yet. */
async function masksOf(line: unknown, readMask: ReadMask): Promise<Masks> {
  if (!isDict(line)) return new Map();
  const objects = field(line, "objects");
  const others = Array.isArray(objects)
    ? objects.map((object: unknown) => isDict(object) && field(object, "segmentation"))
    : [];
  const targets = field(line, "segmentation");
  const paths = [targets, ...(Array.isArray(targets) ? targets : []), ...others].filter(
    (path) => typeof path === "string",
  );
  return new Map(await Promise.all(paths.map(async (path) => [path, await readMask(path)] as const)));
}

async function onlyFileIn(folder: string): Promise<string | undefined> {
  const names = (await namesIn(folder)).filter((name) => ending.test(name));
  return names.length === 1 && names[0] !== undefined ? join(folder, names[0]) : undefined;
}

async function firstImages(file: string, count: number): Promise<string[]> {
  const names: string[] = [];
  for await (const line of jsonLines(file)) {
    const image = "value" in line && isDict(line.value) ? field(line.value, "image") : undefined;
    if (typeof image === "string" && isInnerPath(image)) names.push(image);
    if (names.length >= count || line.line >= 100) break;
  }
  return names;
}
