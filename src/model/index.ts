/** The room `model`: domain types that every room speaks of: records, plans, errors. */
export {
  type ErrorCode,
  exitStatus,
  fail,
  isInputError,
  isShortage,
  NemosaicError,
  nearest,
  quoteValue,
  someOf,
  unknownName,
} from "./errors.ts";
export {
  type FalseSentence,
  type Layer,
  type LayerWindow,
  type PixelRect,
  type Plan,
  type PlanKind,
  type PlanPolicy,
  type PlanReasons,
  type Resample,
  resampleVersions,
} from "./plan.ts";
export {
  type AnnotationRecord,
  annotationKey,
  type BadRecord,
  type Box,
  type DatasetRecord,
  type ExpressionRecord,
  expressionKey,
  type ImageRecord,
  type NoteRecord,
  type RefRecord,
  type Segmentation,
} from "./records.ts";
