import { fail } from "../../model/index.ts";

/**
 * Scales each row of a row-major matrix to Euclidean length 1, in place; rows of zeros stay. Throws `bad-input` for a row
 * that holds NaN or an infinity, naming `where` and the row, counted from `firstRow`.
 */
export function normaliseRows(matrix: Float32Array, dimension: number, where: string, firstRow = 0): Float32Array {
  for (let start = 0; start < matrix.length; start += dimension) {
    let sum = 0;
    for (let i = start; i < start + dimension; i++) sum += (matrix[i] ?? 0) ** 2;
    if (!Number.isFinite(sum))
      fail("bad-input", `${where} gave a vector that is not finite (row ${firstRow + start / dimension} of its batch)`);
    const scale = sum === 0 ? 0 : 1 / Math.sqrt(sum);
    for (let i = start; i < start + dimension; i++) matrix[i] = (matrix[i] ?? 0) * scale;
  }
  return matrix;
}
