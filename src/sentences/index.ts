/** The room `sentences`: sentences that are not true of an image. */
export { type CandidateSentences, candidateSentences, sentenceKey } from "./candidates.ts";
export { type EditedSentence, EditedSentences } from "./edited.ts";
export { FalsityReasons } from "./reasons.ts";
export { isWithin, type WordBag, wordBag } from "./word-bags.ts";
