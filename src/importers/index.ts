/** The room `importers`: a dataset on disk → a stream of records. It does not know the pool. */
export type { BadReason, NoteReason } from "./findings.ts";
export type {
  Importer,
  ImportOptions,
  ImportSource,
  PublishedCounts,
  Recognition,
  SourceFile,
  SplitCounts,
} from "./importer.ts";
export { publishedCounts, splitWarnings } from "./published-counts.ts";
export { findImporter, importerNames, importers, type RecognisedImporter, recogniseImporter } from "./registry.ts";
