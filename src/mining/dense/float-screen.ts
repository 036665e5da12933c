import { InferenceSession, Tensor } from "onnxruntime-node";
import type { CandidateBlocks } from "./candidate-blocks.ts";
import { gemmGraph } from "./gemm-graph.ts";
import { roundingOf, type ScoreScreen, type ScreenRows, type ScreenShape } from "./screen.ts";

/** Screening by the plain product in float32: its scores differ from exact ones by the order of their sums only. */
export async function openFloatScreen(blocks: CandidateBlocks, shape: ScreenShape): Promise<ScoreScreen> {
  const { rows, columns, dimension } = shape;
  const session = await InferenceSession.create(gemmGraph(rows, columns, dimension), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
  // Any order of d products and sums of unit vectors loses at most d · 2⁻²⁴.
  const margin = 2 * (dimension * 1.05 * 2 ** -24 + roundingOf(dimension));
  let current: Tensor | undefined;
  return {
    manner: "scores",
    raw: "float32",
    rows,
    prepare(vectors, count): ScreenRows {
      const data = new Float32Array(rows * dimension);
      data.set(vectors.subarray(0, count * dimension));
      return {
        tensor: new Tensor("float32", data, [rows, dimension]),
        scales: new Float32Array(count).fill(1),
        margins: new Float32Array(count).fill(margin),
        shifts: new Float64Array(count),
      };
    },
    async load(index) {
      current = await blocks.load(index);
      return undefined;
    },
    async score({ tensor }, scores) {
      await session.run({ queries: tensor, candidates: current as Tensor }, { scores });
    },
    close: () => session.release(),
  };
}
