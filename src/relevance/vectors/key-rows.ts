import { readFile } from "node:fs/promises";
import { formatNumber } from "../../io/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import type { Pool } from "../../pool/index.ts";

/** The rows of a file of vectors by the pool's rows. */
export interface KeyRows {
  /** Rows of the file for pool row r: rows[starts[r]] up to rows[starts[r + 1]], in the file's order. */
  readonly starts: Int32Array;
  readonly rows: Int32Array;
  /** Keys that are not of this pool: their number and the first. */
  readonly unknown: { readonly count: number; readonly first: string | undefined };
}

/** What a kind of key names, and how. */
export interface Keyed {
  /** "images" or "expressions". */
  readonly unit: string;
  readonly count: number;
  /** How keys of the pool look, for errors. */
  readonly kinds: string;
  /** The pool's row of a key, undefined where it names none. Errors: "bad-input" where it names several. */
  rowOf(key: string): number | undefined;
  nameOf(row: number): string;
}

/** Lines of a file of keys, one a vector. Errors: "not-found", "bad-input" for an empty line or text that is not UTF-8. */
export async function readKeys(path: string): Promise<string[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) =>
    fail("not-found", `expected a file of keys, one a line, at ${quoteValue(path)}: ${error.message}`, error),
  );
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    return fail("bad-input", `expected UTF-8 text in ${quoteValue(path)}, one key a line; got other bytes`, cause);
  }
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const empty = lines.findIndex((line) => line.trim() === "");
  if (empty >= 0) fail("bad-input", `expected a key in line ${empty + 1} of ${quoteValue(path)}, got an empty line`);
  return lines;
}

/**
 * Which row of a file each row of the pool takes. Errors: "bad-input" for a key that is there twice (but with `many`), and where
 * no key is of this pool.
 */
export function rowsByKey(keys: readonly string[], keyed: Keyed, path: string, many: boolean): KeyRows {
  const rowOf = new Int32Array(keys.length).fill(-1);
  const counts = new Int32Array(keyed.count);
  const lineOf = new Int32Array(keyed.count).fill(-1);
  let unknown = 0;
  let first: string | undefined;
  keys.forEach((key, line) => {
    const row = keyed.rowOf(key);
    if (row === undefined) {
      unknown++;
      first ??= key;
      return;
    }
    const earlier = lineOf[row] ?? -1;
    if (earlier >= 0 && !many)
      fail(
        "bad-input",
        `expected one vector for each of the ${keyed.unit}, got two for ${quoteValue(keyed.nameOf(row))}: lines ${earlier + 1} and ${line + 1} of ${quoteValue(path)}`,
      );
    if (earlier < 0) lineOf[row] = line;
    rowOf[line] = row;
    counts[row] = (counts[row] ?? 0) + 1;
  });
  if (keys.length > 0 && unknown === keys.length && keyed.count > 0)
    fail(
      "bad-input",
      `expected keys of this pool's ${keyed.unit} (${keyed.kinds}) in ${quoteValue(path)}, got ${formatNumber(unknown)} of which none is, such as ${quoteValue(first)}; "nemosaic keys" lists them`,
    );
  const starts = new Int32Array(keyed.count + 1);
  for (let row = 0; row < keyed.count; row++) starts[row + 1] = (starts[row] ?? 0) + (counts[row] ?? 0);
  const rows = new Int32Array(starts[keyed.count] ?? 0);
  const next = starts.slice();
  rowOf.forEach((row, line) => {
    if (row < 0) return;
    const at = next[row] ?? 0;
    rows[at] = line;
    next[row] = at + 1;
  });
  return { starts, rows, unknown: { count: unknown, first } };
}

/** Images by the SHA-256 of their file, their path in the pool, or their file's name where it is one image's alone. */
export function indexImageKeys(pool: Pool): Keyed {
  const byHash = new Map(pool.images.hash.map((hash, row) => [hash, row]));
  const byName = new Map<string, number>();
  const several = -1;
  const add = (name: string, row: number): void => {
    const known = byName.get(name);
    byName.set(name, known === undefined || known === row ? row : several);
  };
  pool.images.path.forEach((path, row) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (name !== path) add(name, row);
  });
  // A whole path wins over another image's name.
  const byPath = new Map<string, number>();
  pool.images.path.forEach((path, row) => {
    byPath.set(path, byPath.has(path) ? several : row);
  });
  return {
    unit: "images",
    count: pool.images.count,
    kinds: "a file's path or name, or the SHA-256 of its content",
    nameOf: (row) => pool.imageName(row),
    rowOf: (key) => {
      const row = byHash.get(key.toLowerCase()) ?? byPath.get(key) ?? byName.get(key);
      if (row === several)
        fail(
          "bad-input",
          `several images of this pool are called ${quoteValue(key)}: name them by path, or by the SHA-256 of their content ("nemosaic keys" lists it)`,
        );
      return row;
    },
  };
}

/** Expressions by their key, source/ref/sentence. */
export function indexExpressionKeys(pool: Pool): Keyed {
  const rows = new Map(Array.from({ length: pool.expressions.count }, (_, row) => [pool.expressionKey(row), row]));
  return {
    unit: "expressions",
    count: pool.expressions.count,
    kinds: "source/ref/sentence",
    nameOf: (row) => pool.expressionKey(row),
    rowOf: (key) => rows.get(key),
  };
}
