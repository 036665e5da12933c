import { tokenizeWords } from "../language/index.ts";
import type { Pool } from "../pool/index.ts";

/** A sentence as a text that is equal for sentences that differ in case, punctuation and articles alone. */
export function sentenceKey(sentence: string): string {
  return tokenizeWords(sentence)
    .map(({ text }) => text)
    .filter((word) => !articles.has(word))
    .join(" ");
}

const articles = new Set(["a", "an", "the"]);

/** Sentences that may be mined for images: rows of expressions, ascending. */
export interface CandidateSentences {
  /** Of each sentence about a kind of thing the first row. */
  readonly rows: Int32Array;
  /** Sentences left out since they do not say what they are about. */
  readonly unnamed: number;
}

/**
 * The sentences of some splits that are true of something, each once, without those that do not say what they are about: "left
 * one" is true of about every picture.
 */
export function candidateSentences(
  pool: Pool,
  splits: readonly string[],
  namesKind: (expression: number) => boolean,
): CandidateSentences {
  const wanted = new Set(splits);
  const seen = new Set<string>();
  const rows: number[] = [];
  let unnamed = 0;
  for (let ref = 0; ref < pool.refs.count; ref++) {
    const targets = pool.targetsOfRef(ref);
    if (targets.length === 0 || !wanted.has(pool.refs.split[ref] ?? "")) continue;
    const kinds = [...new Set(Array.from(targets, (row) => pool.annotations.category[row] ?? ""))].sort();
    const [start, end] = pool.expressionsOfRef(ref);
    for (let row = start; row < end; row++) {
      const key = [sentenceKey(pool.expressions.sent[row] ?? ""), ...kinds].join("\n");
      if (seen.has(key)) continue;
      seen.add(key);
      if (namesKind(row)) rows.push(row);
      else unnamed++;
    }
  }
  return { rows: Int32Array.from(rows), unnamed };
}
