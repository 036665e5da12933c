import type { BandContext, CandidateRow } from "../band/index.ts";
import type { StyleFacts } from "../styles/index.ts";

/** What planning needs to know of a pool: random access by dense rows, no pixels. */
export interface PlanFacts extends StyleFacts {
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
  refOfExpression(expression: number): number;
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
