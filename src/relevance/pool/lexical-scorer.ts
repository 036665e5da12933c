import type { LexicalVectors } from "../lexical/index.ts";
import { type SparseRows, scoreBlock, transpose } from "../lexical/index.ts";

const rowsAtOnce = 256;

/**
 * The lexical relevance as a scorer for mining (see `Scorer` there): all candidates are one block, scores are exact
 * cosines of sparse vectors. `candidates` are image rows, ascending.
 */
export function createLexicalScorer({ index, expressions }: LexicalVectors, candidates: Int32Array) {
  const inverted = transpose(rowsOf(index.images, candidates));
  const columns = candidates.length;
  const score = (from: SparseRows, wanted: Int32Array) => {
    const queries = rowsOf(from, wanted);
    return Promise.resolve({ scores: scoreBlock(queries, 0, wanted.length, inverted), columns });
  };
  return {
    candidateCount: columns,
    blockColumns: Math.max(1, columns),
    blockRows: rowsAtOnce,
    load: async (_index: number) => undefined,
    expressions: (rows: Int32Array) => score(expressions, rows),
    images: (rows: Int32Array) => score(index.images, rows),
    pairs: async (expressionRows: Int32Array, imageRows: Int32Array) =>
      Float32Array.from(expressionRows, (row, at) => dot(expressions, row, index.images, imageRows[at] as number)),
    close: async () => undefined,
  };
}

function rowsOf(matrix: SparseRows, wanted: Int32Array): SparseRows {
  const indptr = new Int32Array(wanted.length + 1);
  wanted.forEach((row, at) => {
    indptr[at + 1] = (indptr[at] as number) + (matrix.indptr[row + 1] as number) - (matrix.indptr[row] as number);
  });
  const indices = new Int32Array(indptr[wanted.length] as number);
  const values = new Float32Array(indices.length);
  wanted.forEach((row, at) => {
    const [from, to] = [matrix.indptr[row] as number, matrix.indptr[row + 1] as number];
    indices.set(matrix.indices.subarray(from, to), indptr[at]);
    values.set(matrix.values.subarray(from, to), indptr[at]);
  });
  return { rows: wanted.length, columns: matrix.columns, indptr, indices, values };
}

function dot(a: SparseRows, rowA: number, b: SparseRows, rowB: number): number {
  let [atA, atB, sum] = [a.indptr[rowA] as number, b.indptr[rowB] as number, 0];
  const [endA, endB] = [a.indptr[rowA + 1] as number, b.indptr[rowB + 1] as number];
  while (atA < endA && atB < endB) {
    const difference = (a.indices[atA] as number) - (b.indices[atB] as number);
    if (difference === 0) sum += (a.values[atA] as number) * (b.values[atB] as number);
    if (difference <= 0) atA++;
    if (difference >= 0) atB++;
  }
  return sum;
}
