/** The room `language`: what an expression says of places, order and counts, word by word. */
export { allowedCells, countIsOpen } from "./cells.ts";
export {
  type EditCondition,
  type EditKind,
  type EditSubject,
  editKinds,
  editsOf,
  plainColours,
  type SentenceEdit,
} from "./edits.ts";
export { type ExpressionFeatures, expressionFeatures } from "./features.ts";
export type {
  HorizontalPlace,
  Place,
  PositionAxis,
  PositionFinding,
  PositionMention,
  PositionScope,
  PositionValue,
  UnsafeReason,
  VerticalPlace,
} from "./finding.ts";
export { comparesWithOthers, findFurtherPlaces, type Side } from "./further-thing.ts";
export { areConfusable, areOfOneKind, spokenName } from "./kinds-of-things.ts";
export { type NamedSpan, NameFinder } from "./named-spans.ts";
export { countNamed } from "./named-things.ts";
export { type Language, languageOf, languageRemark } from "./other-languages.ts";
export { positionsOf } from "./positions.ts";
export { countWords, tokenizeWords, type Word } from "./words.ts";
