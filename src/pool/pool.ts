import { type FileHandle, open, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { IntLists } from "../codecs/index.ts";
import { pathBelow } from "../io/index.ts";
import type { Rle } from "../kernels/index.ts";
import {
  annotationKey,
  type Box,
  expressionKey,
  fail,
  isShortage,
  NemosaicError,
  quoteValue,
  type Segmentation,
} from "../model/index.ts";
import { readFileInto, type TakeMemory } from "./image-file.ts";
import { type PoolManifest, readManifest } from "./manifest.ts";
import { parseSegmentation, segmentationParts, unionOf } from "./segmentation-text.ts";
import { readColumns, readNullable, type TableColumns } from "./tables.ts";

type ImageColumns = TableColumns<"images">;
/** But the segmentations, which are parsed on demand, and areas and boxes (`readMeasures`). */
type AnnotationColumns = TableColumns<"annotations", "image" | "source" | "id" | "category" | "isCrowd">;
/** Annotation rows of ref r: annotations.values[offsets[r] .. offsets[r + 1]]. */
type RefColumns = TableColumns<"refs">;
type ExpressionColumns = TableColumns<"expressions">;

/**
 * A pool opened for reading: light columns in memory, segmentations as bytes until asked for, images by path or
 * offset. Close it when done.
 */
export class Pool {
  readonly folder: string;
  readonly manifest: PoolManifest;
  readonly images: ImageColumns;
  readonly annotations: AnnotationColumns;
  readonly refs: RefColumns;
  readonly expressions: ExpressionColumns;
  readonly #segmentations: readonly Uint8Array[];
  readonly #refStarts: Int32Array;
  #pack: Promise<FileHandle> | undefined;
  /** Where the folder really is: relative roots start there, also for who came by a link. */
  #place: Promise<string> | undefined;
  /** Real paths of image files that were read, by row. */
  readonly #files = new Map<number, string>();
  #keys: Map<string, number> | undefined;
  #hashes: Map<string, number> | undefined;
  #annotationKeys: Map<string, number> | undefined;
  #annotationsOfImage: IntLists | undefined;

  /** Opens the pool at `folder`. Errors: "not-found", "bad-input" (see `readManifest`). */
  static async open(folder: string): Promise<Pool> {
    const manifest = await readManifest(folder);
    const images = await readColumns(folder, "images", {});
    const light = ["image", "source", "id", "category", "isCrowd"] as const;
    const { segmentation, ...annotations } = await readColumns(folder, "annotations", { images: images.count }, [
      ...light,
      "segmentation",
    ]);
    const rows = { images: images.count, annotations: annotations.count };
    const refs = await readColumns(folder, "refs", rows);
    const expressions = await readColumns(folder, "expressions", { refs: refs.count });
    return new Pool({ folder, manifest, images, annotations, segmentation, refs, expressions });
  }

  private constructor(opened: {
    readonly folder: string;
    readonly manifest: PoolManifest;
    readonly images: ImageColumns;
    readonly annotations: AnnotationColumns;
    readonly segmentation: readonly Uint8Array[];
    readonly refs: RefColumns;
    readonly expressions: ExpressionColumns;
  }) {
    const { folder, manifest, images, annotations, segmentation, refs, expressions } = opened;
    this.folder = folder;
    this.manifest = manifest;
    this.images = images;
    this.annotations = annotations;
    this.refs = refs;
    this.expressions = expressions;
    this.#segmentations = segmentation;
    this.#refStarts = startsOf(expressions.ref, refs.count, join(folder, "expressions.parquet"));
  }

  /** The half-open range of expression rows of a ref. */
  expressionsOfRef(ref: number): readonly [start: number, end: number] {
    return [this.#refStarts[ref] ?? 0, this.#refStarts[ref + 1] ?? 0];
  }

  /** Annotation rows of a ref: its targets; empty for no-target. */
  targetsOfRef(ref: number): Int32Array {
    const { offsets, values } = this.refs.annotations;
    return values.subarray(offsets[ref], offsets[ref + 1]);
  }

  /** Rows of all annotations of an image, referred to or not. */
  annotationsOfImage(image: number): Int32Array {
    this.#annotationsOfImage ??= groupRows(this.annotations.image, this.images.count);
    const { offsets, values } = this.#annotationsOfImage;
    return values.subarray(offsets[image], offsets[image + 1]);
  }

  /** The stable key of an expression row: source/ref/sentence. */
  expressionKey(row: number): string {
    const ref = this.expressions.ref[row] ?? 0;
    return expressionKey(this.refs.source[ref] ?? "", this.refs.id[ref] ?? "", this.expressions.id[row] ?? "");
  }

  /** The stable key of an annotation row: source/annotation. */
  annotationKey(row: number): string {
    return annotationKey(this.annotations.source[row] ?? "", this.annotations.id[row] ?? "");
  }

  /** The expression row of a key. Errors: "not-found". */
  expressionRow(key: string): number {
    this.#keys ??= new Map(Array.from({ length: this.expressions.count }, (_, row) => [this.expressionKey(row), row]));
    return (
      this.#keys.get(key) ?? fail("not-found", `expected an expression of "${this.folder}", got ${quoteValue(key)}`)
    );
  }

  /** The image row of a content hash. Errors: "not-found". */
  imageRow(hash: string): number {
    this.#hashes ??= new Map(this.images.hash.map((value, row) => [value, row]));
    return (
      this.#hashes.get(hash) ??
      fail("not-found", `expected an image of "${this.folder}" by content hash, got ${quoteValue(hash)}`)
    );
  }

  /** The annotation row of a key. Errors: "not-found". */
  annotationRow(key: string): number {
    this.#annotationKeys ??= new Map(this.annotations.id.map((_, row) => [this.annotationKey(row), row]));
    return (
      this.#annotationKeys.get(key) ??
      fail("not-found", `expected an annotation of "${this.folder}", got ${quoteValue(key)}`)
    );
  }

  /** An annotation's region as its dataset gave it. */
  segmentation(row: number): Segmentation {
    const bytes = this.#segmentations[row] ?? fail("internal", `no annotation row ${row}`);
    return parseSegmentation(new TextDecoder().decode(bytes), `annotation ${this.annotationKey(row)}`);
  }

  /** An annotation's masks over its image, one a polygon part. Errors: "bad-input" for a damaged segmentation. */
  maskParts(row: number): Rle[] {
    const image = this.annotations.image[row] ?? 0;
    return segmentationParts(
      this.segmentation(row),
      this.images.height[image] ?? 0,
      this.images.width[image] ?? 0,
      `annotation ${this.annotationKey(row)}`,
    );
  }

  /** The union of annotations' masks over an image; empty for none. */
  mask(image: number, annotationRows: ArrayLike<number>): Rle {
    const parts = Array.from(annotationRows).flatMap((row) => this.maskParts(row));
    return unionOf(parts, this.images.height[image] ?? 0, this.images.width[image] ?? 0);
  }

  /** The file of packed images, whether there is one or not. */
  get packPath(): string {
    return join(this.folder, "images.pack");
  }

  /** A name of an image for people. */
  imageName(row: number): string {
    return this.images.path[row] ?? `image ${row}`;
  }

  /** The absolute path of an image file, inside its root; undefined for a packed image. Errors: "not-found", "refused". */
  async imagePath(row: number): Promise<string | undefined> {
    const root = this.images.root[row] ?? -1;
    if (root < 0) return undefined;
    const folder =
      this.manifest.roots[root] ??
      fail("bad-input", `image row ${row} names root ${root}, which "${this.folder}/pool.json" lacks`);
    this.#place ??= realpath(this.folder);
    const isLinked = this.manifest.linkedRoots?.includes(root) === true;
    return pathBelow(resolve(await this.#place, folder), this.imageName(row), isLinked).catch((error: unknown) => {
      if (!(error instanceof NemosaicError) || error.code !== "not-found") throw error;
      const remedy = `if the images are elsewhere now, run "nemosaic relocate" with --images`;
      return fail("not-found", `${error.message}; ${remedy}`, error);
    });
  }

  /**
   * An image's encoded bytes, in memory that `take` gives (by default new). Errors: "not-found" where its file is gone;
   * "bad-input" where the pack is cut short.
   */
  async imageBytes(row: number, take: TakeMemory = (length) => new Uint8Array(length)): Promise<Uint8Array> {
    if ((this.images.root[row] ?? -1) >= 0) return this.#fileBytes(row, take);
    const { packPath } = this;
    this.#pack ??= open(packPath, "r");
    const pack = await this.#pack.catch((error: unknown) => {
      if (isShortage(error)) throw error;
      return fail("not-found", `expected the images of "${this.folder}" in "${packPath}", found no such file`, error);
    });
    const [offset, length] = [Number(this.images.offset[row]), Number(this.images.bytes[row])];
    if (offset < 0 || length < 0 || offset + length > (await pack.stat()).size)
      fail("bad-input", `"${packPath}" ends before image ${quoteValue(this.imageName(row))}; import again`);
    const bytes = take(length);
    const { bytesRead } = await pack.read(bytes, 0, length, offset);
    if (bytesRead !== length)
      fail("bad-input", `"${packPath}" ends before image ${quoteValue(this.imageName(row))}; import again`);
    return bytes;
  }

  /** What a file's name leads to is looked up once, and again when nothing is there any more. */
  async #fileBytes(row: number, take: TakeMemory): Promise<Uint8Array> {
    const known = this.#files.get(row);
    if (known !== undefined) {
      try {
        return await readFileInto(known, take);
      } catch {
        this.#files.delete(row);
      }
    }
    const path = (await this.imagePath(row)) ?? "";
    const bytes = await readFileInto(path, take).catch((error: NodeJS.ErrnoException) =>
      fail(
        error.code === "EISDIR" ? "bad-input" : "io",
        `cannot read the image ${quoteValue(path)}: ${error.message}`,
        error,
      ),
    );
    this.#files.set(row, path);
    return bytes;
  }

  /** Closes the files behind the pool. A closed pool gives no packed images. */
  async close(): Promise<void> {
    const pack = this.#pack;
    this.#pack = undefined;
    await (await pack?.catch(() => undefined))?.close();
  }
}

