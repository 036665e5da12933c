import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { laneCount, openLanes } from "./image-lanes.ts";
import type { VisionTask } from "./vision.ts";

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

it("deals a batch out in steps to all lanes, and joins their vectors in order", async () => {
  const vision = { path: "none", imagesAtOnce: 2 } as VisionTask;
  // Answers each step with its first row, its length, what is in it, and how much memory came along.
  const entry = new URL(
    `data:text/javascript,import { parentPort, threadId } from "node:worker_threads";
     parentPort.on("message", ({ id, step, firstRow }) => setTimeout(() => parentPort.postMessage({ id, vectors:
       Float32Array.of(firstRow, step.count, step.pixels[0], step.pixels.length, step.pixels.buffer.byteLength, threadId) }), 50));`.replaceAll(
      "\n",
      " ",
    ),
  );
  const lanes = openLanes(entry, vision, 2, 2);
  const shared = new Float32Array(new SharedArrayBuffer(5 * 3 * 4));
  const own = new Float32Array(5 * 3);
  for (let i = 0; i < own.length; i++) shared[i] = own[i] = i;
  const busy: number[] = [];
  for (const [pixels, memory] of [
    [shared, [60, 60, 60]],
    [own, [24, 24, 12]],
  ] as const) {
    const answers = await lanes.embedImages({ pixels, count: 5 }, (by) => busy.push((busy.at(-1) ?? 0) + by));
    const rows = [0, 1, 2].map((row) => [...answers.slice(6 * row, 6 * row + 6)]);
    expect(rows.map((row) => row.slice(0, 5))).toEqual([
      [0, 2, 0, 6, memory[0]],
      [2, 2, 6, 6, memory[1]],
      [4, 1, 12, 3, memory[2]],
    ]);
    expect(new Set(rows.map((row) => row[5])).size).toBe(2);
  }
  expect([Math.max(...busy), Math.min(...busy), busy.at(-1), busy.length]).toEqual([2, 0, 0, 12]);
  expect(await lanes.embedImages({ pixels: new Float32Array(0), count: 0 })).toHaveLength(0);
  await lanes.close();
});

it("fails what is asked of lanes of which one has ended, however it did, now and later", async () => {
  const vision = { path: "none", imagesAtOnce: 1 } as VisionTask;
  const batch = { pixels: new Float32Array(3), count: 1 };
  const entry = new URL(
    `data:text/javascript,import { parentPort } from "node:worker_threads"; parentPort.on("message", () => process.exit(0));`,
  );
  const lanes = openLanes(entry, vision, 2, 2);
  const asked = Array.from({ length: 5 }, () => lanes.embedImages(batch));
  for (const answer of asked) await expect(answer).rejects.toThrow(/a model worker ended with 0/);
  await expect(lanes.embedImages(batch)).rejects.toThrow(/a model worker ended with 0/);
  await lanes.close();
});
