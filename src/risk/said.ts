import type { RiskFacts } from "./facts.ts";
import type { WordStatistics } from "./word-statistics.ts";

/** What sentences about each object alone say: what is said of several says nothing of one. */
export interface SaidOfObjects {
  /** Per object: how many sentences are about it. */
  readonly sentences: Int32Array;
  /** Their words, each once: words[starts[object] .. starts[object + 1]]. */
  readonly starts: Int32Array;
  readonly words: Int32Array;
}

export function sentencesOfObjects(facts: RiskFacts, statistics: WordStatistics): SaidOfObjects {
  const { category, targets, targetStarts, expressionStarts } = facts;
  const sentences = new Int32Array(category.length);
  const words = new Map<number, Set<number>>();
  for (let ref = 0; ref + 1 < expressionStarts.length; ref++) {
    const first = targetStarts[ref]!;
    if (targetStarts[ref + 1]! - first !== 1) continue;
    const object = targets[first]!;
    sentences[object] = sentences[object]! + expressionStarts[ref + 1]! - expressionStarts[ref]!;
    const known = words.get(object) ?? new Set();
    for (const word of statistics.countWords(ref).keys()) known.add(word);
    words.set(object, known);
  }
  const starts = new Int32Array(category.length + 1);
  for (let row = 0; row < category.length; row++) starts[row + 1] = starts[row]! + (words.get(row)?.size ?? 0);
  const all = new Int32Array(starts[category.length]!);
  for (const [row, set] of words) all.set([...set], starts[row]!);
  return { sentences, starts, words: all };
}
