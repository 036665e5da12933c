import { Worker } from "node:worker_threads";
import { type Progress, stopWorker } from "../../io/index.ts";
import { type ErrorCode, NemosaicError } from "../../model/index.ts";
import { type RiskFacts, unmeasuredObjects } from "../../risk/index.ts";
import type { RiskBlock, RiskTask } from "./risk-block.ts";

/** What a thread is started with: facts whose arrays all threads share, and the pool's folder. */
export interface RiskSetup {
  readonly facts: RiskFacts;
  readonly pool: string;
}

/** A part of the work: pairs to estimate, or objects whose boxes are not stated. */
export type RiskOrder = RiskTask | { readonly unmeasured: Int32Array };
export type RiskAnswer =
  | RiskBlock
  | { readonly measured: number }
  | { readonly code: ErrorCode | undefined; readonly message: string };

/** Close them when done. */
export interface RiskThreads {
  /** Measures, into the shared facts, the boxes that the dataset does not state. To be done before the first estimate. */
  measureBoxes(progress: Progress): Promise<void>;
  estimate(task: RiskTask): Promise<RiskBlock>;
  close(): Promise<void>;
}

/** Threads start from compiled files only: Node does not know TypeScript. */
export function canStartThreads(): boolean {
  return import.meta.url.endsWith(".js");
}

export function riskWorker(): URL {
  return new URL("./risk-worker.js", import.meta.url);
}

interface Job {
  readonly order: RiskOrder;
  resolve(answer: RiskAnswer): void;
  reject(error: unknown): void;
}

interface Thread {
  readonly worker: Worker;
  /** Jobs that it has, in order: the one that it works on, and the next. */
  readonly jobs: Job[];
}

/** Starts `count` threads at `entry`. Where one ends, all that is asked of any fails. */
export function openRiskThreads(entry: URL, setup: RiskSetup, count: number): RiskThreads {
  const queue: Job[] = [];
  let failure: unknown;
  const threads = Array.from({ length: count }, (): Thread => {
    // Without the program's own flags: some, such as --input-type, keep a thread from starting.
    return { worker: new Worker(entry, { workerData: setup, execArgv: [] }), jobs: [] };
  });
  const feed = (): void => {
    // Each its first before any gets the second.
    for (let most = 1; most <= 2; most++)
      for (const { worker, jobs } of threads) {
        const job = jobs.length < most ? queue.shift() : undefined;
        if (job === undefined) continue;
        jobs.push(job);
        const moved = "ids" in job.order ? job.order.ids : job.order.unmeasured;
        worker.postMessage(job.order, [moved.buffer as ArrayBuffer]);
      }
  };
  const failAll = (error: unknown): void => {
    failure ??= error;
    for (const { reject } of [...queue.splice(0), ...threads.flatMap(({ jobs }) => jobs.splice(0))]) reject(failure);
  };
  for (const { worker, jobs } of threads) {
    worker.on("message", (answer: RiskAnswer) => {
      const job = jobs.shift();
      feed();
      if (!("message" in answer)) job?.resolve(answer);
      else job?.reject(new NemosaicError(answer.code ?? "internal", answer.message));
    });
    worker.on("error", (error) =>
      failAll(new NemosaicError("internal", `a thread that estimates risks failed: ${(error as Error).message}`)),
    );
    // Whatever its code: who waits for it would wait for ever.
    worker.on("exit", (code) =>
      failAll(
        new NemosaicError(
          "internal",
          `a thread that estimates risks ended with ${code}: too little memory? Run it again, with --threads 1: it continues where it stopped`,
        ),
      ),
    );
  }
  const ask = (order: RiskOrder): Promise<RiskAnswer> => {
    if (failure !== undefined) return Promise.reject(failure);
    return new Promise((resolve, reject) => {
      queue.push({ order, resolve, reject });
      feed();
    });
  };
  return {
    async measureBoxes(progress) {
      const objects = unmeasuredObjects(setup.facts);
      if (objects.length === 0) return;
      const task = progress.begin("boxes of masks", objects.length, "objects");
      const parts = Array.from({ length: Math.ceil(objects.length / boxesAtOnce) }, async (_, part) => {
        const some = objects.slice(part * boxesAtOnce, (part + 1) * boxesAtOnce);
        const count = some.length;
        await ask({ unmeasured: some });
        task.advance(count);
      });
      await Promise.all(parts).finally(() => task.end());
    },
    async estimate(task) {
      return (await ask(task)) as RiskBlock;
    },
    async close() {
      failAll(new NemosaicError("internal", "the threads that estimate risks are closed"));
      await Promise.all(threads.map(({ worker }) => stopWorker(worker)));
    },
  };
}

const boxesAtOnce = 500;
