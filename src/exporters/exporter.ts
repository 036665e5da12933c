import type { Plan } from "../model/index.ts";
import type { EncodedSample } from "./encoded-sample.ts";
import type { ExportJob } from "./job.ts";
import type { ExportOutput } from "./output.ts";
import type { PartReader } from "./parts.ts";

/** One sentence with its id in the export. */
export interface ExportSentence {
  readonly id: number;
  readonly key: string;
  readonly raw: string;
  readonly sent: string;
}

/** One record of an export, whatever the format: an encoded image, its mask and the sentences that are true of it. */
export interface ExportSample {
  /** Place among the records of all splits, and within its own split, from 0. */
  readonly number: number;
  readonly inSplit: number;
  readonly split: string;
  /** The plan that was drawn; undefined for an original image. */
  readonly plan: Plan | undefined;
  readonly image: EncodedImage;
  /** uint8 [height, width], 0 or 1; the image's size. */
  readonly mask: Uint8Array;
  /** Unique in the export. Equal for records that share one original image. */
  readonly imageId: number;
  /** Unique in the export; an evaluation split keeps its dataset's own where it can. */
  readonly refId: number;
  readonly sentences: readonly ExportSentence[];
  /** The first target's. */
  readonly category: Category;
  /** source/ref in the pool. */
  readonly refKey: string;
  /**
   * Those of which something is to be seen, in the plan's or the ref's order; none = the expressions are true of nothing
   * here. The union of their masks is `mask`.
   */
  readonly targets: readonly ExportTarget[];
  /** The targets' polygons together, where those are exactly `mask` for every reader; originals only. */
  readonly polygons: Polygons | undefined;
}

/** One annotation that the sentences of a sample mean. */
export interface ExportTarget {
  /** Its key in the pool. */
  readonly annotation: string;
  readonly category: Category;
  /** uint8 [height, width], 0 or 1: what is to be seen of it, never nothing. */
  readonly mask: Uint8Array;
  /** As its dataset gave them, where they are exactly `mask` for every reader; originals only. */
  readonly polygons: Polygons | undefined;
}

/** Flat lists x0, y0, x1, y1, … of which no two share a pixel. */
export type Polygons = readonly (readonly number[])[];

export interface EncodedImage {
  readonly bytes: Uint8Array;
  /** Without a dot: jpg, png, webp. */
  readonly extension: string;
  readonly width: number;
  readonly height: number;
}

export interface Category {
  readonly name: string;
  /** COCO's id, 1 to 90; beyond 90 for other names; -1 where there is no target. */
  readonly id: number;
  /** CRIS's number, 0 to 79; 80 and more for other names; -1 where there is no target. */
  readonly dense: number;
}

/** A sample that a format cannot hold, and why: "its mask is empty, which …". It is counted and told of. */
export interface LeftOut {
  readonly leftOut: string;
}

/**
 * One export format. `encode` looks at a single sample and may run in any order, in several processes; `assemble` puts
 * finished parts together and sees no pool. Both are pure functions of job and samples, so that equal jobs give equal bytes.
 */
export interface Exporter {
  readonly name: string;
  /** One line for a person. */
  readonly title: string;
  encode(sample: ExportSample, job: ExportJob): Promise<EncodedSample | LeftOut>;
  assemble(job: ExportJob, parts: PartReader, output: ExportOutput): Promise<void>;
}
