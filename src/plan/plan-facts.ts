import type { BandContext, CandidateRow } from "../band/index.ts";
import type { Rle } from "../kernels/index.ts";

/** What planning needs to know of a pool: random access by dense rows, no pixels. */
export interface PlanFacts {
  /** The pool's hash, and the hash of all else that plans depend on: settings, mined candidates, judgements. */
  readonly pool: string;
  readonly settings: string;
  /** The samples of an epoch: rows of refs (unit "ref") or of expressions, of one split. */
  readonly units: Int32Array;
  readonly unit: "ref" | "expression";
  /** Rows of the refs of that split. */
  readonly refs: Int32Array;
  /** Image rows that negatives may come from. */
  readonly candidateImages: Int32Array;
  /** The half-open range of expression rows of a ref. */
  expressionsOfRef(ref: number): readonly [start: number, end: number];
  refOfExpression(expression: number): number;
  /** Refs of the split that are about an image. */
  refsOfImage(image: number): ArrayLike<number>;
  expression(row: number): { readonly key: string; readonly text: string };
  ref(row: number): { readonly image: number; readonly masks: readonly string[] };
  image(row: number): { readonly key: string; readonly width: number; readonly height: number };
  /** The union of a ref's targets over its image; undefined where it has none. */
  targetMask(ref: number): Rle | undefined;
  /** The mined candidates of an expression; undefined where the pool has none. */
  candidates(expression: number): CandidateRow | undefined;
  /** What the rules of the band need to know of an expression. */
  bandContext(expression: number): BandContext;
  /** Image rows that a person judged to be false negatives of an expression. */
  judged(expression: number): ReadonlySet<number> | undefined;
  /** The images most like an image; undefined where mining has not kept them. */
  neighbours(image: number): Neighbours | undefined;
  /** An image's unit vector, for draws that mind diversity. Errors: "incomplete" where the pool has no embeddings. */
  imageVector(image: number): Float32Array;
}

/** The images most like one image, best first. */
export interface Neighbours {
  readonly ids: Int32Array;
  /** Image-to-image cosine scores. */
  readonly scores: Float32Array;
  /** True where further images, none above the last score, were cut off. */
  readonly truncated: boolean;
}
