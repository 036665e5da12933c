import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { laneCount } from "./image-lanes.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nemosaic-lanes-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of that length that takes no room. */
function file(name: string, bytes: number): string {
  const path = join(folder, name);
  writeFileSync(path, "");
  truncateSync(path, bytes);
  return path;
}

it("keeps as many threads busy as it can in up to four lanes of equally many", async () => {
  const small = file("small.onnx", 1e6);
  const lanes = await Promise.all([1, 2, 3, 4, 5, 6, 8, 9, 16].map((threads) => laneCount(small, threads)));
  expect(lanes).toEqual([1, 2, 3, 4, 4, 3, 4, 3, 4]);
});

it("holds fewer copies of a large model, also where its weights are in a file beside", async () => {
  const gigabyte = 2 ** 30;
  expect(await laneCount(file("large.onnx", gigabyte), 8)).toBe(2);
  expect(await laneCount(file("huge.onnx", 1.5 * gigabyte), 8)).toBe(1);
  const split = file("split.onnx", 1000);
  file("split.onnx_data", 1.5 * gigabyte);
  expect(await laneCount(split, 8)).toBe(1);
});
