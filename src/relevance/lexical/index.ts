export { type LexicalVectors, lexicalHash, lexicalManifest, readLexical, writeLexical } from "./lexical-files.ts";
export { buildLexicalIndex, type ImageWords, type LexicalIndex, lexicalQueries } from "./lexical-index.ts";
export { type LexicalBlock, lexicalScorer } from "./lexical-scorer.ts";
export { type SparseRows, scoreBlock, sparseRows, transpose } from "./sparse-rows.ts";
export { contentWords } from "./words.ts";
