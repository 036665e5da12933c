/** [left, top, width, height] in pixels of the original image; may be fractional. COCO's convention. */
export type Box = readonly [x: number, y: number, width: number, height: number];

/**
 * An object's region as its dataset gave it, never re-encoded:
 * polygons in parts (each a flat list x0, y0, x1, y1, … in pixels), COCO's compressed run lengths over a
 * `size` = [height, width] raster, or nothing (a box-only annotation).
 */
export type Segmentation =
  | { readonly kind: "polygons"; readonly parts: readonly (readonly number[])[] }
  | { readonly kind: "rle"; readonly size: readonly [height: number, width: number]; readonly counts: string }
  | { readonly kind: "none" };

/** One image of a dataset on disk. `id` is the dataset's own; `file` is relative to the images folder, with "/". */
export interface ImageRecord {
  readonly type: "image";
  readonly id: string;
  readonly file: string;
  /** Pixels; undefined where the dataset does not say and the file's header has to. */
  readonly width?: number;
  readonly height?: number;
  /** The encoded image, where the dataset holds it inside a container and there is no file to read. */
  readonly bytes?: Uint8Array;
}

/** One annotated object, referred to by an expression or not. Comes after its image. */
export interface AnnotationRecord {
  readonly type: "annotation";
  readonly id: string;
  readonly imageId: string;
  readonly category: string;
  readonly segmentation: Segmentation;
  /** Pixels², as the dataset states it; undefined where it does not. */
  readonly area?: number;
  readonly box?: Box;
  readonly isCrowd: boolean;
}

/** What an expression group refers to. Several annotations: multi-target (mask = union); none: no-target. */
export interface RefRecord {
  readonly type: "ref";
  readonly id: string;
  readonly imageId: string;
  readonly annotationIds: readonly string[];
  readonly split: string;
}

/** One sentence of a ref. `raw` as written by the annotator, `sent` as cleaned by the dataset. Comes after its ref. */
export interface ExpressionRecord {
  readonly type: "expression";
  readonly id: string;
  readonly refId: string;
  readonly raw: string;
  readonly sent: string;
}

/**
 * A record that could not be understood. The importer goes on; the pool's writer fails or skips by its policy and
 * counts by `reason` (a short fixed phrase). `where` names file and position, `message` is the full line for a person.
 */
export interface BadRecord {
  readonly type: "bad";
  readonly reason: string;
  readonly where: string;
  readonly message: string;
}

/** Something an importer leaves out on purpose, as the field does (an iscrowd annotation of a gRefCOCO target, say). */
export interface NoteRecord {
  readonly type: "note";
  readonly reason: string;
  readonly where: string;
}

/** One record of a dataset, as an importer streams them: images first, then what refers to them. */
export type DatasetRecord = ImageRecord | AnnotationRecord | RefRecord | ExpressionRecord | BadRecord | NoteRecord;

/** The stable name of an expression outside a pool: `source/ref/sentence`. Parts never contain "/" (escaped as %2F). */
export function expressionKey(source: string, refId: string, sentenceId: string): string {
  return `${escapePart(source)}/${escapePart(refId)}/${escapePart(sentenceId)}`;
}

/** The stable name of an annotation outside a pool: `source/annotation`. */
export function annotationKey(source: string, annotationId: string): string {
  return `${escapePart(source)}/${escapePart(annotationId)}`;
}

function escapePart(part: string): string {
  return part.includes("/") || part.includes("%") ? part.replaceAll("%", "%25").replaceAll("/", "%2F") : part;
}
