import { readTextAsset } from "./assets.ts";
import { makeTokenizer, type Tokenizer } from "./tokenizer.ts";

/**
 * The tokenizer of bert-base-uncased (Devlin et al. 2019): 30,522 word pieces, context 512, [CLS] and [SEP], padded with
 * 0. The instance is made once and shared.
 */
export function bertTokenizer(): Tokenizer {
  bert ??= makeBertTokenizer();
  return bert;
}

let bert: Tokenizer | undefined;

const unknownId = 100;
const startId = 101;
const endId = 102;
const longestWord = 100;

function makeBertTokenizer(): Tokenizer {
  const pieces = readTextAsset("bert-base-uncased-vocab.txt.gz").trimEnd().split("\n");
  const idOf = new Map(pieces.map((piece, id) => [piece, id]));
  return makeTokenizer({
    name: "bert",
    contextLength: 512,
    startId,
    endId,
    padId: 0,
    ids: (text) => splitSpecials(text).flatMap((part) => idsOfPart(part, idOf)),
  });
}

/** The special tokens are found before anything else, as written, and never split. */
const specials: ReadonlyMap<string, number> = new Map([
  ["[PAD]", 0],
  ["[UNK]", unknownId],
  ["[CLS]", startId],
  ["[SEP]", endId],
  ["[MASK]", 103],
]);

function splitSpecials(text: string): string[] {
  return text.split(/(\[(?:PAD|UNK|CLS|SEP|MASK)\])/);
}

function idsOfPart(part: string, idOf: ReadonlyMap<string, number>): number[] {
  const special = specials.get(part);
  if (special !== undefined) return [special];
  return (normalise(part).match(wordPattern) ?? []).flatMap((word) => pieceIds(word, idOf));
}

/** A punctuation mark alone, or a run of anything else; ASCII symbols count as punctuation. */
const wordPattern = /[!-/:-@[-`{-~\p{P}]|[^\s\u0085!-/:-@[-`{-~\p{P}]+/gu;

/** Controls out, white space to blanks, CJK characters apart, accents off, lower case. */
function normalise(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(/\s/gu, (character) => (character === "\ufeff" ? character : " "))
    .replace(/[\0\ufffd\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, "")
    .replace(ideograph, " $& ")
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .toLowerCase();
}

const ideograph =
  /[\u{4e00}-\u{9fff}\u{3400}-\u{4dbf}\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{f900}-\u{faff}\u{2f800}-\u{2fa1f}]/gu;

/** Longest piece first, the rest with "##"; a word that cannot be covered is one unknown token. */
function pieceIds(word: string, idOf: ReadonlyMap<string, number>): number[] {
  const characters = [...word];
  if (characters.length > longestWord) return [unknownId];
  const ids: number[] = [];
  let from = 0;
  while (from < characters.length) {
    let to = characters.length;
    let id: number | undefined;
    for (; to > from; to--) {
      id = idOf.get((from > 0 ? "##" : "") + characters.slice(from, to).join(""));
      if (id !== undefined) break;
    }
    if (id === undefined) return [unknownId];
    ids.push(id);
    from = to;
  }
  return ids;
}
