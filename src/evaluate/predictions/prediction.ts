import type { Rle } from "../../kernels/index.ts";

/** A predicted mask as it came, row-major; not yet cut at a threshold. */
export type RawMask =
  | { readonly kind: "rle"; readonly mask: Rle }
  /** Whole numbers of 0 … `max`: a mask (0 and 1, 0 and max) or a probability map (level / max). */
  | {
      readonly kind: "levels";
      readonly height: number;
      readonly width: number;
      readonly levels: Uint8Array | Uint16Array;
      readonly max: number;
    }
  /** 0 … 1. */
  | {
      readonly kind: "probabilities";
      readonly height: number;
      readonly width: number;
      readonly values: Float32Array | Float64Array;
      /** The values were stored as float16. */
      readonly precision?: "half";
    }
  /** No mask: the model only said that there is no target. */
  | { readonly kind: "none" };

export interface RawPrediction {
  readonly mask: RawMask;
  /** The model's own decision that there is no target; undefined where it has none. */
  readonly noTarget: boolean | undefined;
}

/** What names a prediction: an expression's key, or the dataset's id of a sentence or a ref ("any": not said which). */
export interface NamedId {
  readonly by: "key" | "sentence" | "ref" | "any";
  readonly id: string;
  /** Narrows an id to one source of a pool. */
  readonly source: string | undefined;
}

/** One prediction of a source, not read yet. */
export interface PredictionEntry {
  /** As a person finds it: a file's name, or a file and line. */
  readonly name: string;
  readonly id: NamedId;
  read(): Promise<RawPrediction>;
  /** A hash of the content: two samples repeated by a sampler have one; called only for ids that come twice. */
  fingerprint(): Promise<string>;
}

/** Predictions on disk. Holds files open until `close`. */
export interface PredictionSource {
  readonly path: string;
  readonly form: "folder" | "coco-rle" | "npy";
  readonly entries: readonly PredictionEntry[];
  /** Files of a folder that were not read, since nothing here reads their kind. */
  readonly ignored: readonly string[];
  close(): Promise<void>;
}
