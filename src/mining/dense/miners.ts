import { Worker } from "node:worker_threads";
import { stopWorker } from "../../io/index.ts";
import { type ErrorCode, NemosaicError } from "../../model/index.ts";
import type { MinedColumns, StepMiner } from "../scorer.ts";
import type { DenseMinerSetup } from "./open-dense-miner.ts";

/** What a mining thread is started with. */
export interface MinerSetup extends DenseMinerSetup {
  /** Paths of the .npy files. */
  readonly images: string;
  readonly expressions: string;
}

export interface MineTask {
  readonly expressions: Int32Array;
  readonly images: Int32Array;
  readonly imageOf: Int32Array;
}

export type MineAnswer =
  | { readonly columns: MinedColumns }
  | { readonly code: ErrorCode | undefined; readonly message: string };

export interface WorkerMiners {
  readonly miners: readonly StepMiner[];
  close(): Promise<void>;
}

/** Whether this program can start threads of its own: compiled, not run from TypeScript by a Node that does not know it. */
export function canWork(): boolean {
  return import.meta.url.endsWith(".js");
}

/**
 * Threads that mine steps side by side: onnxruntime-node blocks the thread that calls it, and selection is as parallel
 * as the product. Close them when done.
 */
export function openMiners(setup: MinerSetup, threads: number): WorkerMiners {
  const started = Array.from({ length: threads }, (): Thread => {
    // Without the program's own flags: some, such as --input-type, keep a thread from starting.
    const worker = new Worker(new URL("./mine-worker.js", import.meta.url), { workerData: setup, execArgv: [] });
    const thread: Thread = { worker, failure: undefined };
    // Between tasks nobody else listens; a task for a thread that is gone would never be answered.
    worker.on("error", (error) => {
      thread.failure ??= error;
    });
    worker.on("exit", (code) => {
      thread.failure ??= endedWith(code);
    });
    return thread;
  });
  return {
    miners: started.map((thread) => ({ mine: (...step) => mineIn(thread, step) })),
    async close() {
      await Promise.all(started.map(({ worker }) => stopWorker(worker)));
    },
  };
}

interface Thread {
  readonly worker: Worker;
  /** Why it can mine no more. */
  failure: unknown;
}

function endedWith(code: number): NemosaicError {
  return new NemosaicError("internal", `a mining thread ended with ${code}: too little memory?`);
}

/** One task at a time for each worker. */
function mineIn(
  { worker, failure }: Thread,
  [expressions, images, imageOf]: readonly [Int32Array, Int32Array, Int32Array],
): Promise<MinedColumns> {
  if (failure !== undefined) return Promise.reject(failure);
  return new Promise((resolve, reject) => {
    const done = (): void => {
      worker.off("message", answered);
      worker.off("error", failed);
      worker.off("exit", ended);
    };
    const answered = (answer: MineAnswer): void => {
      done();
      if ("columns" in answer) resolve(answer.columns);
      else if (answer.code === undefined) reject(new Error(answer.message));
      else reject(new NemosaicError(answer.code, answer.message));
    };
    const failed = (error: unknown): void => {
      done();
      reject(error);
    };
    const ended = (code: number): void => {
      done();
      reject(endedWith(code));
    };
    worker.on("message", answered);
    worker.on("error", failed);
    worker.on("exit", ended);
    worker.postMessage({ expressions, images, imageOf } satisfies MineTask);
  });
}
