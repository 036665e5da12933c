import type { Pool } from "../../pool/index.ts";
import type { KeyColumns, ListColumns } from "../page/contract.ts";

/** The columns of the page's list: a few bytes an expression, so that 142,000 of them travel in one answer. */
export function listColumns(pool: Pool): ListColumns {
  const { refs, expressions, annotations } = pool;
  const names = { splits: new Names(), sources: new Names(), categories: new Names() };
  const columns = {
    split: new Uint8Array(refs.count),
    source: new Uint8Array(refs.count),
    category: new Uint16Array(refs.count),
    targets: new Uint8Array(refs.count),
    similar: new Uint8Array(refs.count),
  };
  const categoryOf = Uint16Array.from(annotations.category, (name) => Math.min(names.categories.index(name), 65535));
  for (let ref = 0; ref < refs.count; ref++) {
    const targets = pool.targetsOfRef(ref);
    const category = targets.length === 0 ? names.categories.index("(no target)") : categoryOf[targets[0]!];
    columns.split[ref] = Math.min(names.splits.index(refs.split[ref] ?? ""), 255);
    columns.source[ref] = Math.min(names.sources.index(refs.source[ref] ?? ""), 255);
    columns.category[ref] = category ?? 0;
    columns.targets[ref] = Math.min(targets.length, 255);
    columns.similar[ref] = targets.length === 0 ? 255 : Math.min(similarObjects(pool, ref, targets, categoryOf), 254);
  }
  return {
    splits: names.splits.all,
    sources: names.sources.all,
    categories: names.categories.all,
    texts: joinTexts(expressions.sent.map((sent, row) => (sent === "" ? (expressions.raw[row] ?? "") : sent))),
    ref: expressions.ref,
    image: refs.image,
    ...columns,
  };
}

/** The ids that expression keys are made of: asked for only where keys have to be found. */
export function keyColumns(pool: Pool): KeyColumns {
  return { refIds: joinTexts(pool.refs.id), sentenceIds: joinTexts(pool.expressions.id) };
}

function similarObjects(pool: Pool, ref: number, targets: Int32Array, categoryOf: Uint16Array): number {
  const wanted = new Set(Array.from(targets, (target) => categoryOf[target]));
  let count = 0;
  for (const row of pool.annotationsOfImage(pool.refs.image[ref]!)) {
    if (pool.annotations.isCrowd[row] !== 1 && wanted.has(categoryOf[row]) && !targets.includes(row)) count++;
  }
  return count;
}

function joinTexts(texts: readonly string[]): Uint8Array {
  return new TextEncoder().encode(texts.map((text) => text.replace(/[\n\r]/g, " ")).join("\n"));
}

class Names {
  readonly all: string[] = [];
  readonly #indices = new Map<string, number>();

  index(name: string): number {
    const known = this.#indices.get(name);
    if (known !== undefined) return known;
    this.#indices.set(name, this.all.length);
    return this.all.push(name) - 1;
  }
}
