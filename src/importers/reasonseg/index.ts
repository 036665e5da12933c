/**
 * ReasonSeg, of LISA: <split>/<name>.jpg beside <name>.json =
 *
 *   {text [sentences], is_sentence, shapes [{label "target" | "ignore…" | "flag", points [[x, y]]}]}
 *
 * The mask is drawn as LISA draws it (fill-outline.ts): outlines from the largest to the smallest, "flag" left out,
 * "ignore" taking its pixels out of the target. Those pixels count as outside here; LISA leaves them out of its scores.
 * A file that is not UTF-8 is read as Windows-1252, as LISA does, and noted; one that is neither (GBK, UTF-16) is refused.
 */
import { isUtf8 } from "node:buffer";
import { join } from "node:path";
import { pMapIterable } from "p-map";
import { imageSize, parseJson, wholeUtf8Text } from "../../codecs/index.ts";
import { rleArea, rleFromMask } from "../../kernels/index.ts";
import { type DatasetRecord, fail, isInputError, type Segmentation } from "../../model/index.ts";
import { type EntryState, entryRecords, newEntryState } from "../entry-records.ts";
import { bad, note } from "../findings.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import { emptyMaskComplaint } from "../mask-file.ts";
import { firstText, folderName, hashFiles, kindOf, namesIn, readBytes, requireSource } from "../places.ts";
import { segmentationOf } from "../segmentation.ts";
import { field, isDict, numbersOf } from "../values.ts";
import { fillOutline } from "./fill-outline.ts";

export const reasonseg: Importer = {
  name: "reasonseg",
  title: "ReasonSeg: <split>/*.jpg with *.json of text and shapes",
  looksFor: "<split>/*.jpg with *.json of shapes",
  recognise,
  open,
};

interface Pair {
  readonly split: string;
  /** Below the dataset's folder, without ending. */
  readonly stem: string;
}

async function recognise(path: string): Promise<Recognition | undefined> {
  if ((await kindOf(path)) !== "folder") return undefined;
  const [first] = await pairsIn(path);
  if (first === undefined || !(await hasShapes(join(path, `${first.stem}.json`)))) return undefined;
  return { how: `"${first.stem}.jpg" has text and shapes beside it`, options: { source: path } };
}

async function open(options: ImportOptions): Promise<ImportSource> {
  if ((await requireSource(options.source, "ReasonSeg's folder")) === "file")
    fail("usage", `expected ReasonSeg's folder, got the file "${options.source}"`);
  const pairs = await pairsIn(options.source);
  if (pairs.length === 0)
    fail("not-found", `expected train/, val/ or test/ with .jpg and .json files in "${options.source}", found none`);
  const files = pairs.map(({ stem }) => join(options.source, `${stem}.json`));
  return {
    format: "reasonseg",
    name: options.name ?? options.dataset ?? folderName(options.source).toLowerCase(),
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    imagesFolder: options.source,
    files: await hashFiles(files),
    records: () => records(pairs, options.source),
    warnings: [
      "ReasonSeg's questions ask for reasoning: their texts do not describe their targets",
      ...(options.images === undefined ? [] : [`images are beside their .json; "${options.images}" is not read`]),
    ],
  };
}

async function* records(pairs: readonly Pair[], folder: string): AsyncGenerator<DatasetRecord> {
  const state = newEntryState();
  const read = pMapIterable(pairs, (pair) => readPair(pair, folder), { concurrency: 4, backpressure: 8 });
  for await (const { pair, found } of read) yield* Array.isArray(found) ? found : finished(pair, found, state);
}

interface ReadPair {
  readonly texts: readonly unknown[];
  readonly segmentation: Segmentation;
  readonly isEmpty: boolean;
  readonly size: { readonly width: number; readonly height: number };
  readonly isWindows: boolean;
}

