import { decodeCocoRle, decodeImage, encodeJpeg, encodePng, imageSize } from "../codecs/index.ts";
import type { Loader } from "../loader/index.ts";
import { fail, NemosaicError, type Plan } from "../model/index.ts";
import { firstDrawnId, type Pool } from "../pool/index.ts";
import { noCategory } from "./category-numbers.ts";
import type { Category, EncodedImage, ExportSample, ExportSentence, ExportTarget, Polygons } from "./exporter.ts";
import type { Identity } from "./identity.ts";
import type { ExportJob, ImageEncoding } from "./job.ts";
import type { RecordKind } from "./sequence.ts";

/** A sample ready to encode, or why there is none; `remark` also tells of a sample that took another's place. */
export interface MadeSample {
  readonly sample: ExportSample | undefined;
  readonly remark: string | undefined;
}

export interface SamplePlace {
  readonly number: number;
  readonly inSplit: number;
  readonly split: string;
}

/** Draws or reads one record. Errors: as the loader's, where settings.onBadImage is "fail". */
export async function makeSample(
  loader: Loader,
  record: RecordKind,
  place: SamplePlace,
  job: ExportJob,
  identity: Identity,
): Promise<MadeSample> {
  return record.kind === "drawn"
    ? drawnSample(loader, record, place, job, identity)
    : originalSample(loader, record, place, job, identity);
}

async function drawnSample(
  loader: Loader,
  record: RecordKind & { kind: "drawn" },
  place: SamplePlace,
  job: ExportJob,
  identity: Identity,
): Promise<MadeSample> {
  const { pool } = loader;
  const batch = await loader.get(record.epoch, [record.index]);
  const plan = batch.plans[0] ?? fail("internal", "a batch of one without a plan");
  const [replaced] = batch.replaced;
  const expression = pool.expressionRow(plan.expression);
  const own = pool.expressions.sent[expression];
  // What a plan joins or changes has no raw form but its own text.
  const raw = plan.text === own ? (pool.expressions.raw[expression] ?? plan.text) : plan.text;
  const targets = drawnTargets(loader, plan, batch.mask, identity);
  const id = firstDrawnId + place.number;
  const image = await encodePixels({ width: batch.size, height: batch.size, data: batch.image }, job.image);
  const sample: ExportSample = {
    ...place,
    plan,
    image,
    mask: batch.mask,
    imageId: id,
    refId: id,
    sentences: [{ id: firstDrawnId + place.number * job.sentenceStride, key: plan.expression, raw, sent: plan.text }],
    category: targets[0]?.category ?? noCategory,
    refKey: refKeyOf(plan.expression),
    targets,
    polygons: undefined,
  };
  const remark =
    replaced === undefined
      ? undefined
      : `epoch ${record.epoch}, sample ${replaced.index} replaced by ${replaced.by}: ${replaced.reason}`;
  return { sample, remark };
}

async function originalSample(
  loader: Loader,
  record: RecordKind & { kind: "original" },
  place: SamplePlace,
  job: ExportJob,
  identity: Identity,
): Promise<MadeSample> {
  const { pool } = loader;
  const row = pool.refs.image[record.ref] ?? 0;
  let image: EncodedImage;
  try {
    image = await originalImage(pool, row, job.image);
  } catch (error) {
    const unreadable =
      error instanceof NemosaicError && ["bad-input", "not-found", "refused", "unsupported"].includes(error.code);
    if (!unreadable || loader.settings.onBadImage === "fail") throw error;
    return { sample: undefined, remark: `record ${place.number} left out: ${error.message}` };
  }
  const rows = Array.from(pool.targetsOfRef(record.ref));
  const mask = decodeCocoRle(pool.mask(row, rows));
  const targets = rows.flatMap((target): ExportTarget[] => {
    const own = rows.length === 1 ? mask : decodeCocoRle(pool.mask(row, [target]));
    const annotation = pool.annotationKey(target);
    const category = categoryOf(pool, target, identity);
    return own.includes(1) ? [{ annotation, category, mask: own, polygons: ownPolygons(pool, [target], own) }] : [];
  });
  const kept = loader.augmented ? undefined : identity.refId(record.ref);
  const sample: ExportSample = {
    ...place,
    plan: undefined,
    image,
    mask,
    imageId: identity.imageId(row),
    refId: kept ?? firstDrawnId + place.number,
    sentences: sentencesOf(
      pool,
      record.expressions,
      (at) => (loader.augmented ? undefined : identity.sentenceId(at)),
      place.number,
      job,
    ),
    category: targets[0]?.category ?? noCategory,
    refKey: refKeyOf(pool.expressionKey(pool.expressionsOfRef(record.ref)[0])),
    targets,
    polygons: ownPolygons(pool, rows, mask),
  };
  return { sample, remark: undefined };
}

