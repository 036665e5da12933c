import { describe, expect, it } from "vitest";
import { stepSize } from "../store/mine-pool.ts";
import { DenseMemory } from "./dense-memory.ts";

describe("DenseMemory", () => {
  it("takes at most 150 MiB for the lists of a step and what is kept of them, whatever the depth", () => {
    const shape = { rows: 2, columns: 64, dimension: 8, sampleSize: 0 };
    for (const depth of [1, 100, 1024, 1366, 1825, 5000, 40_000, 1_000_000]) {
      const rows = stepSize({}, depth, 10_000_000);
      const { kernel, lists } = new DenseMemory(rows, depth, shape);
      // Vectors and scores of so few dimensions and columns, and what one list at a time is ranked in.
      expect(kernel.bytes.length - lists.capacity * 12, `depth ${depth}, ${rows} rows`).toBeLessThan(150.5 * 2 ** 20);
    }
  });
});
