import { type DatasetRecord, expressionKey, fail, type RefRecord, type Segmentation } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import type { Truth } from "./truth.ts";

/**
 * Every expression of a pool, in the order of its rows. `sources`: names of sources to keep; undefined: all. The pool may
 * be closed afterwards. Similar objects are counted over all sources: a pool holds an object once that several of them
 * list alike.
 */
export function truthsOfPool(pool: Pool, sources?: readonly string[]): Truth[] {
  const { refs, expressions, images, annotations } = pool;
  const known = new Set(refs.source);
  const unknown = (sources ?? []).filter((source) => !known.has(source));
  if (unknown.length > 0) fail("usage", `unknown source ${unknown.join(", ")}; the pool has ${[...known].join(", ")}`);
  const truths: Truth[] = [];
  for (let ref = 0; ref < refs.count; ref++) {
    const source = refs.source[ref] ?? "";
    if (sources !== undefined && !sources.includes(source)) continue;
    const image = refs.image[ref] ?? 0;
    const targets = pool.targetsOfRef(ref);
    const others = pool.annotationsOfImage(image).filter((row) => !targets.includes(row));
    const shared = {
      source,
      refId: refs.id[ref] ?? "",
      imageKey: images.hash[image] ?? "",
      split: refs.split[ref] ?? "",
      height: images.height[image] ?? 0,
      width: images.width[image] ?? 0,
      segmentations: Array.from(targets, (row) => pool.segmentation(row)),
      noTarget: targets.length === 0,
      ...similarity(
        Array.from(targets, (row) => annotations.category[row] ?? ""),
        Array.from(others, (row) => annotations.category[row] ?? ""),
      ),
    };
    const [start, end] = pool.expressionsOfRef(ref);
    for (let row = start; row < end; row++) {
      truths.push({
        ...shared,
        key: pool.expressionKey(row),
        sentenceId: expressions.id[row] ?? "",
        text: expressions.sent[row] ?? "",
        sentenceIndex: row - start,
        sentenceCount: end - start,
      });
    }
  }
  return truths;
}

/** A way to learn the size of an image whose dataset does not state it. */
export type SizeOfImage = (file: string) => Promise<{ readonly width: number; readonly height: number }>;

/**
 * Every expression of a dataset on disk, from an importer's records, for use without a pool. Records that the importer
 * found bad are an error here: a score against a part of the truth would look like one against all of it. `sizeOf` is
 * asked for images without a size.
 */
export async function truthsOfRecords(
  records: AsyncIterable<DatasetRecord> | Iterable<DatasetRecord>,
  source: string,
  sizeOf: SizeOfImage,
): Promise<Truth[]> {
  const images = new Map<string, { width: number | undefined; height: number | undefined; file: string }>();
  const annotations = new Map<string, { category: string; segmentation: Segmentation }>();
  const ofImage = new Map<string, string[]>();
  const refs: RefRecord[] = [];
  const sentences = new Map<string, { id: string; text: string }[]>();
  for await (const record of records) {
    switch (record.type) {
      case "image":
        images.set(record.id, { width: record.width, height: record.height, file: record.file });
        break;
      case "annotation":
        annotations.set(record.id, record);
        listIn(ofImage, record.imageId).push(record.id);
        break;
      case "ref":
        refs.push(record);
        break;
      case "expression":
        listIn(sentences, record.refId).push({ id: record.id, text: record.sent });
        break;
      case "bad":
        fail("bad-input", record.message);
        break;
      case "note":
        break;
    }
  }
  const truths: Truth[] = [];
  for (const ref of refs) {
    const image =
      images.get(ref.imageId) ??
      fail("bad-input", `ref ${ref.id} of ${source} names image ${ref.imageId}, which the dataset lacks`);
    const { width, height } =
      image.width === undefined || image.height === undefined
        ? await sizeOf(image.file)
        : { width: image.width, height: image.height };
    const targets = ref.annotationIds.map(
      (id) =>
        annotations.get(id) ??
        fail("bad-input", `ref ${ref.id} of ${source} names annotation ${id}, which the dataset lacks`),
    );
    const others = (ofImage.get(ref.imageId) ?? []).filter((id) => !ref.annotationIds.includes(id));
    const shared = {
      source,
      refId: ref.id,
      imageKey: image.file,
      split: ref.split,
      height,
      width,
      segmentations: targets.map((target) => target.segmentation),
      noTarget: targets.length === 0,
      ...similarity(
        targets.map((target) => target.category),
        others.map((id) => annotations.get(id)?.category ?? ""),
      ),
    };
    const ofRef = sentences.get(ref.id) ?? [];
    ofRef.forEach(({ id, text }, i) => {
      truths.push({
        ...shared,
        key: expressionKey(source, ref.id, id),
        sentenceId: id,
        text,
        sentenceIndex: i,
        sentenceCount: ofRef.length,
      });
    });
  }
  return truths;
}

function similarity(targets: readonly string[], others: readonly string[]): Pick<Truth, "category" | "similarObjects"> {
  const categories = new Set(targets);
  return {
    category: categories.size === 1 ? targets[0] : undefined,
    similarObjects: targets.length === 0 ? undefined : others.filter((category) => categories.has(category)).length,
  };
}

function listIn<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