/** A plan's targets, but for those that nothing is to be seen of: too small for their cell, or behind other images. */
function drawnTargets(loader: Loader, plan: Plan, mask: Uint8Array, identity: Identity): ExportTarget[] {
  const { pool } = loader;
  const keys = new Set(plan.layers.flatMap(({ masks }) => masks));
  const parts = keys.size === 1 ? [...keys].map((annotation) => ({ annotation, mask })) : loader.targetMasks(plan);
  // Pixels that a scaled canvas puts between targets go to the first.
  const [first, ...others] = parts;
  if (first !== undefined && others.length > 0)
    for (let at = mask.indexOf(1); at >= 0; at = mask.indexOf(1, at + 1))
      if (!parts.some((part) => part.mask[at] === 1)) first.mask[at] = 1;
  const seen = parts.filter((part) => part.mask.includes(1));
  return seen.map((part) => ({
    ...part,
    category: categoryOf(pool, pool.annotationRow(part.annotation), identity),
    polygons: undefined,
  }));
}

function categoryOf(pool: Pool, target: number, identity: Identity): Category {
  const name = pool.annotations.category[target] ?? "";
  return identity.categories.get(name) ?? fail("internal", `no number for category "${name}"`);
}

/** source/ref of a sentence's key source/ref/sentence. */
function refKeyOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/"));
}

function sentencesOf(
  pool: Pool,
  rows: readonly number[],
  ownId: (row: number) => number | undefined,
  number: number,
  job: ExportJob,
): ExportSentence[] {
  return rows.map((row, at) => ({
    id: ownId(row) ?? firstDrawnId + number * job.sentenceStride + at,
    key: pool.expressionKey(row),
    raw: pool.expressions.raw[row] ?? "",
    sent: pool.expressions.sent[row] ?? "",
  }));
}

/** Encodes drawn pixels (uint8 RGB) as the job says. */
export async function encodePixels(
  pixels: { width: number; height: number; data: Uint8Array },
  encoding: ImageEncoding,
): Promise<EncodedImage> {
  const { width, height } = pixels;
  const image = { ...pixels, channels: 3 } as const;
  if (encoding.kind === "png") return { bytes: await encodePng(image), extension: "png", width, height };
  return {
    bytes: await encodeJpeg(image, encoding.quality, { chroma: encoding.chroma }),
    extension: "jpg",
    width,
    height,
  };
}

const extensions: Readonly<Record<string, string>> = { jpeg: "jpg", png: "png", webp: "webp" };

/**
 * An image's own bytes, where every reader shows the same pixels for them. Formats that OpenCV does not read, and
 * images with an EXIF orientation (OpenCV turns them, Pillow does not, and masks lie on the pixels as stored), are
 * encoded anew.
 */
async function originalImage(pool: Pool, row: number, encoding: ImageEncoding): Promise<EncodedImage> {
  const where = pool.imageName(row);
  const bytes = await pool.imageBytes(row);
  const { width, height, format, orientation } = await imageSize(bytes, { where });
  if (width !== pool.images.width[row] || height !== pool.images.height[row]) {
    fail(
      "bad-input",
      `expected ${pool.images.width[row]}×${pool.images.height[row]} pixels in ${where} as when it was imported, got ${width}×${height}; import again`,
    );
  }
  const extension = extensions[format];
  if (extension !== undefined && orientation === 1) return { bytes, extension, width, height };
  return encodePixels(await decodeImage(bytes, { where }), encoding);
}

/** The targets' polygons, where all have them, none is taken for something else, and no two share a pixel. */
function ownPolygons(pool: Pool, targets: readonly number[], mask: Uint8Array): Polygons | undefined {
  const polygons: (readonly number[])[] = [];
  let area = 0;
  for (const target of targets) {
    const segmentation = pool.segmentation(target);
    if (segmentation.kind !== "polygons") return undefined;
    polygons.push(...segmentation.parts);
    for (const { counts } of pool.maskParts(target))
      for (let at = 1; at < counts.length; at += 2) area += counts[at] ?? 0;
  }
  // Four numbers are a box to pycocotools, and it looks at the first polygon only.
  if (polygons.length === 0 || polygons.some((part) => part.length < 6 || part.length % 2 !== 0)) return undefined;
  return area === mask.reduce((sum, value) => sum + value, 0) ? polygons : undefined;
}
