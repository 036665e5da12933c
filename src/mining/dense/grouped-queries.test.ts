import { describe, expect, it } from "vitest";
import { CounterRandom } from "../../kernels/index.ts";
import { dot, memoryVectors, signVectors } from "../exact-vectors.contract.ts";
import { createDenseScorer } from "./dense-scorer.ts";
import { groupedQueries } from "./grouped-queries.ts";

const dimension = 64;

describe("groupedQueries", () => {
  // One row at a time, slices that cut a query's vectors, and all at once.
  it.each([
    [1, 1],
    [9, 4],
    [60, 100],
  ])("gives the %i best of each query by the best of its vectors, %i rows at a time", async (depth, rows) => {
    const [queries, sentences] = [17, 60];
    const random = new CounterRandom(4, queries, 0, 9);
    const starts = new Int32Array(queries + 1);
    for (let query = 0; query < queries; query++) starts[query + 1] = starts[query]! + 1 + random.below(6);
    const vectors = signVectors(starts[queries]!, dimension, 1);
    const texts = signVectors(sentences, dimension, 2);
    const candidates = Int32Array.from({ length: sentences }, (_, at) => at);
    const dense = await createDenseScorer(memoryVectors(texts, dimension), memoryVectors(vectors, dimension), {
      candidates,
      threads: 1,
    });
    const scorer = groupedQueries(dense, starts);
    const [miner] = (await scorer.miners?.("t2i", depth, rows)) ?? [];
    const asked = Int32Array.from({ length: 11 }, (_, at) => at + (at > 5 ? 4 : 0));
    const { ids, t2i } = await miner!.mine(asked, new Int32Array(11), new Int32Array(11));
    const best = (query: number, sentence: number): number => {
      let most = -2;
      for (let row = starts[query]!; row < starts[query + 1]!; row++)
        most = Math.max(most, dot(vectors, row, texts, sentence, dimension));
      return most;
    };
    for (const [at, query] of asked.entries()) {
      const wanted = [...candidates].sort((a, b) => best(query, b) - best(query, a) || a - b).slice(0, depth);
      expect([...ids.subarray(at * depth, (at + 1) * depth)]).toEqual(wanted);
      expect([...t2i.subarray(at * depth, (at + 1) * depth)]).toEqual(wanted.map((each) => best(query, each)));
    }
    await expect(scorer.miners?.("i2i", depth, rows)).rejects.toThrow("expected rank t2i");
    await scorer.close();
  });
});
