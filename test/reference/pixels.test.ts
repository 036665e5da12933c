import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rleToMask } from "../../src/kernels/index.ts";
import { Loader } from "../../src/loader/index.ts";
import type { Pool } from "../../src/pool/index.ts";
import { parseSettings } from "../../src/settings/index.ts";
import { pythonHas, runPythonBytes } from "../peers.ts";
import { mineSmall, smallPool } from "../small-pool.ts";

/** The released loader's file, where somebody has it: then it is run itself, beside our description of its steps. */
const released = process.env.NEMOSAIC_REFERENCE;
const script = (name: string): string => readFileSync(join(import.meta.dirname, name), "utf8");
let pool: Pool;

beforeAll(async () => {
  pool = await smallPool({ images: 14, refsPerImage: 2, valImages: 2 });
  await mineSmall(pool);
});
afterAll(() => pool.close());

/** Samples of `nemo-reference`, and the jobs that make the same ones elsewhere. */
async function samples(size: number, grid: string, blur: number): Promise<{ jobs: object[]; ours: Buffer }> {
  const settings = parseSettings(
    {
      preset: "nemo-reference",
      size,
      mosaic: { gamma: 0.8, randomShare: 0.5, grid, blur },
      band: { tau: 0.7 },
      tokens: { kind: "none" },
    },
    "test",
  );
  const loader = await Loader.open(pool, settings, { seed: 3 });
  const batch = await loader.get(
    0,
    Array.from({ length: 8 }, (_, at) => at),
  );
  const pixels = size * size;
  const parts = batch.plans.map((_, at) => [
    batch.image.subarray(at * pixels * 3, (at + 1) * pixels * 3),
    batch.mask.subarray(at * pixels, (at + 1) * pixels),
  ]);
  const jobs = await Promise.all(
    batch.plans.map(async (plan) => ({
      size,
      blur: blur > 0,
      target: plan.layers.findIndex(({ role }) => role === "target"),
      mask: Array.from(rleToMask(loader.truth(plan))),
      cells: await Promise.all(plan.layers.map(({ image }) => pool.imagePath(pool.imageRow(image)))),
    })),
  );
  expect(new Set(batch.plans.map(({ layers }) => layers.length)).size).toBeGreaterThan(1);
  await loader.close();
  return { jobs, ours: Buffer.concat(parts.flat()) };
}

describe("nemo-reference", () => {
  it.skipIf(!pythonHas("cv2", "PIL")).each([
    [416, "2x2", 0],
    [416, "3x3", 0],
    [100, "3x3", 0],
    [96, "mixed", 100],
  ])("draws S = %d, %s, blur %d to the pixels of the released loader's steps", async (size, grid, blur) => {
    const { jobs, ours } = await samples(size, grid, blur);
    const theirs = runPythonBytes(script("steps.py"), [], Buffer.from(JSON.stringify(jobs)));
    expect(Buffer.compare(theirs, ours)).toBe(0);
  });

  it.skipIf(released === undefined || !pythonHas("cv2", "torch")).each([
    [416, "2x2", 0],
    [416, "3x3", 0],
    [100, "3x3", 0],
    [96, "mixed", 100],
  ])(
    "draws S = %d, %s, blur %d to the pixels of the released file (where NEMOSAIC_REFERENCE names it)",
    async (size, grid, blur) => {
      const { jobs, ours } = await samples(size, grid, blur);
      const theirs = runPythonBytes(script("run_released.py"), [released ?? ""], Buffer.from(JSON.stringify(jobs)));
      expect(Buffer.compare(theirs, ours)).toBe(0);
    },
  );
});
