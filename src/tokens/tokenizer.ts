/**
 * Text to the ids a text tower or a referring model reads. One instance is stateless for its caller (it may cache) and
 * may be shared.
 */
export interface Tokenizer {
  /** The registry's name, or the kind of a loaded tokenizer.json ("BPE", "WordPiece", "Unigram"). */
  readonly name: string;
  /** What is done to a text before its tokens beside what tokenizer.json holds; undefined: nothing. */
  readonly cleaning?: string | undefined;
  /** Length that the tokenizer's model was trained with, in tokens with start and end. */
  readonly contextLength: number;
  /** Token put first, or undefined where the model has none (SigLIP). */
  readonly startId: number | undefined;
  /** Token put last; it survives truncation. Undefined where the model has none. */
  readonly endId: number | undefined;
  readonly padId: number;
  /** Ids of the text alone, without start, end and padding. */
  ids(text: string): number[];
  /** Start, ids, end, padding: `length` ids (default `contextLength`). Too long a text is cut before its end token. */
  encode(text: string, length?: number): Int32Array;
  /** Row-major [n, length] ids, and a mask that is 1 for each token and 0 for padding. */
  encodeBatch(texts: readonly string[], length?: number): TokenBatch;
}

export interface TokenBatch {
  /** [count, length], row-major. */
  readonly ids: Int32Array;
  /** [count, length], 1 = token, 0 = padding. */
  readonly mask: Uint8Array;
  readonly count: number;
  readonly length: number;
}

/** What a tokenizer's own code has to bring; `makeTokenizer` adds framing and batches. */
export interface TokenizerCore {
  readonly name: string;
  readonly cleaning?: string | undefined;
  readonly contextLength: number;
  readonly startId: number | undefined;
  readonly endId: number | undefined;
  readonly padId: number;
  ids(text: string): number[];
}

/** A `Tokenizer` around a way to get bare ids. Lengths below the number of special tokens throw `RangeError`. */
export function makeTokenizer(core: TokenizerCore): Tokenizer {
  const specials = Number(core.startId !== undefined) + Number(core.endId !== undefined);

  const fill = (text: string, out: Int32Array): number => {
    const ids = core.ids(text);
    const kept = Math.min(ids.length, out.length - specials);
    let at = 0;
    if (core.startId !== undefined) out[at++] = core.startId;
    for (let i = 0; i < kept; i++) out[at++] = ids[i] ?? 0;
    if (core.endId !== undefined) out[at++] = core.endId;
    out.fill(core.padId, at);
    return at;
  };

  const checked = (length: number): number => {
    if (!Number.isInteger(length) || length <= specials) {
      throw new RangeError(`expected a whole token length above ${specials}, got ${length}`);
    }
    return length;
  };

  return {
    ...core,
    ids: (text) => core.ids(text),
    encode(text, length = core.contextLength) {
      const out = new Int32Array(checked(length));
      fill(text, out);
      return out;
    },
    encodeBatch(texts, length = core.contextLength) {
      const ids = new Int32Array(texts.length * checked(length));
      const mask = new Uint8Array(ids.length);
      texts.forEach((text, row) => {
        const used = fill(text, ids.subarray(row * length, (row + 1) * length));
        mask.fill(1, row * length, row * length + used);
      });
      return { ids, mask, count: texts.length, length };
    },
  };
}
