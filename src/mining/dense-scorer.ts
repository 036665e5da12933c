import { InferenceSession, Tensor } from "onnxruntime-node";
import { fail } from "../model/index.ts";
import { gemmGraph } from "./gemm-graph.ts";
import type { ScoreBlock, Scorer } from "./scorer.ts";

/** L2-normalised vectors, read by row: an embeddings file. */
export interface VectorFile {
  readonly path: string;
  readonly count: number;
  readonly dimension: number;
  /** Rows start … start+count, end to end. */
  read(start: number, count: number, into: Float32Array): Promise<Float32Array>;
  close(): Promise<void>;
}

export interface DenseScorerOptions {
  /** Image rows that are candidates, ascending. */
  readonly candidates: Int32Array;
  readonly threads: number;
  /** Candidate vectors are kept in memory up to this many bytes; beyond, they are read again for each pass. */
  readonly memoryBytes?: number;
}

const rows = 256;
const group = 64;
const largestBlock = 4096;

/**
 * Scores by embeddings: cosine = dot product of unit vectors, as blocked matrix products in onnxruntime. Shapes are
 * fixed and padded, so that a score does not depend on how rows fall into blocks.
 * Errors: "bad-input" for vectors that are not finite or not of unit length.
 */
export async function createDenseScorer(images: VectorFile, expressions: VectorFile, options: DenseScorerOptions): Promise<Scorer> {
  if (images.dimension !== expressions.dimension) {
    fail("bad-input", `expected images and expressions of one dimension, got ${images.dimension} in "${images.path}" and ${expressions.dimension} in "${expressions.path}"`);
  }
  const { candidates } = options;
  const dimension = images.dimension;
  const columns = Math.min(largestBlock, Math.max(group, Math.ceil(candidates.length / group) * group));
  const blocks = Math.ceil(candidates.length / columns);
  const session = await InferenceSession.create(gemmGraph(rows, columns, dimension, group), {
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
  const scores = new Float32Array(rows * columns);
  const peaks = new Float32Array((rows * columns) / group);
  const results = { scores: new Tensor("float32", scores, [rows, columns]), peaks: new Tensor("float32", peaks, [rows, columns / group]) };
  const queries = new Float32Array(rows * dimension);
  const queryTensor = new Tensor("float32", queries, [rows, dimension]);
  const keep = candidates.length * dimension * 4 <= (options.memoryBytes ?? 1 << 29);
  const kept = new Map<number, Tensor>();
  const spare = new Float32Array(keep ? 0 : columns * dimension);
  let current: Tensor | undefined;

  const score = async (file: VectorFile, wanted: Int32Array): Promise<ScoreBlock> => {
    if (wanted.length > rows) fail("internal", `asked for ${wanted.length} rows at once, ${rows} is the most`);
    if (current === undefined) fail("internal", "no block of candidates is loaded");
    await gather(file, wanted, queries);
    queries.fill(0, wanted.length * dimension);
    await session.run({ queries: queryTensor, candidates: current }, results);
    return { scores, columns, peaks, group };
  };

  return {
    candidateCount: candidates.length,
    blockColumns: columns,
    blockRows: rows,
    async load(index) {
      if (index < 0 || index >= blocks) fail("internal", `no block ${index} of ${blocks}`);
      current = kept.get(index);
      if (current !== undefined) return;
      const block = keep ? new Float32Array(columns * dimension) : spare;
      const part = candidates.subarray(index * columns, (index + 1) * columns);
      await gather(images, part, block);
      block.fill(0, part.length * dimension);
      current = new Tensor("float32", block, [columns, dimension]);
      if (keep) kept.set(index, current);
    },
    expressions: (wanted) => score(expressions, wanted),
    images: (wanted) => score(images, wanted),
    async pairs(expressionRows, imageRows) {
      const result = new Float32Array(expressionRows.length);
      const left = new Float32Array(rows * dimension);
      const right = new Float32Array(rows * dimension);
      for (let start = 0; start < expressionRows.length; start += rows) {
        const part = expressionRows.subarray(start, start + rows);
        await gather(expressions, part, left);
        await gather(images, imageRows.subarray(start, start + rows), right);
        for (let at = 0; at < part.length; at++) result[start + at] = dot(left, right, at * dimension, dimension);
      }
      return result;
    },
    async close() {
      await session.release();
      await Promise.all([images.close(), expressions.close()]);
    },
  };
}

/** Reads rows (any order) into `into`, consecutive ones in one go, and checks each vector. */
async function gather(file: VectorFile, wanted: Int32Array, into: Float32Array): Promise<void> {
  const { dimension } = file;
  for (let at = 0; at < wanted.length; ) {
    const first = wanted[at] as number;
    let run = 1;
    while (at + run < wanted.length && wanted[at + run] === first + run) run++;
    const part = into.subarray(at * dimension, (at + run) * dimension);
    await file.read(first, run, part);
    for (let row = 0; row < run; row++) {
      const norm = dot(part, part, row * dimension, dimension);
      // A row of zeros is an image that could not be decoded: it scores 0 with everything.
      if (norm !== 0 && !(Math.abs(norm - 1) < 0.02)) {
        fail("bad-input", `expected vectors of length 1 in "${file.path}", got length ${Math.sqrt(norm)} in row ${first + row}; embed again with --force`);
      }
    }
    at += run;
  }
}

function dot(a: Float32Array, b: Float32Array, offset: number, length: number): number {
  let sum = 0;
  for (let at = offset; at < offset + length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}
