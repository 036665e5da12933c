import { stat } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { stopWorker } from "../../io/index.ts";
import { type ErrorCode, NemosaicError } from "../../model/index.ts";
import { runStepsAtOnce } from "./in-steps.ts";
import type { PreprocessedBatch, VisionTask } from "./vision.ts";

/**
 * Runs of the vision model side by side, each in a thread with a session of its own. Two sessions of one thread finish
 * more batches than one session of two: nothing waits at the end of each operator, and a core that decodes an image
 * in between holds up only its own lane.
 */
export interface ImageLanes {
  readonly count: number;
  /**
   * As the model's: the batch's steps, each in the first lane that is free, so that all lanes end together. Shared pixels
   * are not copied on the way. `onBusy` is told when a lane takes up a step (1) and when it is done with it (-1).
   */
  embedImages(batch: PreprocessedBatch, onBusy?: OnBusy): Promise<Float32Array>;
}

export type OnBusy = (by: 1 | -1) => void;

/** What a lane's worker is started with. */
export interface LaneSettings {
  readonly vision: VisionTask;
  readonly threads: number;
}

/** One step of a batch, from its row `firstRow` on. */
export interface LaneTask {
  readonly id: number;
  readonly step: PreprocessedBatch;
  readonly firstRow: number;
}
export type LaneAnswer =
  | { readonly id: number; readonly vectors: Float32Array }
  | { readonly id: number; readonly code: ErrorCode | undefined; readonly message: string };

interface Waiting {
  resolve(vectors: Float32Array): void;
  reject(error: unknown): void;
  readonly onBusy: OnBusy | undefined;
}

const mostLanes = 4;
/** Each lane holds the weights and the activations of a batch: so many bytes of weights, all lanes together, are fine. */
const mostWeightBytes = 2 * 2 ** 30;

/** How many lanes a model file gets of so many threads, all lanes with equally many; 1: better none. */
export async function laneCount(path: string, threads: number): Promise<number> {
  const sizes = await Promise.all(
    ["", "_data", ".data"].map((ending) =>
      stat(`${path}${ending}`).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  const weights = sizes.reduce((sum, size) => sum + size, 0);
  let best = 1; // of more threads than lanes, one or two may be left to those that decode
  for (let lanes = 2; lanes <= Math.min(mostLanes, threads, mostWeightBytes / weights); lanes++) {
    if (best === 1 || busy(lanes, threads) >= busy(best, threads)) best = lanes;
  }
  return best;
}

const busy = (lanes: number, threads: number): number => lanes * Math.floor(threads / lanes);

/** Starts `count` lanes that share `threads`. Where one dies, all that is asked of them then and later fails. */
export function openLanes(
  entry: URL,
  vision: VisionTask,
  count: number,
  threads: number,
): ImageLanes & { close(): Promise<void> } {
  const settings: LaneSettings = { vision, threads: Math.floor(threads / count) };
  const waiting = new Map<number, Waiting>();
  const line: LaneTask[] = [];
  const free: Worker[] = [];
  let nextId = 0;
  let failure: unknown;
  const give = (worker: Worker, task: LaneTask): void => {
    worker.postMessage(task);
    waiting.get(task.id)?.onBusy?.(1);
  };
  const failAll = (error: unknown): void => {
    failure ??= error;
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
    line.length = 0;
  };
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(entry, { workerData: settings });
    worker.on("message", (answer: LaneAnswer) => {
      const task = waiting.get(answer.id);
      waiting.delete(answer.id);
      task?.onBusy?.(-1);
      const next = line.shift();
      if (next === undefined) free.push(worker);
      else give(worker, next);
      if ("vectors" in answer) task?.resolve(answer.vectors);
      else if (answer.code === undefined) task?.reject(new Error(answer.message));
      else task?.reject(new NemosaicError(answer.code, answer.message));
    });
    worker.on("error", failAll);
    worker.on("exit", (code) =>
      failAll(new NemosaicError("internal", `a model worker ended with ${code}: too little memory?`)),
    );
    free.push(worker);
    return worker;
  });
  const inFreeLane = (step: PreprocessedBatch, firstRow: number, onBusy?: OnBusy): Promise<Float32Array> => {
    if (failure !== undefined) return Promise.reject(failure);
    return new Promise((resolve, reject) => {
      const task: LaneTask = { id: nextId++, step, firstRow };
      waiting.set(task.id, { resolve, reject, onBusy });
      const worker = free.shift();
      if (worker === undefined) line.push(task);
      else give(worker, task);
    });
  };
  return {
    count,
    embedImages: (batch, onBusy) =>
      runStepsAtOnce(batch.count, vision.imagesAtOnce, (start, end) =>
        inFreeLane(stepOf(batch, start, end), start, onBusy),
      ),
    async close() {
      failAll(new NemosaicError("internal", "the model's lanes are closed"));
      await Promise.all(workers.map(stopWorker));
    },
  };
}

function stepOf({ pixels, count }: PreprocessedBatch, start: number, end: number): PreprocessedBatch {
  const perImage = pixels.length / count;
  const some = pixels.subarray(start * perImage, end * perImage);
  // A view takes all of its memory along to another thread, where that is not shared.
  const isApart = some.byteLength === some.buffer.byteLength || some.buffer instanceof SharedArrayBuffer;
  return { pixels: isApart ? some : some.slice(), count: end - start };
}
