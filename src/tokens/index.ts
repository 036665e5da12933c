/** The room `tokens`: texts to token ids, by CLIP's and BERT's vocabularies or a model's own files. */
export { bertTokenizer } from "./bert.ts";
export { cleanText } from "./clean-text.ts";
export { clipTokenizer } from "./clip.ts";
export { loadTokenizer, parseTokenizer, type TokenizerFiles } from "./load.ts";
export { openTokenizer, tokenizerNames } from "./registry.ts";
export type { TokenBatch, Tokenizer } from "./tokenizer.ts";
