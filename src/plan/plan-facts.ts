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
  /** Sentences that are false of images; undefined where the settings draw none. */
  readonly sentences?: SentenceFacts;
  /** An image's unit vector, for draws that mind diversity. Errors: "incomplete" where the pool has no embeddings. */
  imageVector(image: number): Float32Array;
}

/** What is known of sentences that are true of nothing in an image. */
export interface SentenceFacts {
  /**
   * The sentences mined for an expression's image, as candidates of the band: `ids` are rows of expressions. Undefined where
   * mining has none for it.
   */
  mined(expression: number): { readonly row: CandidateRow; readonly context: BandContext } | undefined;
  /** Every change of an expression's sentence that is true of nothing in its image. */
  edited(expression: number): readonly EditedSentence[];
  /** The category that a mined sentence is about. */
  categoryOf(expression: number): string;
  /** True where an image shows an object of a category, or one that may be taken for it. */
  shows(image: number, category: string): boolean;
}

/** A sentence with one thing changed. */
export interface EditedSentence {
  readonly text: string;
  /** What was changed: "colour", "noun", … */
  readonly kind: string;
  /** The words that were replaced, and those in their place. */
  readonly from: string;
  readonly to: string;
  /** The category that the changed sentence is about. */
  readonly category: string;
}

/** The images most like one image, best first. */
export interface Neighbours {
  readonly ids: Int32Array;
  /** Image-to-image cosine scores. */
  readonly scores: Float32Array;
  /** True where further images, none above the last score, were cut off. */
  readonly truncated: boolean;
}
