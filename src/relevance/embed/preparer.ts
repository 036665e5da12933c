import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type DecodedImage, decodeImage, decodeImageAtLeast } from "../../codecs/index.ts";
import { type ErrorCode, NemosaicError } from "../../model/index.ts";
import { type Preprocessing, preprocessImage } from "../clip/index.ts";

/** Turns encoded images into tensors beside the model's runs. Holds threads until `close`. */
export interface Preparer {
  /** Threads of its own; 0 where it works in the caller's. */
  readonly threads: number;
  /** float32 [3, height, width]. Errors are those of decoding, with `name` in them. `bytes` may be given away. */
  prepare(bytes: Uint8Array, name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * How images are decoded: "exact" as Pillow does, or "fast", where JPEGs are scaled down by 2, 4 or 8 while they are
 * decoded as long as they stay at least as large as the model's input.
 */
export type Decode = "exact" | "fast";

/** What a preparer does to each image; also what its workers are started with. */
export interface Preparation {
  readonly preprocessing: Preprocessing;
  readonly decode: Decode;
}

/** A task for a worker and its answer; tensors and bytes are moved, not copied. */
export interface PrepareTask {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly name: string;
}
export type PrepareAnswer =
  | { readonly id: number; readonly tensor: Float32Array }
  | { readonly id: number; readonly code: ErrorCode | undefined; readonly message: string };

/**
 * A preparer with `threads` workers (default: one less than the cores, at least 1). onnxruntime-node runs a model in the
 * calling thread, so that only work in other threads overlaps it. Run from TypeScript sources, where this Node cannot start
 * a worker, it works in the caller's thread, to the same numbers.
 */
export function openPreparer(preparation: Preparation, threads = availableParallelism() - 1): Preparer {
  const isSource = import.meta.url.endsWith(".ts");
  const runsSource = "typescript" in process.features && process.features.typescript !== false;
  if (isSource && !runsSource) return hereIn(preparation);
  const entry = new URL(isSource ? "./prepare-worker.ts" : "./prepare-worker.js", import.meta.url);
  return inWorkers(entry, preparation, Math.max(1, threads));
}

/** Decodes and preprocesses one image. */
export async function prepareImage(bytes: Uint8Array, name: string, preparation: Preparation): Promise<Float32Array> {
  const { preprocessing } = preparation;
  const image = await decode(bytes, name, preparation);
  const tensor = new Float32Array(3 * preprocessing.width * preprocessing.height);
  preprocessImage(image, preprocessing, tensor);
  return tensor;
}

function decode(bytes: Uint8Array, where: string, preparation: Preparation): Promise<DecodedImage> {
  const { resize } = preparation.preprocessing;
  if (preparation.decode === "exact" || resize === undefined) return decodeImage(bytes, { where });
  const [width, height] = resize.kind === "exact" ? [resize.width, resize.height] : [resize.edge, resize.edge];
  return decodeImageAtLeast(bytes, width, height, { where });
}

/** Decoded images in memory at a time; the codec's own threads work on them. */
const imagesAtOnce = 4;

function hereIn(preparation: Preparation): Preparer {
  const line: (() => void)[] = [];
  let running = 0;
  return {
    threads: 0,
    async prepare(bytes, name) {
      if (running >= imagesAtOnce) await new Promise<void>((resolve) => line.push(resolve));
      else running++;
      try {
        return await prepareImage(bytes, name, preparation);
      } finally {
        const next = line.shift();
        if (next === undefined) running--;
        else next();
      }
    },
    close: () => Promise.resolve(),
  };
}

interface Waiting {
  resolve(tensor: Float32Array): void;
  reject(error: unknown): void;
}

function inWorkers(entry: URL, preparation: Preparation, threads: number): Preparer {
  const waiting = new Map<number, Waiting & { readonly worker: Worker }>();
  let nextId = 0;
  let failure: unknown;
  const failAll = (error: unknown): void => {
    failure ??= error;
    for (const [id, { reject }] of waiting) {
      waiting.delete(id);
      reject(failure);
    }
  };
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(entry, { workerData: preparation });
    worker.on("message", (answer: PrepareAnswer) => {
      const task = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ("tensor" in answer) task?.resolve(answer.tensor);
      else if (answer.code === undefined) task?.reject(new Error(answer.message));
      else task?.reject(new NemosaicError(answer.code, answer.message));
    });
    worker.on("error", failAll);
    worker.on("exit", (code) => {
      if (code !== 0) failAll(new NemosaicError("internal", `an image worker ended with ${code}: too little memory?`));
    });
    return worker;
  });
  return {
    threads,
    prepare(bytes, name) {
      const id = nextId++;
      const worker = workers[id % threads];
      if (worker === undefined || failure !== undefined) return Promise.reject(failure);
      // A view of a shared pool (small files) must be copied: moving it would take the pool along.
      const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
      return new Promise((resolve, reject) => {
        waiting.set(id, { worker, resolve, reject });
        worker.postMessage({ id, bytes: own, name } satisfies PrepareTask, [own.buffer as ArrayBuffer]);
      });
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
      failAll(new NemosaicError("internal", "the image workers are closed"));
    },
  };
}
