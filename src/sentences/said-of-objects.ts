import { positionsOf, tokenizeWords } from "../language/index.ts";
import type { Pool } from "../pool/index.ts";

/** What sentences about one object alone say of it: of several they say nothing of each. */
export class SaidOfObjects {
  readonly #pool: Pool;
  /** By annotation: rows of its sentences. */
  readonly #about = new Map<number, number[]>();

  constructor(pool: Pool) {
    this.#pool = pool;
    for (let ref = 0; ref < pool.refs.count; ref++) {
      const [target, another] = pool.targetsOfRef(ref);
      if (target === undefined || another !== undefined) continue;
      const about = this.#about.get(target) ?? [];
      this.#about.set(target, about);
      const [start, end] = pool.expressionsOfRef(ref);
      for (let row = start; row < end; row++) about.push(row);
    }
  }

  /** True where a sentence about an object says one of `words`. */
  says(annotation: number, words: readonly string[]): boolean {
    return (this.#about.get(annotation) ?? []).some((row) =>
      tokenizeWords(this.#pool.expressions.sent[row] ?? "").some(({ text }) => words.includes(text)),
    );
  }

  /** True where an object is said to face a side, and no other. */
  isFacing(annotation: number, side: "left" | "right"): boolean {
    const said = new Set<string>();
    for (const row of this.#about.get(annotation) ?? [])
      for (const { scope, value } of positionsOf(this.#pool.expressions.sent[row] ?? "").mentions)
        if (scope === "orientation") said.add(value);
    return said.has(side) && said.size === 1;
  }
}
