/**
 * The tar shards of `nemosaic export webdataset`: <split>/000000.tar, each sample three files that share the name before
 * the first dot,
 *
 *   <key>.jpg         the image (png, webp)
 *   <key>.mask.png    every pixel that is not 0 is inside
 *   <key>.json        {split, kind, sentences [{key, raw, sent}], image_id, ref_id, ref, category, category_id, targets?, plan?}
 */
import { join } from "node:path";
import { parseJson, readTar, type TarEntry, wholeUtf8Text } from "../../codecs/index.ts";
import type { Progress } from "../../io/index.ts";
import { type DatasetRecord, fail, NemosaicError } from "../../model/index.ts";
import { type EntryState, newEntryState } from "../entry-records.ts";
import { readExportedRecords } from "../exported-sample.ts";
import { bad, InWords } from "../findings.ts";
import type { Importer, ImportOptions, ImportSource, Recognition } from "../importer.ts";
import { folderName, hashFiles, kindOf, namesIn, requireSource } from "../places.ts";
import { exactId, field, isDict } from "../values.ts";

export const webdataset: Importer = {
  name: "webdataset",
  title: "the tar shards of nemosaic export webdataset",
  looksFor: ".tar shards with .mask.png",
  recognise,
  open,
};

interface Shard {
  readonly split: string;
  readonly path: string;
}

async function recognise(path: string): Promise<Recognition | undefined> {
  const [first] = await shardsAt(path);
  if (first === undefined) return undefined;
  const names: string[] = [];
  for await (const { name } of readTar(first.path)) if (names.push(name) >= 3) break;
  if (!names.some((name) => name.endsWith(".mask.png"))) return undefined;
  return { how: `the samples of "${first.path}" have .mask.png`, options: { source: path } };
}

async function open(options: ImportOptions, progress?: Progress): Promise<ImportSource> {
  await requireSource(options.source, "a folder of .tar shards");
  const shards = await shardsAt(options.source);
  if (shards.length === 0) fail("not-found", `expected .tar shards in "${options.source}" or its folders, found none`);
  return {
    format: "webdataset",
    name: options.name ?? options.dataset ?? folderName(options.source).replace(/\.tar$/, ""),
    ...(options.splitBy === undefined ? {} : { splitBy: options.splitBy }),
    imagesFolder: options.source,
    files: await hashFiles(
      shards.map(({ path }) => path),
      progress,
    ),
    records: () => records(shards),
    warnings: [
      "an export holds the targets alone: other objects of an image are unknown",
      ...(options.images === undefined ? [] : [`images are inside the shards; "${options.images}" is not read`]),
    ],
  };
}

async function* records(shards: readonly Shard[]): AsyncGenerator<DatasetRecord> {
  const state = newEntryState();
  for (const { split, path } of shards) {
    let [key, files] = ["", new Map<string, Uint8Array>()];
    const shard = `${split}/${folderName(path)}`;
    for await (const entry of readTar(path)) {
      const [own, ending] = partsOf(entry);
      if (own !== key && files.size > 0) yield* await sampleRecords(files, `${shard}, sample ${key}`, split, state);
      if (own !== key) [key, files] = [own, new Map()];
      files.set(ending, entry.bytes);
    }
    if (files.size > 0) yield* await sampleRecords(files, `${shard}, sample ${key}`, split, state);
  }
}

/** "a/000001.mask.png" → ["a/000001", "mask.png"], as the webdataset package parts names. */
function partsOf({ name }: TarEntry): [key: string, ending: string] {
  const dot = name.indexOf(".", name.lastIndexOf("/") + 1);
  return dot < 0 ? [name, ""] : [name.slice(0, dot), name.slice(dot + 1).toLowerCase()];
}

async function sampleRecords(
  files: ReadonlyMap<string, Uint8Array>,
  where: string,
  shardSplit: string,
  state: EntryState,
): Promise<DatasetRecord[]> {
  const extension = ["jpg", "jpeg", "png", "webp"].find((ending) => files.has(ending));
  const [image, mask, json] = [files.get(extension ?? ""), files.get("mask.png"), files.get("json")];
  const wrong = (expected: string, came: unknown): DatasetRecord[] => [
    bad("unreadable value", where, { expected, came, remedy: "export the pool again" }),
  ];
  if (image === undefined || mask === undefined || json === undefined)
    return wrong("an image, .mask.png and .json", new InWords([...files.keys()].join(", ") || "nothing"));
  let value: unknown;
  try {
    value = parseJson(wholeUtf8Text(Buffer.from(json), where), where);
  } catch (error) {
    if (!(error instanceof NemosaicError)) throw error;
    return wrong("JSON", error);
  }
  const sentences = isDict(value) ? field(value, "sentences") : undefined;
  const imageId = isDict(value) ? exactId(field(value, "image_id")) : undefined;
  if (!isDict(value) || !Array.isArray(sentences) || !sentences.every(isDict) || imageId === undefined)
    return wrong("{sentences [{key, sent}], image_id, ref_id, …}", value);
  const split = field(value, "split");
  return readExportedRecords(
    {
      image: { name: `${imageId.padStart(12, "0")}.${extension}`, bytes: image },
      mask,
      split: typeof split === "string" && split !== "" ? split : shardSplit,
      refId: field(value, "ref_id"),
      category: field(value, "category"),
      targets: field(value, "targets"),
      sentences: sentences.map((sentence) => field(sentence, "sent")),
      keys: sentences.map((sentence) => field(sentence, "key")),
    },
    where,
    state,
  );
}

/** The shards at `path`: itself, those in it, or those in its folders, each named by the split. */
async function shardsAt(path: string): Promise<Shard[]> {
  const isShard = (name: string): boolean => name.endsWith(".tar");
  if ((await kindOf(path)) === "file") return isShard(path) ? [{ split: folderName(join(path, "..")), path }] : [];
  const names = await namesIn(path);
  const own = names.filter(isShard).map((name) => ({ split: folderName(path), path: join(path, name) }));
  if (own.length > 0) return own;
  const shards: Shard[] = [];
  for (const split of names)
    for (const name of await namesIn(join(path, split)))
      if (isShard(name)) shards.push({ split, path: join(path, split, name) });
  return shards;
}
