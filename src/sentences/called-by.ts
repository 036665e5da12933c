import { expressionFeatures, type NameFinder } from "../language/index.ts";
import type { Pool } from "../pool/index.ts";
import { sentenceKey } from "./candidates.ts";
import { coloursIn } from "./said-colours.ts";
import { wordBag } from "./word-bags.ts";

/**
 * Which categories are called by which nouns, as far as a pool's sentences tell: "ball" is said of basketballs and of baseballs, so that
 * "the ball", made for a soccer ball, may be true of any of them. A noun is a word that stands alone as a sentence and is neither a
 * place nor a colour; it counts for a category where two of its refs say it in sentences that name no other category.
 */
export class CalledBy {
  readonly #finder: NameFinder;
  readonly #nouns = new Set<string>();
  readonly #refsOf = new Map<string, Map<string, number>>();

  constructor(pool: Pool, finder: NameFinder) {
    this.#finder = finder;
    for (const sentence of new Set(pool.expressions.sent.map(sentenceKey)))
      if (isNoun(sentence)) for (const word of wordBag(sentence)) this.#nouns.add(word);
    for (let ref = 0; ref < pool.refs.count; ref++) {
      const targets = Array.from(pool.targetsOfRef(ref));
      const category = pool.annotations.category[targets[0] ?? -1] ?? "";
      if (category === "" || targets.some((row) => pool.annotations.category[row] !== category)) continue;
      const [start, end] = pool.expressionsOfRef(ref);
      const alone = pool.expressions.sent
        .slice(start, end)
        .filter((sentence) => finder.find(sentence).every((named) => named.category === category));
      for (const word of new Set(alone.flatMap((sentence) => [...wordBag(sentence)]))) {
        if (!this.#nouns.has(word)) continue;
        const counts = this.#refsOf.get(word) ?? new Map<string, number>();
        this.#refsOf.set(word, counts.set(category, (counts.get(category) ?? 0) + 1));
      }
    }
  }

  /** Categories besides these that a noun of a sentence is said of, but for the words of a name of several ("soccer ball"). */
  others(sentence: string, categories: readonly string[]): ReadonlySet<string> {
    const found = new Set<string>();
    const names = this.#finder.find(sentence).map(({ words }) => words.split(" "));
    const ofLongNames = new Set(names.filter(({ length }) => length > 1).flat());
    for (const word of wordBag(sentence))
      if (!ofLongNames.has(word))
        for (const [category, refs] of this.#refsOf.get(word) ?? [])
          if (refs >= leastRefs && !categories.includes(category)) found.add(category);
    return found;
  }
}

const leastRefs = 2;

function isNoun(key: string): boolean {
  if (key === "" || key.includes(" ")) return false;
  const { hasPositionWord, hasSuperlative } = expressionFeatures(key);
  return !hasPositionWord && !hasSuperlative && coloursIn(key).length === 0;
}
