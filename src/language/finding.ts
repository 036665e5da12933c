/** The axis that a position word speaks of. `both` for middle, corner and edge; `order` for a count without a side. */
export type PositionAxis = "horizontal" | "vertical" | "both" | "depth" | "order";

/** The place on the axis. `ordinal` stands on the axis `order` only. */
export type PositionValue =
  | "left"
  | "right"
  | "top"
  | "bottom"
  | "center"
  | "corner"
  | "edge"
  | "front"
  | "back"
  | "ordinal";

/**
 * What the word refers to: a place in the picture (`absolute`), a side of a thing or person (`relative`), of a body
 * (`part`), or a direction that something faces or moves in (`orientation`). Only absolute mentions bind cells.
 */
export type PositionScope = "absolute" | "relative" | "part" | "orientation";

/** One position word in an expression. */
export interface PositionMention {
  readonly axis: PositionAxis;
  readonly value: PositionValue;
  /** UTF-16 offsets of the word in the expression, end exclusive. */
  readonly span: readonly [start: number, end: number];
  readonly scope: PositionScope;
  /** True where the expression says that the target is not there. */
  readonly negated: boolean;
  /** Mentions with equal numbers name one place together ("top left"). */
  readonly place: number;
  /** The count from this side, 1 for the first, -1 for the last, -2 for the second to last. */
  readonly ordinal?: number;
}

/** Where an expression puts its target horizontally; `conflict` where two mentions contradict each other. */
export type HorizontalPlace = "left" | "center" | "right" | "conflict";
/** Where an expression puts its target vertically; `conflict` where two mentions contradict each other. */
export type VerticalPlace = "top" | "center" | "bottom" | "conflict";

/** A place by axis; an axis that is not named is free. */
export interface Place {
  readonly horizontal?: HorizontalPlace;
  readonly vertical?: VerticalPlace;
}

/** Why no cell is known to keep an expression true. "unknown-language": it names a place in a language without rules. */
export type UnsafeReason = "conflict" | "unknown-side" | "unknown-count" | "unknown-language";

/** What `positionsOf` found in one expression. */
export interface PositionFinding extends Place {
  /** Every position word, in the order of the text. A word in another sense ("pink top") is none. */
  readonly mentions: readonly PositionMention[];
  /** The target is in a corner: in a free axis only the outermost cells are left. */
  readonly corner: boolean;
  /** Places that the expression denies. */
  readonly denied: readonly Place[];
  /** True where no cell of a grid with several rows and columns is known to keep the expression true. */
  readonly unsafe: boolean;
  /** Why it is unsafe; empty where it is not. */
  readonly reasons: readonly UnsafeReason[];
}
