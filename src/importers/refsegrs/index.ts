/**
 * RefSegRS, referring segmentation of aerial images:
 *
 *   output_phrase_<split>.txt   a line each: the image's number, a space, the phrase
 *   images/<number>.tif
 *   masks/<number>.tif          every pixel that is not 0 is inside
 *
 * A number stands for one target; lines of one number are its phrases.
 */
import { join } from "node:path";
import { pMapIterable } from "p-map";
import { wholeUtf8Text } from "../../codecs/index.ts";
import type { DatasetRecord } from "../../model/index.ts";
import { entryRecords, newEntryState } from "../entry-records.ts";
import { bad, note } from "../findings.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import { emptyMaskComplaint, maskReader } from "../mask-file.ts";
import { findImagesFolder, folderName, hashFiles, kindOf, readBytes } from "../places.ts";
import { findSplitFiles, type SplitFile, splitFilesIn } from "../split-files.ts";

export const refsegrs: Importer = {
  name: "refsegrs",
  title: "RefSegRS: output_phrase_<split>.txt with images/ and masks/ of .tif files",
  looksFor: "output_phrase_<split>.txt and masks/",
  recognise,
  open,
};

const what = "RefSegRS's output_phrase_<split>.txt";
const splitOf = (name: string): string | undefined => /^output_phrase_(train|val|test)\.txt$/.exec(name)?.[1];

async function recognise(path: string): Promise<Recognition | undefined> {
  if ((await kindOf(path)) !== "folder" || !(await isDataset(path))) return undefined;
  return { how: `"${path}" holds output_phrase_<split>.txt files and masks/`, options: { source: path } };
}

async function open(options: ImportOptions): Promise<ImportSource> {
  const { folder, splits } = await findSplitFiles(options, { what, splitOf, isDataset });
  const [first] = splits;
  const lines = first === undefined ? [] : await linesOf(first.path);
  const images = await findImagesFolder({
    given: options.images,
    customs: ["images"],
    guesses: [join(folder, "images")],
    probes: lines.slice(0, 5).map(({ number }) => `${number}.tif`),
  });
  return {
    format: "refsegrs",
    name: options.name ?? options.dataset ?? folderName(folder).toLowerCase(),
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    imagesFolder: images.folder,
    files: await hashFiles(splits.map(({ path }) => path)),
    records: () => records(splits, folder, images.fileOf),
    warnings: [...images.warnings, "RefSegRS holds referred objects only: other objects of an image are unknown"],
  };
}

interface Phrase {
  readonly line: number;
  readonly number: string;
  readonly text: string;
}

async function* records(
  splits: readonly SplitFile[],
  folder: string,
  fileOf: (name: string) => string,
): AsyncGenerator<DatasetRecord> {
  const state = newEntryState();
  const readMask = maskReader(join(folder, "masks"));
  for (const { split, path } of splits) {
    const file = folderName(path);
    const phrases = groupPhrases(await linesOf(path));
    const read = pMapIterable(
      phrases,
      async ([number, lines]) => ({ number, lines, mask: await readMask(`${number}.tif`) }),
      { concurrency: 8, backpressure: 16 },
    );
    for await (const { number, lines, mask } of read) {
      const where = `${file}, line ${lines[0]?.line}`;
      if (number === "" || /[/\\\0]/.test(number)) {
        const complaint = { expected: "an image's number and a phrase", came: number, remedy: "correct the line" };
        yield bad("not a record", where, complaint);
      } else if ("complaint" in mask) yield bad("unreadable mask", where, mask.complaint);
      else if (mask.isEmpty) yield bad("target without a mask", where, emptyMaskComplaint(`the mask "${number}.tif"`));
      else {
        for (const reason of mask.notes) yield note(reason, where);
        yield* entryRecords(
          {
            image: { id: number, file: fileOf(`${number}.tif`) },
            targets: [{ id: number, category: "", segmentation: mask.segmentation, isCrowd: false }],
            refId: number,
            split,
            sentences: lines.map(({ text }, id) => ({ id, sent: text })),
          },
          where,
          state,
        );
      }
    }
  }
}

function groupPhrases(lines: readonly Phrase[]): [string, Phrase[]][] {
  const groups = new Map<string, Phrase[]>();
  for (const line of lines) {
    const group = groups.get(line.number);
    if (group === undefined) groups.set(line.number, [line]);
    else group.push(line);
  }
  return [...groups];
}

/** The lines of a file of phrases; blank ones are skipped and counted. Errors: "io", "bad-input" for what is no UTF-8. */
async function linesOf(path: string): Promise<Phrase[]> {
  const text = wholeUtf8Text(await readBytes(path), `"${path}"`);
  return text.split(/\r?\n/).flatMap((line, at) => {
    if (line.trim() === "") return [];
    const [, number = "", phrase = ""] = /^(\S*)\s*(.*)$/.exec(line.trim()) ?? [];
    return [{ line: at + 1, number, text: phrase }];
  });
}

async function isDataset(folder: string): Promise<boolean> {
  return (await splitFilesIn(folder, splitOf)).length > 0 && (await kindOf(join(folder, "masks"))) === "folder";
}