/** Area and box of annotations as the dataset states them; NaN and null where it does not. */
export interface AnnotationMeasures {
  /** Pixels². */
  readonly area: Float64Array;
  box(row: number): Box | null;
}

/** Reads the columns that `Pool.open` leaves out. */
export async function readMeasures(pool: Pool): Promise<AnnotationMeasures> {
  const { area, x, y, boxWidth, boxHeight } = await readNullable(pool.folder, [
    "area",
    "x",
    "y",
    "boxWidth",
    "boxHeight",
  ]);
  return {
    area:
      area.valid === undefined ? area.values : area.values.map((v, row) => (area.valid?.[row] === 0 ? Number.NaN : v)),
    box: (row) =>
      x.valid?.[row] === 0
        ? null
        : [x.values[row] ?? 0, y.values[row] ?? 0, boxWidth.values[row] ?? 0, boxHeight.values[row] ?? 0],
  };
}

/** Start offsets of each ref's run of expressions, which must be consecutive and ascending. */
function startsOf(refOfExpression: Int32Array, refs: number, path: string): Int32Array {
  const starts = new Int32Array(refs + 1);
  let previous = -1;
  for (let row = 0; row < refOfExpression.length; row++) {
    const ref = refOfExpression[row]!;
    if (ref < previous)
      fail(
        "bad-input",
        `expected the sentences of a ref in consecutive rows of "${path}", got ref ${ref} after ${previous} in row ${row}`,
      );
    for (let at = previous + 1; at <= ref; at++) starts[at] = row;
    previous = ref;
  }
  for (let at = previous + 1; at <= refs; at++) starts[at] = refOfExpression.length;
  return starts;
}

function groupRows(groupOf: Int32Array, groups: number): IntLists {
  const offsets = new Int32Array(groups + 1);
  for (const group of groupOf) offsets[group + 1] = offsets[group + 1]! + 1;
  for (let at = 0; at < groups; at++) offsets[at + 1] = offsets[at + 1]! + offsets[at]!;
  const next = offsets.slice();
  const values = new Int32Array(groupOf.length);
  for (let row = 0; row < groupOf.length; row++) {
    const group = groupOf[row]!;
    const at = next[group]!;
    values[at] = row;
    next[group] = at + 1;
  }
  return { offsets, values };
}