async function readPair(
  pair: Pair,
  folder: string,
): Promise<{ readonly pair: Pair; readonly found: ReadPair | DatasetRecord[] }> {
  const where = `${pair.stem}.json`;
  const wrong = (expected: string, came: unknown): { pair: Pair; found: DatasetRecord[] } => ({
    pair,
    found: [bad("unreadable value", where, { expected, came, remedy: "correct or remove the pair" })],
  });
  try {
    const bytes = await readBytes(join(folder, where));
    const isWindows = !isUtf8(bytes) && !hasPairs(bytes);
    const text = isWindows ? new TextDecoder("windows-1252").decode(bytes) : wholeUtf8Text(bytes, `"${where}"`);
    const value = parseJson(text, `"${where}"`);
    const [texts, shapes] = isDict(value) ? [field(value, "text"), field(value, "shapes")] : [];
    if (!Array.isArray(texts) || !Array.isArray(shapes)) return wrong("{text, shapes} of lists", value);
    const { width, height } = await imageSize(join(folder, `${pair.stem}.jpg`));
    const data = drawn(shapes, width, height);
    if (data === undefined) return wrong("shapes of {label, points [[x, y], …]}", shapes);
    const rle = rleFromMask(data, height, width);
    const isEmpty = rleArea(rle) === 0;
    return { pair, found: { texts, segmentation: segmentationOf(rle), isEmpty, size: { width, height }, isWindows } };
  } catch (error) {
    if (isInputError(error)) return wrong("a readable .jpg and .json", error);
    throw error;
  }
}

/**
 * Whether two bytes in a row are letters or signs of Windows-1252's upper half: Chinese text in GBK is made of such pairs,
 * where English and most European words have one between ASCII letters, or a quotation mark or dash (0x80 to 0x9f).
 */
function hasPairs(bytes: Uint8Array): boolean {
  return bytes.some((byte, at) => byte >= 0xa1 && (bytes[at + 1] ?? 0) >= 0xa1);
}

function* finished(pair: Pair, found: ReadPair, state: EntryState): Generator<DatasetRecord> {
  const { stem, split } = pair;
  const where = `${stem}.json`;
  if (found.isEmpty) return yield bad("target without a mask", where, emptyMaskComplaint("the shapes"));
  if (found.isWindows) yield note("text read as Windows-1252, as the dataset's own program does", where);
  yield* entryRecords(
    {
      image: { id: stem, file: `${stem}.jpg`, ...found.size },
      targets: [{ id: stem, category: "", segmentation: found.segmentation, isCrowd: false }],
      refId: stem,
      split,
      sentences: found.texts.map((sent, id) => ({ id, sent })),
    },
    where,
    state,
  );
}

/** 1 inside the target, 0 outside and where it is to be ignored; undefined where a shape is none. */
function drawn(shapes: readonly unknown[], width: number, height: number): Uint8Array | undefined {
  const outlines: { points: [number, number][]; value: number; area: number }[] = [];
  for (const shape of shapes) {
    const [label, listed] = isDict(shape) ? [field(shape, "label"), field(shape, "points")] : [];
    if (typeof label !== "string" || !Array.isArray(listed) || listed.length === 0) return undefined;
    if (label.toLowerCase() === "flag") continue;
    const points = listed.map((point: unknown) => numbersOf(point));
    if (points.some((point) => point?.length !== 2)) return undefined;
    const own = { width, height, data: new Uint8Array(width * height) };
    fillOutline(own, points as [number, number][], 1);
    const area = own.data.reduce((sum, pixel) => sum + pixel, 0);
    outlines.push({ points: points as [number, number][], value: /ignore/i.test(label) ? 0 : 1, area });
  }
  const data = new Uint8Array(width * height);
  for (const { points, value } of outlines.sort((a, b) => b.area - a.area))
    fillOutline({ width, height, data }, points, value);
  return data;
}

/** The pairs of a dataset's folder, or of one split's, in the usual order of splits. */
async function pairsIn(folder: string): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (const split of ["train", "val", "test"]) {
    const names = new Set(await namesIn(join(folder, split)));
    for (const name of names) {
      const stem = name.replace(/\.jpg$/, "");
      if (name !== stem && names.has(`${stem}.json`)) pairs.push({ split, stem: `${split}/${stem}` });
    }
  }
  return pairs;
}

async function hasShapes(path: string): Promise<boolean> {
  const start = await firstText(path, 1 << 20);
  return start.includes('"shapes"') && start.includes('"text"');
}
