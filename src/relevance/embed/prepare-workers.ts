import { Worker } from "node:worker_threads";
import { stopWorker } from "../../io/index.ts";
import { type ErrorCode, NemosaicError } from "../../model/index.ts";
import type { Cut, Preparation } from "./preparation.ts";

/** A task for a worker and its answer; bytes are moved and `out` is shared, nothing is copied. */
export interface PrepareTask {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly out: Float32Array;
  readonly cut: Cut | undefined;
}
export type PrepareAnswer =
  | "ready"
  | { readonly id: number }
  | { readonly id: number; readonly code: ErrorCode | undefined; readonly message: string };

/** One thread of `openPrepareWorkers`. */
export interface PrepareWorker {
  /** Settles when it has started; tasks may be given before. */
  readonly ready: Promise<void>;
  /** As a preparer's; images are taken up in order. */
  prepare(bytes: Uint8Array, name: string, out: Float32Array, cut?: Cut): Promise<void>;
}

/** Starts `count` threads at `entry`. Where one dies, all tasks of all fail, and `onFailure` is told. */
export function openPrepareWorkers(
  entry: URL,
  preparation: Preparation,
  count: number,
  onFailure: (error: unknown) => void,
): { readonly each: readonly PrepareWorker[]; close(): Promise<void> } {
  const waiting = new Map<number, { resolve(): void; reject(error: unknown): void }>();
  let nextId = 0;
  let failure: unknown;
  const failAll = (error: unknown): void => {
    failure ??= error;
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
    onFailure(failure);
  };
  const workers: Worker[] = [];
  const open = (): PrepareWorker => {
    const worker = new Worker(entry, { workerData: preparation });
    workers.push(worker);
    const ready = new Promise<void>((resolve, reject) => {
      worker.once("exit", () => reject(failure));
      worker.on("message", (answer: PrepareAnswer) => {
        if (answer === "ready") return resolve();
        const task = waiting.get(answer.id);
        waiting.delete(answer.id);
        if (!("message" in answer)) task?.resolve();
        else if (answer.code === undefined) task?.reject(new Error(answer.message));
        else task?.reject(new NemosaicError(answer.code, answer.message));
      });
    });
    worker.on("error", failAll);
    // Whatever its code: one that is ended while it starts leaves with 0, and its tasks would wait for ever.
    worker.on("exit", (code) =>
      failAll(new NemosaicError("internal", `an image worker ended with ${code}: too little memory?`)),
    );
    ready.catch(() => undefined); // whoever waits for it is told; nobody has to
    return {
      ready,
      prepare(bytes, name, out, cut) {
        if (failure !== undefined) return Promise.reject(failure);
        const id = nextId++;
        // A copy, to be moved: small files are views of a pool that moving would take along, and memory that Node 24 reads
        // files into cannot be moved at all.
        const own = new Uint8Array(bytes);
        return new Promise((resolve, reject) => {
          waiting.set(id, { resolve, reject });
          worker.postMessage({ id, bytes: own, name, out, cut } satisfies PrepareTask, [own.buffer as ArrayBuffer]);
        });
      },
    };
  };
  return {
    each: Array.from({ length: count }, open),
    async close() {
      failAll(new NemosaicError("internal", "the image workers are closed"));
      await Promise.all(workers.map(stopWorker));
    },
  };
}
