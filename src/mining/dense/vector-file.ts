import { fail } from "../../model/index.ts";

/** L2-normalised vectors, read by row: an embeddings file. */
export interface VectorFile {
  readonly path: string;
  readonly count: number;
  readonly dimension: number;
  /** Rows start … start+count, end to end. */
  read(start: number, count: number, into: Float32Array): Promise<Float32Array>;
  /** As `read`, for a few rows at a time; `read` is used where it is absent. */
  readSync?(start: number, count: number, into: Float32Array): Float32Array;
  close(): Promise<void>;
}

/**
 * Reads rows, in any order, end to end into `into`, and checks each vector.
 * Errors: "bad-input" for a vector that is not finite or not of unit length.
 */
export async function readVectors(file: VectorFile, rows: Int32Array, into: Float32Array): Promise<void> {
  const { dimension } = file;
  for (let at = 0; at < rows.length; ) {
    const first = rows[at]!;
    let run = 1;
    while (at + run < rows.length && rows[at + run] === first + run) run++;
    const part = into.subarray(at * dimension, (at + run) * dimension);
    if (run <= fewRows && file.readSync !== undefined) file.readSync(first, run, part);
    else await file.read(first, run, part);
    for (let row = 0; row < run; row++) {
      const square = dotProduct(part, part, row * dimension, dimension);
      // A row of zeros is an image that could not be decoded: it scores 0 with everything.
      if (square !== 0 && !(Math.abs(square - 1) < 0.02)) {
        fail(
          "bad-input",
          `expected vectors of length 1 in "${file.path}", got length ${Math.sqrt(square)} in row ${first + row}; embed again with --force`,
        );
      }
    }
    at += run;
  }
}

/** The dot product of a[offset …] and b[offset …] over `length` numbers, summed in double precision. */
export function dotProduct(a: Float32Array, b: Float32Array, offset: number, length: number): number {
  let [first, second, third, fourth] = [0, 0, 0, 0];
  const end = offset + length;
  let at = offset;
  for (; at + 3 < end; at += 4) {
    first += a[at]! * b[at]!;
    second += a[at + 1]! * b[at + 1]!;
    third += a[at + 2]! * b[at + 2]!;
    fourth += a[at + 3]! * b[at + 3]!;
  }
  for (; at < end; at++) first += a[at]! * b[at]!;
  return first + second + (third + fourth);
}

/** A system call on this thread costs less than a trip through the pool for reads up to this size. */
const fewRows = 64;
