/**
 * What the studio's server and page say to each other. Types only: the server imports them as types, the page owns
 * them. Binary answers are `pack`ed values (see unpack.ts).
 */
import type { BandContext, CandidateRow } from "../../band/index.ts";
import type { Plan } from "../../model/index.ts";
import type { ScoreSummary, Settings } from "../../settings/index.ts";

/** GET /api/info */
export interface StudioInfo {
  readonly version: string;
  /** Sent back with every writing request; changes with every start. */
  readonly token: string;
  readonly pool: {
    readonly name: string;
    readonly folder: string;
    readonly hash: string;
    readonly images: number;
    readonly annotations: number;
    readonly refs: number;
    readonly expressions: number;
    readonly sources: readonly { readonly name: string; readonly format: string }[];
  };
  /** Mined sets by name; the one that the settings named when the studio started, or the only one there is. */
  readonly mined: readonly string[];
  readonly settings: SettingsInfo;
  /** Why judgements cannot be written; absent where they can. */
  readonly readOnly?: string;
  /** How many false negatives people have marked in this pool. */
  readonly judged: number;
  readonly seed: number;
  /** Names of the evaluator's files given on the command line. */
  readonly evaluation?: string;
  readonly samples?: string;
}

export interface SettingsInfo {
  /** Where "save" writes. */
  readonly path: string;
  /** SHA-256 of the file as read, null where there was none or where it cannot be used. */
  readonly hash: string | null;
  /** All settings as the file has them, read for this answer; as the defaults are without a file. */
  readonly saved: Settings;
  /** The same with what the command line puts over them until something is saved. */
  readonly start: Settings;
  /** Why the file cannot be used: `saved` is then what was read of it before. */
  readonly fault?: string;
}

/** GET /api/mined?mined=NAME (packed) */
export interface MinedInfo {
  readonly name: string;
  readonly model: string;
  readonly kind: string;
  readonly rank: "t2i" | "i2i" | "mean";
  readonly depth: number;
  readonly candidates: number;
  readonly splits: readonly string[];
  /** What "auto" thresholds are resolved with. */
  readonly scores: ScoreSummary | undefined;
  /** How completely images are annotated, and why the estimate of risk counts or not; absent where it was not measured. */
  readonly coverage?: { readonly isComplete: boolean; readonly reason: string };
  /** Of random images: mean estimated chance to be true, and share that shows the kind without being true. */
  readonly random?: { readonly risk: number; readonly hard: number };
  /** True where candidates have an estimated risk, which `band.risk` needs. */
  readonly hasRisk: boolean;
  /** Text-to-image score of each expression with its own image. */
  readonly own: Float32Array;
}

/** GET /api/expressions (packed): columns of the list. */
export interface ListColumns {
  readonly splits: readonly string[];
  readonly sources: readonly string[];
  readonly categories: readonly string[];
  /** Sentences joined by line feeds, one an expression row. */
  readonly texts: Uint8Array;
  /** Of each expression. */
  readonly ref: Int32Array;
  /** Of each ref: image row, and indices into the names above. */
  readonly image: Int32Array;
  readonly split: Uint8Array;
  readonly source: Uint8Array;
  readonly category: Uint16Array;
  /** Targets: 0, 1 or more (capped at 255). */
  readonly targets: Uint8Array;
  /** Other objects of the target's category in its image, capped at 255; 255 where there is no target. */
  readonly similar: Uint8Array;
}

/** GET /api/keys (packed): the ids that keys are made of, joined by line feeds. */
export interface KeyColumns {
  readonly refIds: Uint8Array;
  readonly sentenceIds: Uint8Array;
}

/** GET /api/expression/ROW */
export interface ExpressionDetail {
  readonly row: number;
  readonly key: string;
  readonly raw: string;
  readonly sent: string;
  readonly split: string;
  readonly source: string;
  readonly image: ImageFacts;
  /** The other sentences of the same ref. */
  readonly siblings: readonly { readonly row: number; readonly sent: string }[];
  readonly targets: readonly { readonly category: string; readonly areaShare: number }[];
  /** COCO run lengths of the truth over the image. */
  readonly mask: string;
}

export interface ImageFacts {
  readonly row: number;
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

/** GET /api/image/ROW: what is known of a candidate. */
export interface ImageDetail extends ImageFacts {
  readonly expressions: readonly { readonly row: number; readonly sent: string }[];
  readonly expressionCount: number;
  readonly categories: readonly { readonly name: string; readonly count: number }[];
}

/** GET /api/candidates/ROW?mined=NAME (packed): what a band is made of. */
export interface CandidateAnswer {
  readonly expression: number;
  readonly row: CandidateRow;
  readonly context: BandContext;
}

/** GET /api/sample?mined=NAME (packed): candidates of expressions of the training split, in random order. */
export interface SampleAnswer {
  readonly split: string;
  /** Expressions of that split. */
  readonly total: number;
  readonly answers: readonly CandidateAnswer[];
}

/** GET /api/chances?mined=NAME&start=N (packed): of the sample's expressions from the N-th on, as many as come at once. */
export interface ChancesAnswer {
  /** For each of them the estimated chance that a candidate is a false negative, by rank; NaN without a target. */
  readonly chances: readonly Float32Array[];
}

/** GET /api/mosaic/ROW?draw=N&settings=JSON (packed) */
export interface MosaicAnswer {
  readonly plan: Plan;
  /** Image rows of the layers, in their order. */
  readonly images: readonly number[];
  readonly mask: string;
  readonly jpeg: Uint8Array;
}

/** POST /api/judgement */
export interface JudgementRequest {
  readonly expression: number;
  readonly image: number;
  readonly verdict: "false-negative" | "negative";
}

/** POST /api/settings */
export interface SaveRequest {
  readonly tree: unknown;
  /** The hash that the page knows; another one in the file is a conflict, unless `overwrite`. */
  readonly hash: string | null;
  readonly overwrite: boolean;
}

export interface SaveAnswer {
  readonly path: string;
  readonly hash: string;
  /** What was written. */
  readonly text: string;
}

/** Every answer that is not 2xx. */
export interface ErrorAnswer {
  readonly error: string;
  readonly code: string;
}
