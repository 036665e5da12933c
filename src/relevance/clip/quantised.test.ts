import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { quantisesByBatch } from "./quantised.ts";

it("finds the operator anywhere in the file, also across the blocks it is read in", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nemosaic-onnx-"));
  const path = join(folder, "model.onnx");
  try {
    for (const at of [0, 1000, (1 << 20) - 7, (1 << 21) - 1]) {
      const bytes = Buffer.alloc(1 << 22, "x");
      await writeFile(path, bytes);
      expect(await quantisesByBatch(path)).toBe(false);
      bytes.write("DynamicQuantizeLinear", at);
      await writeFile(path, bytes);
      expect(await quantisesByBatch(path), `at byte ${at}`).toBe(true);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
