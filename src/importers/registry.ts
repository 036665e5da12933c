import { join } from "node:path";
import type { Progress } from "../io/index.ts";
import { fail, isInputError, quoteValue, unknownName } from "../model/index.ts";
import { cris } from "./cris/index.ts";
import { crisLmdb } from "./cris-lmdb/index.ts";
import { grefcoco } from "./grefcoco/index.ts";
import { hfParquet } from "./hf-parquet/index.ts";
import type { Importer, ImportOptions, Recognition } from "./importer.ts";
import { jsonl } from "./jsonl/index.ts";
import { mmr } from "./mmr/index.ts";
import { neighbourAdvice } from "./neighbours.ts";
import { phrasecut } from "./phrasecut/index.ts";
import { kindOf, namesIn, requireSource } from "./places.ts";
import { reasonseg } from "./reasonseg/index.ts";
import { refer } from "./refer/index.ts";
import { refloco } from "./refloco/index.ts";
import { refsegrs } from "./refsegrs/index.ts";
import { sa2va } from "./sa2va/index.ts";
import { saco } from "./saco/index.ts";
import { seqtr } from "./seqtr/index.ts";
import { table } from "./table/index.ts";
import { webdataset } from "./webdataset/index.ts";

/** Every format that can be imported, in the order in which `recogniseImporter` asks. */
export const importers: readonly Importer[] = [
  refer,
  grefcoco,
  cris,
  crisLmdb,
  seqtr,
  hfParquet,
  phrasecut,
  saco,
  sa2va,
  reasonseg,
  mmr,
  refloco,
  refsegrs,
  webdataset,
  jsonl,
  table,
].map((importer) => ({
  ...importer,
  open: async (options: ImportOptions, progress?: Progress) => {
    checkOptions(options);
    const neighbour = await neighbourAdvice(options.source);
    if (neighbour !== undefined) fail("unsupported", neighbour);
    return importer.open(options, progress);
  },
}));

/** The names of `importers`. */
export const importerNames: readonly string[] = importers.map(({ name }) => name);

/** The importer of that name. Errors: "usage" with the valid names and the nearest. */
export function findImporter(name: string): Importer {
  const found = importers.find((importer) => importer.name === name);
  if (found === undefined) throw unknownName("format", name, [...importerNames, "auto"]);
  return found;
}

/** The one importer that a path is for, and how it was known. */
export interface RecognisedImporter extends Recognition {
  readonly importer: Importer;
}

/**
 * Finds out which format lies at `path`, by names and first bytes. Errors: "not-found" where nothing is there;
 * "bad-input" where no importer knows it, with what was looked for; "usage" where several do, or its folders are datasets.
 */
export async function recogniseImporter(path: string): Promise<RecognisedImporter> {
  await requireSource(path, "a dataset");
  const found = await findFitting(path);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only === undefined) {
    const neighbour = await neighbourAdvice(path);
    if (neighbour !== undefined) fail("unsupported", neighbour);
    const inner = await datasetsIn(path);
    if (inner.length > 0)
      fail("usage", `"${path}" is no dataset itself, but its folders are: ${inner.join(", ")}; import one of them`);
    const list = importers.map(({ name, looksFor }) => `${looksFor} (${name})`).join("; ");
    fail(
      "bad-input",
      `cannot tell the format of "${path}": it is none of ${importerNames.join(", ")} as far as names and first bytes say; check the path, or name the format (--debug tells what was looked for)`,
      new Error(`looked for ${list}`),
    );
  }
  const list = found.map(({ importer, how }) => `${importer.name}: ${how}`).join("; ");
  fail("usage", `"${path}" fits several formats (${list}); name one of them instead of auto`);
}

async function findFitting(path: string): Promise<RecognisedImporter[]> {
  const found: RecognisedImporter[] = [];
  for (const importer of importers) {
    const recognition = await recogniseWith(importer, path);
    if (recognition !== undefined) found.push({ importer, ...recognition });
  }
  return found;
}

/**
 * The datasets among a folder's folders, and among theirs, with the importers that know them: for the error that nothing
 * is at `path` itself.
 */
async function datasetsIn(path: string, above = "", levels = 2): Promise<string[]> {
  const names: string[] = [];
  for (const name of (await namesIn(path)).slice(0, 50)) {
    const inner = join(path, name);
    if ((await kindOf(inner)) !== "folder") continue;
    const formats = (await findFitting(inner)).map(({ importer }) => importer.name);
    if (formats.length > 0) names.push(`"${above}${name}" (${formats.join(", ")})`);
    else if (levels > 1) names.push(...(await datasetsIn(inner, `${above}${name}/`, levels - 1)));
    if (names.length >= 10) return names;
  }
  return names;
}

const optionNames: readonly (keyof ImportOptions)[] = ["source", "images", "dataset", "splitBy", "columns", "name"];

function checkOptions(options: ImportOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!(optionNames as readonly string[]).includes(name)) throw unknownName("import option", name, optionNames);
    const isText = typeof value === "string" && value !== "";
    if (value !== undefined && !isText)
      fail("usage", `expected the import option "${name}" to be text, got ${quoteValue(value)}`);
  }
  if (options.source === undefined) fail("usage", `expected the import option "source": the dataset's folder or file`);
}

/** A file that an importer stumbles over is not of its format. */
async function recogniseWith(importer: Importer, path: string): Promise<Recognition | undefined> {
  try {
    return await importer.recognise(path);
  } catch (error) {
    if (isInputError(error)) return undefined;
    throw error;
  }
}
