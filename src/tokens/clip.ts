import { readTextAsset } from "./assets.ts";
import { cleanText } from "./clean-text.ts";
import { makeTokenizer, type Tokenizer } from "./tokenizer.ts";

/**
 * CLIP's tokenizer (Radford et al. 2021, byte-pair encoding of Sennrich et al. 2016): vocabulary of 49,408, context 77,
 * text cleaned as open_clip does, padded with 0. The instance is made once and shared; it caches words.
 *
 * @huggingface/tokenizers, which reads models' own files (load.ts), gives the same ids for every golden row, but opens 3.7 times
 * and encodes 6 times as slowly; of BERT's word pieces 8 times and 1.2 to 1.6 times.
 */
export function clipTokenizer(): Tokenizer {
  clip ??= makeClipTokenizer();
  return clip;
}

let clip: Tokenizer | undefined;

const startId = 49406;
const endId = 49407;
/** Words repeat a lot in referring expressions; the bound keeps a stream of junk from growing the cache. */
const cachedWords = 65536;

function makeClipTokenizer(): Tokenizer {
  const byteSymbols = symbolsOfBytes();
  const { ids: idOf, ranks } = readMerges(byteSymbols);
  const cache = new Map<string, readonly number[]>([
    ["<start_of_text>", [startId]],
    ["<end_of_text>", [endId]],
  ]);

  const idsOfWord = (word: string): readonly number[] => {
    const known = cache.get(word);
    if (known !== undefined) return known;
    const symbols = Array.from(utf8.encode(word), (byte) => byteSymbols[byte] ?? "");
    symbols.push(`${symbols.pop() ?? ""}</w>`);
    const ids = mergePairs(symbols, ranks).map((symbol) => idOf.get(symbol) ?? 0);
    if (cache.size < cachedWords) cache.set(word, ids);
    return ids;
  };

  return makeTokenizer({
    name: "clip",
    contextLength: 77,
    startId,
    endId,
    padId: 0,
    ids: (text) => (cleanText(text).match(wordPattern) ?? []).flatMap((word) => idsOfWord(word)),
  });
}

const utf8 = new TextEncoder();

/** Contractions, runs of letters, single digits, runs of anything else that is not white space. */
const wordPattern =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject here
  /<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\p{L}\p{N}]+/giu;

/** GPT-2's table: each byte gets a printable character, those that have none from U+0100 on. */
function symbolsOfBytes(): string[] {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
}

interface Merges {
  readonly ids: ReadonlyMap<string, number>;
  /** "left right" → rank; lower merges first. */
  readonly ranks: ReadonlyMap<string, number>;
}

/** The order of ids is the vocabulary's: printable bytes, the other bytes, all again as word ends, then the merges. */
function readMerges(byteSymbols: readonly string[]): Merges {
  const bytes = [...byteSymbols].sort((a, b) => a.charCodeAt(0) - b.charCodeAt(0));
  const vocabulary = [...bytes, ...bytes.map((symbol) => `${symbol}</w>`)];
  const ranks = new Map<string, number>();
  for (const line of readTextAsset("clip-merges.txt.gz").trimEnd().split("\n")) {
    ranks.set(line, ranks.size);
    vocabulary.push(line.replace(" ", ""));
  }
  return { ids: new Map(vocabulary.map((symbol, id) => [symbol, id])), ranks };
}

/** Merges the pair of lowest rank, everywhere it stands, until no pair has a rank. */
function mergePairs(symbols: string[], ranks: ReadonlyMap<string, number>): string[] {
  let word = symbols;
  for (;;) {
    let best = Number.POSITIVE_INFINITY;
    let left = "";
    let right = "";
    for (let i = 0; i + 1 < word.length; i++) {
      const rank = ranks.get(`${word[i]} ${word[i + 1]}`);
      if (rank !== undefined && rank < best) {
        best = rank;
        left = word[i] ?? "";
        right = word[i + 1] ?? "";
      }
    }
    if (best === Number.POSITIVE_INFINITY) return word;
    const merged: string[] = [];
    for (let i = 0; i < word.length; i++) {
      if (word[i] === left && word[i + 1] === right) {
        merged.push(left + right);
        i++;
      } else {
        merged.push(word[i] ?? "");
      }
    }
    word = merged;
  }
}
