import { fail } from "../../model/index.ts";

/** A sparse matrix by rows (CSR): row i holds `indices` and `values` from `indptr[i]` up to `indptr[i + 1]`. */
export interface SparseRows {
  readonly rows: number;
  readonly columns: number;
  /** [rows + 1] */
  readonly indptr: Int32Array;
  /** Columns, ascending in each row. */
  readonly indices: Int32Array;
  readonly values: Float32Array;
}

/** Rows given as column → value maps; zero values are left out. */
export function sparseRows(rows: readonly ReadonlyMap<number, number>[], columns: number): SparseRows {
  const count = rows.reduce((sum, row) => sum + row.size, 0);
  const indptr = new Int32Array(rows.length + 1);
  const indices = new Int32Array(count);
  const values = new Float32Array(count);
  let at = 0;
  rows.forEach((row, i) => {
    for (const column of [...row.keys()].sort((a, b) => a - b)) {
      indices[at] = column;
      values[at] = row.get(column) ?? 0;
      at++;
    }
    indptr[i + 1] = at;
  });
  return { rows: rows.length, columns, indptr, indices: indices.slice(0, at), values: values.slice(0, at) };
}

/** The same matrix by columns: an inverted index, row `c` listing the rows that hold column `c`. */
export function transpose({ rows, columns, indptr, indices, values }: SparseRows): SparseRows {
  const starts = new Int32Array(columns + 1);
  for (const column of indices) starts[column + 1] = (starts[column + 1] ?? 0) + 1;
  for (let c = 0; c < columns; c++) starts[c + 1] = (starts[c + 1] ?? 0) + (starts[c] ?? 0);
  const next = starts.slice();
  const outIndices = new Int32Array(indices.length);
  const outValues = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let at = indptr[row] ?? 0; at < (indptr[row + 1] ?? 0); at++) {
      const column = indices[at] ?? 0;
      const to = next[column] ?? 0;
      next[column] = to + 1;
      outIndices[to] = row;
      outValues[to] = values[at] ?? 0;
    }
  }
  return { rows: columns, columns: rows, indptr: starts, indices: outIndices, values: outValues };
}

/**
 * Dot products of rows `start` to `end` of `queries` with every document of `inverted` (a transposed matrix over the same
 * columns): float32 [end - start, documents], row-major, into `out` where given (at least as long). Work is
 * proportional to the postings of the queries' words, not to the documents' words.
 */
export function scoreBlock(
  queries: SparseRows,
  start: number,
  end: number,
  inverted: SparseRows,
  out?: Float32Array,
): Float32Array {
  const documents = inverted.columns;
  const length = (end - start) * documents;
  if (queries.columns !== inverted.rows) {
    fail("internal", `expected queries over ${inverted.rows} words, got ${queries.columns}`);
  }
  const scores = out === undefined ? new Float32Array(length) : out.subarray(0, length).fill(0);
  if (scores.length < length) fail("internal", `expected room for ${length} scores, got ${scores.length}`);
  const { indptr, indices, values } = inverted;
  for (let query = start; query < end; query++) {
    const offset = (query - start) * documents;
    for (let at = queries.indptr[query] ?? 0; at < (queries.indptr[query + 1] ?? 0); at++) {
      const word = queries.indices[at] ?? 0;
      const weight = queries.values[at] ?? 0;
      const last = indptr[word + 1] ?? 0;
      for (let posting = indptr[word] ?? 0; posting < last; posting++) {
        const to = offset + (indices[posting] ?? 0);
        scores[to] = (scores[to] ?? 0) + weight * (values[posting] ?? 0);
      }
    }
  }
  // Rounding can lift the score of equal vectors a hair above 1.
  for (let i = 0; i < length; i++) if ((scores[i] ?? 0) > 1) scores[i] = 1;
  return scores;
}
