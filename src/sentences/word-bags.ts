import { tokenizeWords } from "../language/index.ts";

/** The words of a sentence that say something, each once; "gray" as "grey". */
export type WordBag = ReadonlySet<string>;

/** Reads a sentence as a bag of words, function words left out. Any string is accepted. */
export function wordBag(sentence: string): WordBag {
  const bag = new Set<string>();
  for (const { text } of tokenizeWords(sentence))
    if (!functionWords.has(text)) bag.add(text === "gray" ? "grey" : text);
  return bag;
}

/** True where every word of `bag` is in `other`: a sentence that says no more is true where the other is. */
export function isWithin(bag: WordBag, other: WordBag): boolean {
  for (const word of bag) if (!other.has(word)) return false;
  return true;
}

const functionWords = new Set(
  (
    "a an the this that these those is are was were be being who which whose it its there here and or of in on at to with by " +
    "for from one ones thing object side picture image photo pic"
  ).split(" "),
);
