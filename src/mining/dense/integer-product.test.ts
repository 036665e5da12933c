import { Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { CounterRandom } from "../../kernels/index.ts";
import { integersAreExact, mostBias, openByteProduct, openIntegerProduct, zeroByte } from "./integer-product.ts";

describe("products of integers", () => {
  it("are what multiplying says, as sums and as bytes of a frame, to half a step", async () => {
    for (const [rows, columns, dimension] of [
      [3, 64, 1],
      [16, 128, 37],
      [5, 192, 300],
    ] as const) {
      const random = new CounterRandom(5, rows, columns, dimension);
      const data = Uint8Array.from({ length: rows * dimension }, () => 1 + random.below(255));
      const candidates = Int8Array.from({ length: dimension * columns }, () => random.below(255) - 127);
      const scales = Float32Array.from({ length: columns }, () => 0.001 + random.float() * 0.01);
      const biases = Int32Array.from({ length: columns }, (_, at) =>
        at % 7 === 0 ? -mostBias : random.below(60_000) - 20_000,
      );
      const [scale, step] = [Math.fround(0.02), Math.fround(0.01 * Math.sqrt(dimension))];
      const queries = new Tensor("uint8", data, [rows, dimension]);
      const sums = new Int32Array(rows * columns);
      const bytes = new Uint8Array(rows * columns);
      const whole = await openIntegerProduct(rows, dimension, candidates);
      await whole.score(queries, new Tensor("int32", sums, [rows, columns]));
      await whole.close();
      const framed = await openByteProduct(rows, dimension, candidates, scales);
      const shape = [1, columns];
      await framed.score(
        queries,
        scale,
        new Tensor("int32", biases, shape),
        step,
        new Tensor("uint8", bytes, [rows, columns]),
      );
      await framed.close();
      let inside = 0;
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          let sum = 0;
          for (let k = 0; k < dimension; k++) {
            sum += (data[row * dimension + k]! - zeroByte) * candidates[k * columns + column]!;
          }
          const at = row * columns + column;
          expect(sums[at]).toBe(sum);
          const exact = ((sum + biases[column]!) * scale * scales[column]!) / step;
          expect(Math.abs(bytes[at]! - Math.max(0, Math.min(255, exact)))).toBeLessThanOrEqual(0.502);
          if (exact > 0 && exact < 255) inside++;
        }
      }
      expect(inside).toBeGreaterThan(rows * columns * 0.02);
    }
  });

  it("are known to be exact here, or not to be", async () => {
    expect(typeof (await integersAreExact(64, 40))).toBe("boolean");
  });
});
