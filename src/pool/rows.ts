import type { Box, Segmentation } from "../model/index.ts";

/** A pool's content in memory while it is written: plain rows that refer to each other by row number. */
export interface PoolRows {
  readonly images: ImageRow[];
  readonly annotations: AnnotationRow[];
  readonly refs: RefRow[];
  readonly expressions: ExpressionRow[];
}

export interface ImageRow {
  /** Index into the manifest's roots, or -1 where the bytes are in images.pack. */
  readonly root: number;
  /** Path relative to the root, or the dataset's name of a packed image. */
  readonly path: string;
  readonly width: number;
  readonly height: number;
  /** Size of the encoded image, bytes. */
  readonly bytes: number;
  /** Offset in images.pack, or -1. */
  readonly offset: number;
  /** SHA-256 of the encoded image, hex. */
  readonly hash: string;
}

export interface AnnotationRow {
  readonly image: number;
  readonly source: string;
  readonly id: string;
  readonly category: string;
  readonly segmentation: Segmentation | string;
  readonly area: number | null;
  readonly box: Box | null;
  readonly isCrowd: boolean;
}

export interface RefRow {
  readonly source: string;
  readonly id: string;
  readonly image: number;
  readonly annotations: readonly number[];
  readonly split: string;
}

export interface ExpressionRow {
  readonly ref: number;
  readonly id: string;
  readonly raw: string;
  readonly sent: string;
}
