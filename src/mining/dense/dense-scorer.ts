import { InferenceSession, Tensor } from "onnxruntime-node";
import { fail } from "../../model/index.ts";
import type { ScoreBlock, Scorer } from "../scorer.ts";
import { CandidateBlocks } from "./candidate-blocks.ts";
import { gemmGraph } from "./gemm-graph.ts";
import { canWork, openMiners } from "./miners.ts";
import { openDenseMiner } from "./open-dense-miner.ts";
import { dotProduct, readVectors, type VectorFile } from "./vector-file.ts";

export interface DenseScorerOptions {
  /** Image rows that are candidates, ascending. */
  readonly candidates: Int32Array;
  /** Threads that mine. Never changes a score. */
  readonly threads: number;
  /** Candidate vectors are kept in memory up to this many bytes (default 1 GiB); the others are read for each pass. */
  readonly memoryBytes?: number;
  /** The largest block of scores, candidates by queries (defaults 8192 and 256). Neither changes a score. */
  readonly blockColumns?: number;
  readonly blockRows?: number;
  /**
   * The vectors are .npy files at their `path`: each thread opens them for itself and mines steps of its own. Otherwise,
   * and where Node cannot start such threads, only the product is shared out.
   */
  readonly files?: boolean;
}

/** Below this the product would sum in another order. */
const fewestColumns = 512;

/**
 * Scores by embeddings: cosine = dot product of unit vectors, as blocked matrix products in onnxruntime. Blocks are
 * padded to fixed shapes, so that a score depends neither on how rows fall into blocks nor on the threads.
 * Errors: "bad-input" for vectors that are not finite or not of unit length.
 */
export async function createDenseScorer(
  images: VectorFile,
  expressions: VectorFile,
  options: DenseScorerOptions,
): Promise<Scorer> {
  if (images.dimension !== expressions.dimension) {
    fail(
      "bad-input",
      `expected images and expressions of one dimension, got ${images.dimension} in "${images.path}" and ${expressions.dimension} in "${expressions.path}"`,
    );
  }
  const { candidates, threads, blockRows: rows = 256, memoryBytes = 2 ** 30 } = options;
  const dimension = images.dimension;
  const columns = balancedColumns(candidates.length, Math.max(fewestColumns, options.blockColumns ?? 8192));
  const blocks = new CandidateBlocks(images, candidates, columns, memoryBytes);
  const session = await InferenceSession.create(gemmGraph(rows, columns, dimension), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
  const queries = new WeakMap<Int32Array, Tensor>();
  let scores: Float32Array | undefined;
  let current: Tensor | undefined;
  let team: { close(): Promise<void> } | undefined;

  const read = async (file: VectorFile, wanted: Int32Array): Promise<Tensor> => {
    if (wanted.length > rows) fail("internal", `asked for ${wanted.length} rows at once, ${rows} is the most`);
    const data = new Float32Array(rows * dimension);
    await readVectors(file, wanted, data);
    return new Tensor("float32", data, [rows, dimension]);
  };
  const score = async (file: VectorFile, wanted: Int32Array): Promise<ScoreBlock> => {
    const block = current ?? fail("internal", "no block of candidates is loaded");
    scores ??= new Float32Array(rows * columns);
    // The same rows come again for every block.
    const tensor = queries.get(wanted) ?? (await read(file, wanted));
    queries.set(wanted, tensor);
    await session.run(
      { queries: tensor, candidates: block },
      { scores: new Tensor("float32", scores, [rows, columns]) },
    );
    return { scores, columns };
  };

  return {
    candidateCount: candidates.length,
    blockColumns: columns,
    blockRows: rows,
    async load(index) {
      current = await blocks.load(index);
    },
    expressions: (wanted) => score(expressions, wanted),
    images: (wanted) => score(images, wanted),
    async pairs(expressionRows, imageRows) {
      const result = new Float32Array(expressionRows.length);
      const left = new Float32Array(rows * dimension);
      const right = new Float32Array(rows * dimension);
      for (let start = 0; start < expressionRows.length; start += rows) {
        const part = expressionRows.subarray(start, start + rows);
        await readVectors(expressions, part, left);
        await readVectors(images, imageRows.subarray(start, start + rows), right);
        for (let at = 0; at < part.length; at++)
          result[start + at] = dotProduct(left, right, at * dimension, dimension);
      }
      return result;
    },
    async miners(rank, depth, stepRows, timing) {
      await team?.close();
      const workers = options.files === true && canWork() ? threads : 1;
      const setup = {
        candidates,
        rank,
        depth,
        rows: stepRows,
        memoryBytes: Math.floor(memoryBytes / workers),
        ...(options.blockRows === undefined ? {} : { blockRows: options.blockRows }),
        ...(options.blockColumns === undefined ? {} : { blockColumns: options.blockColumns }),
      };
      if (workers === 1) {
        const miner = openDenseMiner(images, expressions, setup, timing);
        team = miner;
        return [miner];
      }
      const opened = openMiners({ ...setup, images: images.path, expressions: expressions.path }, workers);
      team = opened;
      return opened.miners;
    },
    async close() {
      await team?.close();
      await blocks.close();
      await session.release();
      await Promise.all([images.close(), expressions.close()]);
    },
  };
}

/** Blocks of equal size, none above `most`: the padding of the last one stays small. */
function balancedColumns(candidates: number, most: number): number {
  const blocks = Math.max(1, Math.ceil(candidates / most));
  return Math.max(fewestColumns, Math.ceil(candidates / blocks / 64) * 64);
}
