import type { StageTimer } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import type { MinedColumns, Scorer, StepMiner } from "../scorer.ts";
import { listBytes } from "./dense-memory.ts";
import { createDenseScorer, type DenseScorerOptions } from "./dense-scorer.ts";
import { dotProduct, readVectors, type VectorFile } from "./vector-file.ts";

/** Several vectors an image: those of image i are rows starts[i] up to starts[i + 1], the whole image's first. */
export interface ImageParts {
  readonly vectors: VectorFile;
  readonly starts: Int32Array;
}

/**
 * As `createDenseScorer`, where an expression's score with an image is the best of that image's vectors. Images are compared
 * with each other by their first vectors, which `images` holds alone. Exact, by the same search: with at most m vectors an
 * image, the depth · m best vectors are of `depth` images at least, and the first of an image in that list is its best. By hand:
 * images a = {0.9, 0.8}, b = {0.7}, depth 2, m = 2: the four best vectors are a, a, b, so a 0.9 and b 0.7.
 * Ranks by text-to-image only. Errors: "usage" for another rank; those of `createDenseScorer`.
 */
export async function createGroupedScorer(
  images: VectorFile,
  parts: ImageParts,
  expressions: VectorFile,
  options: DenseScorerOptions,
): Promise<Scorer> {
  const { candidates } = options;
  const { starts, vectors } = parts;
  const counts = Array.from(candidates, (image) => starts[image + 1]! - starts[image]!);
  const owner = Int32Array.from(counts.flatMap((count, at) => new Array<number>(count).fill(at)));
  const rows = Int32Array.from(
    Array.from(candidates).flatMap((image, at) => Array.from({ length: counts[at]! }, (_, i) => starts[image]! + i)),
  );
  const most = counts.reduce((a, b) => Math.max(a, b), 1);
  const { files: _files, ...alone } = options;
  const whole = await createDenseScorer(images, expressions, alone);
  const byPart = await createDenseScorer(vectors, expressions, { ...options, candidates: rows }).catch(
    async (error: unknown) => {
      await whole.close();
      throw error;
    },
  );
  const { dimension } = vectors;
  const similarTo = similarities(images, candidates);
  return {
    ...whole,
    candidateCount: candidates.length,
    blockColumns: whole.blockColumns,
    blockRows: whole.blockRows,
    expressions: () => fail("internal", "several vectors an image are mined by miners, not by blocks"),
    async pairs(expressionRows, imageRows) {
      const text = new Float32Array(dimension);
      const own = new Float32Array(mostOf(starts) * dimension);
      const result = new Float32Array(expressionRows.length);
      for (let at = 0; at < result.length; at++) {
        await readVectors(expressions, expressionRows.subarray(at, at + 1), text);
        const image = imageRows[at]!;
        const count = starts[image + 1]! - starts[image]!;
        await readVectors(
          vectors,
          Int32Array.from({ length: count }, (_, i) => starts[image]! + i),
          own,
        );
        let best = Number.NEGATIVE_INFINITY;
        for (let part = 0; part < count; part++)
          best = Math.max(best, dotProduct(text, own.subarray(part * dimension), 0, dimension));
        result[at] = best;
      }
      return result;
    },
    async miners(rank, depth, stepRows, timing?: StageTimer) {
      if (rank !== "t2i")
        fail("usage", `expected --rank t2i for embeddings with several vectors an image, got ${rank}`);
      const deep = Math.min(rows.length, depth * most);
      const innerRows = Math.max(1, Math.min(stepRows, Math.floor(stepBytes / listBytes(deep))));
      const inner = (await byPart.miners?.("t2i", deep, innerRows, timing)) ?? [];
      return inner.map(
        (miner): StepMiner => ({
          async mine(step, imagesOfStep, imageOf) {
            const columns: MinedColumns = {
              ids: new Int32Array(step.length * depth),
              t2i: new Float32Array(step.length * depth),
              i2i: new Float32Array(step.length * depth),
            };
            const seen = new Int32Array(candidates.length).fill(-1);
            for (let start = 0; start < step.length; start += innerRows) {
              const some = step.subarray(start, start + innerRows);
              const own = Array.from(imageOf.subarray(start, start + innerRows), (at) => imagesOfStep[at]!);
              const distinct = Int32Array.from(new Set(own));
              const place = new Map(Array.from(distinct, (image, at) => [image, at]));
              const found = await miner.mine(
                some,
                distinct.map((image) => starts[image]!),
                Int32Array.from(own, (image) => place.get(image)!),
              );
              for (let row = 0; row < some.length; row++) {
                let to = (start + row) * depth;
                const end = to + depth;
                for (let from = row * deep; from < (row + 1) * deep && to < end; from++) {
                  const image = owner[found.ids[from]!]!;
                  if (seen[image] === start + row) continue;
                  seen[image] = start + row;
                  columns.ids[to] = image;
                  columns.t2i[to++] = found.t2i[from]!;
                }
                if (to !== end) fail("internal", `expected ${depth} images among ${deep} vectors`);
                const range = [(start + row) * depth, end] as const;
                await similarTo(own[row]!, columns.ids.subarray(...range), columns.i2i.subarray(...range));
              }
            }
            return columns;
          },
        }),
      );
    },
    async close() {
      await Promise.all([whole.close(), byPart.close()]);
    },
  };
}

/** Bytes of lists that a thread holds at a time. */
const stepBytes = 150 * 2 ** 20;

function mostOf(starts: Int32Array): number {
  let most = 1;
  for (let image = 0; image + 1 < starts.length; image++) most = Math.max(most, starts[image + 1]! - starts[image]!);
  return most;
}

/** Writes the cosines of an image with candidates by their places; the candidates' vectors stay in memory where they fit. */
function similarities(images: VectorFile, candidates: Int32Array) {
  const { dimension } = images;
  const fits = candidates.length * dimension * 4 <= 2 ** 30;
  let all: Promise<Float32Array> | undefined;
  let last = -1;
  const own = new Float32Array(dimension);
  const load = async (rows: Int32Array): Promise<Float32Array> => {
    const vectors = new Float32Array(rows.length * dimension);
    await readVectors(images, rows, vectors);
    return vectors;
  };
  return async (image: number, places: Int32Array, into: Float32Array): Promise<void> => {
    if (fits) all ??= load(candidates);
    const vectors = all === undefined ? await load(places.map((place) => candidates[place]!)) : await all;
    if (image !== last) await readVectors(images, Int32Array.of(image), own);
    last = image;
    for (let at = 0; at < places.length; at++) {
      const from = (fits ? places[at]! : at) * dimension;
      into[at] = dotProduct(own, vectors.subarray(from, from + dimension), 0, dimension);
    }
  };
}
