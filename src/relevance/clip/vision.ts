import { runInSteps } from "./in-steps.ts";
import { normaliseRows } from "./normalise-rows.ts";
import type { OnnxSession } from "./session.ts";
import { visionTower } from "./towers.ts";

/** Images ready for a model: float32 [count, 3, height, width] as the model's preprocessing says. */
export interface PreprocessedBatch {
  readonly pixels: Float32Array;
  readonly count: number;
}

/** What a vision model is run with; plain data, for worker threads. */
export interface VisionTask {
  readonly path: string;
  readonly height: number;
  readonly width: number;
  /** Images in one run of the model: larger batches are run in steps. */
  readonly imagesAtOnce: number;
  /** The model's name for error lines. */
  readonly where: string;
}

/**
 * Raw image vectors of a batch, scaled to length 1: float32 [count, dimension]. Does not modify the batch. Errors count
 * its rows from `firstRow`.
 */
export function embedBatch(
  session: OnnxSession,
  { pixels, count }: PreprocessedBatch,
  task: VisionTask,
  firstRow = 0,
): Promise<Float32Array> {
  const { height, width, imagesAtOnce, where } = task;
  const perImage = 3 * height * width;
  const vision = visionTower(session, { height, width });
  return runInSteps(count, imagesAtOnce, async (start, end) => {
    const some = pixels.subarray(start * perImage, end * perImage);
    const rows = await vision.run(some, end - start, height, width);
    return normaliseRows(rows.data.slice(), rows.shape[1] ?? 0, where, firstRow + start);
  });
}
