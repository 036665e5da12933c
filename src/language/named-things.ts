import * as lexicon from "./lexicon.ts";
import { isEnd, readTokens } from "./tokens.ts";

/** Categories of COCO and PASCAL VOC → other words that people have for them, besides the category's own. */
const otherWords: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    person: [...lexicon.people],
    motorcycle: ["motorbike", "bike"],
    motorbike: ["motorcycle", "bike"],
    bicycle: ["bike"],
    airplane: ["aeroplane", "plane", "jet"],
    aeroplane: ["airplane", "plane", "jet"],
    couch: ["sofa"],
    sofa: ["couch"],
    tv: ["television", "monitor", "screen"],
    tvmonitor: ["tv", "television", "monitor", "screen"],
    "tv/monitor": ["tv", "television", "monitor", "screen"],
    laptop: ["computer"],
    "cell phone": ["phone", "cellphone"],
    "dining table": ["table"],
    diningtable: ["table"],
    "potted plant": ["plant"],
    pottedplant: ["plant"],
    truck: ["lorry"],
    cow: ["cattle", "bull", "calf"],
    sheep: ["lamb"],
    dog: ["puppy"],
    cat: ["kitten"],
    horse: ["pony"],
    refrigerator: ["fridge"],
  }),
);

const irregular: ReadonlyMap<string, string> = new Map(
  Object.entries({ person: "people", man: "men", woman: "women", child: "children", knife: "knives", mouse: "mice" }),
);

/**
 * How often an expression names a thing of a category, in the singular or plural: "dog next to the other dogs" names `dog`
 * twice. Words alone: "hot dog" names a dog, too.
 */
export function countNamed(expression: string, category: string): number {
  const text = readTokens(expression).map((token) => (isEnd(token.text) ? "|" : token.text));
  const name = category.toLowerCase();
  const forms = new Set([name, ...(otherWords.get(name) ?? [])].flatMap(bothNumbers));
  const wanted = Array.from(forms, (form) => readTokens(form).map((token) => token.text));
  let named = 0;
  for (let at = 0; at < text.length; ) {
    const isHere = (words: readonly string[]): boolean => words.every((word, offset) => text[at + offset] === word);
    const length = Math.max(0, ...wanted.filter(isHere).map((words) => words.length));
    if (length > 0) named++;
    at += Math.max(1, length);
  }
  return named;
}

function bothNumbers(form: string): readonly [one: string, many: string] {
  return [form, pluralOf(form)];
}

/** The plural of a noun, as far as its ending tells; some irregular ones are known. */
export function pluralOf(noun: string): string {
  const many = irregular.get(noun);
  if (many !== undefined) return many;
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return /(s|x|z|ch|sh)$/.test(noun) ? `${noun}es` : `${noun}s`;
}

/** The words for a category, its own name first; all persons' words for `person`. */
export function wordsFor(category: string): readonly string[] {
  const name = category.toLowerCase();
  return [name, ...(otherWords.get(name) ?? [])];
}
