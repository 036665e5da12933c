/**
 * A sentence as words that can be true of an object: what is denied, what chooses among like things (counts,
 * superlatives) and places in the picture are left out; sides that something faces or lies of get names of their own,
 * so that "facing left" and "left of the sofa" are two words.
 */
import { positionsOf } from "../language/index.ts";

/** The words of a sentence that are true of some things and not of others, each once. Any string is accepted. */
export function contentWords(sentence: string): string[] {
  // Lower case may be longer ("İ"): all places are in it.
  const lower = sentence.toLowerCase();
  const said = lower.slice(0, denying.exec(lower)?.index);
  const { mentions } = positionsOf(lower);
  const words: string[] = [];
  for (const { 0: word, index } of said.matchAll(/[\p{L}\p{N}]+/gu)) {
    const mention = mentions.find(({ span }) => index >= span[0] && index < span[1]);
    if (mention?.scope === "absolute" || choosing.test(word)) continue;
    if (mention?.scope === "orientation" || mention?.scope === "relative") words.push(`${word}:${mention.scope}`);
    else if (!fillers.has(word)) words.push(word);
  }
  return [...new Set(words)];
}

const fillers = new Set(
  (
    "a an the is are was be that which who of in on at to it its there here and or with from by side picture image " +
    "photo pic all way far hand very number only single one us me you viewer camera toward towards away down"
  ).split(" "),
);
/** What follows is denied: no word that is true. */
const denying = /\b(not|without|no|isn'?t|aren'?t|doesn'?t|don'?t)\b/;
/** Counts, superlatives and comparatives of size: they choose one of what is left. */
const choosing = /^(first|second|third|fourth|last|\d+(st|nd|rd|th)?|\w{3,}(est|most)|larger|bigger|smaller|taller)$/;
