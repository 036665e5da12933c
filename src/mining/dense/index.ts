/**
 * Mining by embeddings: for each query the `depth` best of all candidates by dot product, to the bit as if every one had been scored exactly.
 * Screening with cheap scores of a proven bound leaves few to score. The way of a step (`dense-miner.ts`, `mine`):
 *
 *   vectors     queries and candidates from embeddings files, in blocks                 vector-file.ts, candidate-blocks.ts
 *   1 screen    approximate scores of all, in 8-bit integers (onnxruntime's product)    integer-screen.ts, or float-screen.ts
 *   2 shortlist all within the bound of the best, by block, one list a query            shortlist-bytes.ts, shortlist-scores.ts
 *   3 rescore   exact float32 scores of the shortlist, in a fixed order of sums         rescorer.ts
 *   4 rank      the best in order, ties by the smaller id, both scores filled in        dense-miner.ts, score-order.ts
 *
 * What the steps work in is one WebAssembly memory, taken once (`dense-memory.ts`, its lists in `lists.ts`); their loops are AssemblyScript
 * (`assembly/`: shortlist, cut, split, rescore, rank over scores).
 *
 * 1. Each side is centred and its dimensions weighted so that entries of both are of like size (`quantised-candidates.ts`,
 *    `row-quantiser.ts`); then q·c = q̂·ĉ + what rounding lost, and by Cauchy and Schwarz |lost| ≤ |q̃-q̂|·|c̃| + |q̂|·|c̃-ĉ|, whose factors
 *    are measured. So the bound holds for any vectors. By hand: q̃ = (3.2, 4), c̃ = (1, 2.1), rounded (3, 4) and (1, 2): 11 in place of
 *    11.6, and off by at most 0.2 · 2.33 + 5 · 0.1 = 0.97.
 * 2. A candidate further than two bounds below `depth` others cannot be among the best; the rest stay. Where candidates are many
 *    for the depth, scores come as bytes, a quarter of what would have to be moved: 255 steps from where a list can end to where it
 *    hardly ends. An evenly spread sample of the candidates tells where, and the guess is checked in the end. Queries whose lists end
 *    at like scores go together, so that one frame of steps suits a whole tile; what steps lose is added to the bound. Otherwise scores
 *    come as int32. About twice the depth stays.
 * 3. Of these the near ones, the best approximately, are rescored first; they tell a score that `depth` candidates reach, and of the far
 *    ones only what may reach it by its one bound follows: `split → prune → merge`, about 1.3 times the depth in all (ranked by the mean
 *    of two scores, or with candidates that do not stay in memory, all in one go). An image's score with a candidate is computed once,
 *    however many expressions ask.
 *
 * Where 8 bits are of no use (products that overflow on older processors, candidates that are nearly all alike or do not fit in the
 * memory) the float32 product screens. A list whose guess misled or that overflowed, as with many equal images, is made from exact scores
 * of all candidates (`Rescorer.search`). Neither changes a bit; nor do threads (`miners.ts`, one miner each), blocks or memory.
 */
export { listBytes } from "./dense-memory.ts";
export { createDenseScorer, type DenseScorerOptions } from "./dense-scorer.ts";
export { groupedQueries } from "./grouped-queries.ts";
export { createGroupedScorer, type ImageParts } from "./grouped-scorer.ts";
export type { VectorFile } from "./vector-file.ts";
