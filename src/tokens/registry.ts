import { unknownName } from "../model/index.ts";
import { bertTokenizer } from "./bert.ts";
import { clipTokenizer } from "./clip.ts";
import type { Tokenizer } from "./tokenizer.ts";

const byName: Readonly<Record<string, () => Tokenizer>> = { clip: clipTokenizer, bert: bertTokenizer };

/** Names of the tokenizers whose vocabularies come with the package. */
export const tokenizerNames: readonly string[] = Object.keys(byName);

/** The shipped tokenizer of that name; an unknown name throws a `usage` error that lists the valid ones. */
export function openTokenizer(name: string): Tokenizer {
  const make = Object.hasOwn(byName, name) ? byName[name] : undefined;
  if (make === undefined) throw unknownName("tokenizer", name, tokenizerNames);
  return make();
}
