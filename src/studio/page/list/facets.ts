/** A property of expressions with a few values, by which the list is filtered. */
export interface Facet {
  readonly name: string;
  readonly title: string;
  /** By value code. */
  readonly labels: readonly string[];
  /** Code of each expression row. */
  readonly codes: Uint8Array | Uint16Array;
}

export interface Filtered {
  /** Expression rows that pass everything, in order. */
  readonly rows: Int32Array;
  /** By facet: how many rows each value would leave, with all other filters as they are. */
  readonly counts: Readonly<Record<string, Uint32Array>>;
}

/**
 * Filters and counts in one pass: a row that fails a single facet still counts for that facet's values.
 * `allowed` holds, by facet name, the codes chosen; a facet without one passes all. `passes` (0 or 1 a row) is what
 * else has to hold, the text search for one.
 */
export function filterRows(
  facets: readonly Facet[],
  allowed: Readonly<Record<string, readonly number[]>>,
  total: number,
  passes: readonly Uint8Array[],
  order: Int32Array | undefined,
): Filtered {
  const counts = facets.map((facet) => new Uint32Array(facet.labels.length));
  const tables = facets.map((facet) => {
    const chosen = allowed[facet.name];
    if (chosen === undefined || chosen.length === 0) return undefined;
    const table = new Uint8Array(facet.labels.length);
    for (const code of chosen) table[code] = 1;
    return table;
  });
  const rows = new Int32Array(total);
  let found = 0;
  for (let at = 0; at < total; at++) {
    const row = order === undefined ? at : order[at]!;
    let isOut = false;
    for (const pass of passes) if (pass[row] === 0) isOut = true;
    if (isOut) continue;
    let failures = 0;
    let failed = 0;
    for (let f = 0; f < tables.length; f++) {
      const table = tables[f];
      if (table !== undefined && table[facets[f]!.codes[row]!] === 0) {
        failures++;
        failed = f;
      }
    }
    if (failures > 1) continue;
    if (failures === 1) {
      count(counts[failed]!, facets[failed]!.codes[row]!);
      continue;
    }
    rows[found++] = row;
    for (let f = 0; f < tables.length; f++) count(counts[f]!, facets[f]!.codes[row]!);
  }
  return {
    rows: rows.slice(0, found),
    counts: Object.fromEntries(facets.map((facet, f) => [facet.name, counts[f]!])),
  };
}

function count(counts: Uint32Array, code: number): void {
  counts[code] = counts[code]! + 1;
}

/** 1 for each text that holds every word of `query`, in any order and case; undefined for an empty query. */
export function matchWords(lowerTexts: readonly string[], query: string): Uint8Array | undefined {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return undefined;
  const passes = new Uint8Array(lowerTexts.length);
  for (let row = 0; row < lowerTexts.length; row++) {
    const text = lowerTexts[row]!;
    passes[row] = words.every((word) => text.includes(word)) ? 1 : 0;
  }
  return passes;
}

/** 1 for each value from `low` up to `high` (the last bin includes its end). */
export function selectRange(values: Float32Array, low: number, high: number): Uint8Array {
  return Uint8Array.from(values, (value) => (value >= low && value <= high ? 1 : 0));
}
