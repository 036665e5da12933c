import { describe, expect, it } from "vitest";
import { CounterRandom } from "../../kernels/index.ts";
import { memoryVectors, signVectors } from "../exact-vectors.contract.ts";
import { createGroupedScorer } from "./grouped-scorer.ts";

const dimension = 64;
/** 1 to 5 vectors an image. */
function setup(images: number, expressions: number) {
  const random = new CounterRandom(4, images, 0, 9);
  const starts = new Int32Array(images + 1);
  for (let image = 0; image < images; image++) starts[image + 1] = starts[image]! + 1 + random.below(5);
  const all = signVectors(starts[images]!, dimension, 1);
  const first = new Float32Array(images * dimension);
  for (let image = 0; image < images; image++)
    first.set(all.subarray(starts[image]! * dimension, (starts[image]! + 1) * dimension), image * dimension);
  return { starts, all, first, texts: signVectors(expressions, dimension, 2) };
}

const dot = (a: Float32Array, i: number, b: Float32Array, j: number): number => {
  let sum = 0;
  for (let k = 0; k < dimension; k++) sum += a[i * dimension + k]! * b[j * dimension + k]!;
  return sum;
};

describe("createGroupedScorer", () => {
  it.each([1, 7, 40])("gives the %i best images by their best vectors, as a search of all would", async (depth) => {
    const [images, expressions] = [60, 23];
    const { starts, all, first, texts } = setup(images, expressions);
    const candidates = Int32Array.from({ length: 47 }, (_, at) => at + (at > 20 ? 9 : 2));
    const scorer = await createGroupedScorer(
      memoryVectors(first, dimension),
      { vectors: memoryVectors(all, dimension), starts },
      memoryVectors(texts, dimension),
      { candidates, threads: 1 },
    );
    const best = (e: number, image: number): number => {
      let most = -2;
      for (let row = starts[image]!; row < starts[image + 1]!; row++) most = Math.max(most, dot(texts, e, all, row));
      return most;
    };
    const step = Int32Array.from({ length: expressions }, (_, e) => e);
    const own = Int32Array.from({ length: 4 }, (_, at) => at * 11);
    const imageOf = step.map((e) => Math.floor((e * 4) / expressions));
    const [miner] = (await scorer.miners?.("t2i", depth, 10)) ?? [];
    const columns = await miner!.mine(step, own, imageOf);
    for (const e of step) {
      const wanted = [...candidates].sort((a, b) => best(e, b) - best(e, a) || a - b).slice(0, depth);
      const at = (column: ArrayLike<number>): number[] =>
        Array.from({ length: depth }, (_, i) => column[e * depth + i]!);
      expect(at(columns.ids).map((place) => candidates[place])).toEqual(wanted);
      expect(at(columns.t2i)).toEqual(wanted.map((image) => best(e, image)));
      expect(at(columns.i2i)).toEqual(wanted.map((image) => dot(first, own[imageOf[e]!]!, first, image)));
    }
    const pairs = await scorer.pairs(step, step);
    expect([...pairs]).toEqual([...step].map((e) => best(e, e)));
    await expect(scorer.miners?.("i2i", depth, 10)).rejects.toThrow("expected --rank t2i");
    await scorer.close();
  });
});
