import { fail } from "../../model/index.ts";
import type { LexicalVectors } from "./lexical-files.ts";
import { type SparseRows, scoreBlock, transpose } from "./sparse-rows.ts";

/** Scores of some rows against the current block of candidates, row-major with stride `columns`. Valid until the next call. */
export interface LexicalBlock {
  readonly scores: Float32Array;
  readonly columns: number;
}

/**
 * Lexical relevance in the shape that mining ranks by: expressions and images against candidate images, block by block.
 * `candidates` are image rows in ascending order.
 */
export function lexicalScorer({ index, expressions }: LexicalVectors, candidates: Int32Array, blockSize = 4096) {
  const blockColumns = Math.max(1, Math.min(blockSize, candidates.length));
  const blockRows = 256;
  const scores = new Float32Array(blockRows * blockColumns);
  let inverted: SparseRows | undefined;

  const block = (rows: SparseRows, wanted: Int32Array): Promise<LexicalBlock> => {
    if (inverted === undefined) return fail("internal", "expected a loaded block of candidates");
    const out = scoreBlock(selectRows(rows, wanted), 0, wanted.length, inverted, scores);
    return Promise.resolve({ scores: out, columns: inverted.columns });
  };

  return {
    candidateCount: candidates.length,
    blockColumns,
    blockRows,
    load(number: number): Promise<void> {
      const start = number * blockColumns;
      inverted = transpose(selectRows(index.images, candidates.subarray(start, start + blockColumns)));
      return Promise.resolve();
    },
    expressions: (rows: Int32Array) => block(expressions, rows),
    images: (rows: Int32Array) => block(index.images, rows),
    pairs(expressionRows: Int32Array, imageRows: Int32Array): Promise<Float32Array> {
      return Promise.resolve(
        Float32Array.from(expressionRows, (row, i) => dot(expressions, row, index.images, imageRows[i] ?? 0)),
      );
    },
    close: (): Promise<void> => Promise.resolve(),
  };
}

/** The rows named by `wanted`, in that order. */
export function selectRows({ columns, indptr, indices, values }: SparseRows, wanted: Int32Array): SparseRows {
  const starts = new Int32Array(wanted.length + 1);
  wanted.forEach((row, i) => {
    starts[i + 1] = (starts[i] ?? 0) + (indptr[row + 1] ?? 0) - (indptr[row] ?? 0);
  });
  const count = starts[wanted.length] ?? 0;
  const outIndices = new Int32Array(count);
  const outValues = new Float32Array(count);
  wanted.forEach((row, i) => {
    outIndices.set(indices.subarray(indptr[row], indptr[row + 1]), starts[i]);
    outValues.set(values.subarray(indptr[row], indptr[row + 1]), starts[i]);
  });
  return { rows: wanted.length, columns, indptr: starts, indices: outIndices, values: outValues };
}

/** In the order of columns and rounded at each step, as `scoreBlock` adds, so that both give the same bits. */
function dot(left: SparseRows, row: number, right: SparseRows, other: number): number {
  let sum = 0;
  let at = right.indptr[other] ?? 0;
  const end = right.indptr[other + 1] ?? 0;
  for (let i = left.indptr[row] ?? 0; i < (left.indptr[row + 1] ?? 0); i++) {
    const column = left.indices[i] ?? 0;
    while (at < end && (right.indices[at] ?? 0) < column) at++;
    if (at < end && right.indices[at] === column)
      sum = Math.fround(sum + (left.values[i] ?? 0) * (right.values[at] ?? 0));
  }
  return Math.min(1, sum);
}
