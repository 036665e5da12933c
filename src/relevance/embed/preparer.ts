import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type DecodedImage, decodeImage, decodeImageAtLeast } from "../../codecs/index.ts";
import { type ErrorCode, NemosaicError } from "../../model/index.ts";
import { type Preprocessing, preprocessImage, workerEntry } from "../clip/index.ts";

/** Turns encoded images into tensors beside the model's runs. Holds threads until `close`. */
export interface Preparer {
  /** Threads of its own; 0 where it works in the caller's. */
  readonly threads: number;
  /**
   * Writes float32 [3, height, width] into `out`, which is best shared memory: other memory is copied. Errors are those of
   * decoding, with `name` in them. `bytes` may be given away.
   */
  prepare(bytes: Uint8Array, name: string, out: Float32Array): Promise<void>;
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

/** A task for a worker and its answer; bytes are moved and `out` is shared, nothing is copied. */
export interface PrepareTask {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly out: Float32Array;
}
export type PrepareAnswer =
  | { readonly id: number }
  | { readonly id: number; readonly code: ErrorCode | undefined; readonly message: string };

/**
 * A preparer with `threads` workers (default: one less than the cores, at least 1). onnxruntime-node runs a model in the
 * calling thread, so that only work in other threads overlaps it. Run from TypeScript sources, where this Node cannot start
 * a worker, it works in the caller's thread, to the same numbers.
 */
export function openPreparer(preparation: Preparation, threads = availableParallelism() - 1): Preparer {
  const entry = workerEntry("prepare-worker", import.meta.url);
  return entry === undefined ? hereIn(preparation) : inWorkers(entry, preparation, Math.max(1, threads));
}

/** Decodes and preprocesses one image into `out`; a bad image leaves it as it was. */
export async function prepareImage(
  bytes: Uint8Array,
  name: string,
  out: Float32Array,
  preparation: Preparation,
): Promise<void> {
  preprocessImage(await decode(bytes, name, preparation), preparation.preprocessing, out);
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
    async prepare(bytes, name, out) {
      if (running >= imagesAtOnce) await new Promise<void>((resolve) => line.push(resolve));
      else running++;
      try {
        await prepareImage(bytes, name, out, preparation);
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
  resolve(): void;
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
      if (!("message" in answer)) task?.resolve();
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
    prepare(bytes, name, out) {
      const id = nextId++;
      const worker = workers[id % threads];
      if (worker === undefined || failure !== undefined) return Promise.reject(failure);
      // A view of a shared pool (small files) must be copied: moving it would take the pool along.
      const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
      return new Promise((resolve, reject) => {
        waiting.set(id, { worker, resolve, reject });
        worker.postMessage({ id, bytes: own, name, out } satisfies PrepareTask, [own.buffer as ArrayBuffer]);
      });
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
      failAll(new NemosaicError("internal", "the image workers are closed"));
    },
  };
}
