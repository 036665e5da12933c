import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { decodeImage } from "../../codecs/index.ts";
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
export function openPreparer(preprocessing: Preprocessing, threads = availableParallelism() - 1): Preparer {
  const isSource = import.meta.url.endsWith(".ts");
  const runsSource = "typescript" in process.features && process.features.typescript !== false;
  if (isSource && !runsSource) return hereIn(preprocessing);
  const entry = new URL(isSource ? "./prepare-worker.ts" : "./prepare-worker.js", import.meta.url);
  return inWorkers(entry, preprocessing, Math.max(1, threads));
}

/** Decodes and preprocesses one image. */
export async function prepareImage(
  bytes: Uint8Array,
  name: string,
  preprocessing: Preprocessing,
): Promise<Float32Array> {
  const image = await decodeImage(bytes, { where: name });
  const tensor = new Float32Array(3 * preprocessing.width * preprocessing.height);
  preprocessImage(image, preprocessing, tensor);
  return tensor;
}

/** Decoded images in memory at a time; the codec's own threads work on them. */
const imagesAtOnce = 4;

function hereIn(preprocessing: Preprocessing): Preparer {
  const line: (() => void)[] = [];
  let running = 0;
  return {
    threads: 0,
    async prepare(bytes, name) {
      if (running >= imagesAtOnce) await new Promise<void>((resolve) => line.push(resolve));
      else running++;
      try {
        return await prepareImage(bytes, name, preprocessing);
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

function inWorkers(entry: URL, preprocessing: Preprocessing, threads: number): Preparer {
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
    const worker = new Worker(entry, { workerData: preprocessing });
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
