import { join } from "node:path";
import type { DatasetRecord } from "../../model/index.ts";
import { emptyCatalog, firstImageNames, instanceRecords } from "../coco/instances.ts";
import { note } from "../findings.ts";
import type { ImportOptions, ImportSource, Recognition } from "../importer.ts";
import { findImagesFolder, hashFiles, type ImagesFolder, kindOf, namesIn, shortPath } from "../places.ts";
import { publishedCounts, splitWarnings } from "../published-counts.ts";
import { type RefRules, refRecords } from "./ref-records.ts";
import { findRefs, openRefs, type RefsFolder, type RefsNaming, refsIn } from "./refs-file.ts";

/** What tells the members of the REFER family apart. */
export interface ReferFamily {
  readonly format: string;
  readonly naming: RefsNaming;
  readonly rules: RefRules;
}

/** Opens a folder of the REFER family; see `Importer.open`. */
export async function openRefer(options: ImportOptions, family: ReferFamily): Promise<ImportSource> {
  const place = await findRefs(options, family.naming);
  const images = await imagesOf(options, place);
  const files = await hashFiles([place.refs, place.instances]);
  const { dataset, splitBy } = place;
  const known = splitBy === undefined ? dataset : `${dataset}-${splitBy}`;
  const counts = publishedCounts(known);
  return {
    format: family.format,
    name: options.name ?? known,
    ...(splitBy === undefined ? {} : { splitBy }),
    imagesFolder: images.folder,
    files,
    records: () => records(place, images, family),
    ...(counts === undefined ? {} : { counts }),
    warnings: [...images.warnings, ...unreadWarnings(place), ...splitWarnings(dataset, splitBy)],
  };
}

/** Recognises a dataset's folder, a refs file, or a parent of dataset folders. */
export async function recogniseRefer(path: string, naming: RefsNaming): Promise<Recognition | undefined> {
  if ((await kindOf(path)) === "file") {
    const name = path.split(/[/\\]/).at(-1) ?? "";
    const isRefs = naming.splitByOf(name) !== undefined;
    return isRefs ? { how: `the file is named as ${naming.example}`, options: { source: path } } : undefined;
  }
  const names = await namesIn(path);
  const refs = [...refsIn(names, naming).values()].flat();
  if (refs.length > 0 && names.includes("instances.json")) {
    return { how: `the folder holds ${refs.join(", ")} and instances.json`, options: { source: path } };
  }
  for (const name of names) {
    const inner = await namesIn(join(path, name));
    if (refsIn(inner, naming).size > 0 && inner.includes("instances.json")) {
      return {
        how: `its folder "${name}" holds a refs file such as ${naming.example} and instances.json`,
        options: { source: path },
      };
    }
  }
  return undefined;
}

function unreadWarnings({ refs, folder, unread }: RefsFolder): string[] {
  return unread.map((name) => `"${name}" is beside "${shortPath(refs, folder)}" and is not read`);
}

async function imagesOf(options: ImportOptions, place: RefsFolder): Promise<ImagesFolder> {
  const root = join(place.folder, "..");
  const below = ["train2014", "images/train2014", "mscoco/images/train2014", "images/mscoco/images/train2014"];
  const remote = [
    "JPEGImages",
    "rrsisd/JPEGImages",
    "rsdata/JPEGImages",
    `${place.dataset}/JPEGImages`,
    "saiapr_tc-12",
  ];
  return findImagesFolder({
    given: options.images,
    customs: [...below, ...remote, "images"],
    guesses: [
      ...[
        ...below,
        "images",
        `images/${place.dataset}/JPEGImages`,
        "images/rsdata/JPEGImages",
        "images/saiapr_tc-12",
        "coco",
      ].map((custom) => join(root, custom)),
      ...["", "images", "JPEGImages"].map((custom) => join(place.folder, custom)),
    ],
    probes: await firstImageNames(place.instances, 20),
  });
}

async function* records(place: RefsFolder, images: ImagesFolder, family: ReferFamily): AsyncGenerator<DatasetRecord> {
  const refs = await openRefs(place.refs);
  const catalog = emptyCatalog();
  yield* instanceRecords(place.instances, shortPath(place.instances, place.folder), images, catalog);
  const seen = { refs: new Set<string>(), sentences: new Set<string>() };
  const file = shortPath(place.refs, place.folder);
  for await (const { index, value, isLatin1 } of refs) {
    if (isLatin1 === true) yield note("sentence that is no UTF-8 read as latin-1", `${file}, record ${index}`);
    yield* refRecords(value, `${file}, record ${index}`, catalog, seen, family.rules);
  }
}
