import { parentPort, workerData } from "node:worker_threads";
import { takeTasks } from "../../io/index.ts";
import { fail, NemosaicError } from "../../model/index.ts";
import type { Preparation } from "./preparation.ts";
import type { PrepareAnswer, PrepareTask } from "./prepare-workers.ts";
import { imagesAtOnce, prepareImage } from "./preparer.ts";

/** The thread behind `openPrepareWorkers`: a few images at a time. */
const port = parentPort ?? fail("internal", "prepare-worker runs in a worker thread only");
const preparation = workerData as Preparation;
const queue: PrepareTask[] = [];
const running = new Set<Promise<void>>();

takeTasks(
  port,
  (task: PrepareTask) => {
    queue.push(task);
    if (running.size < imagesAtOnce) start();
  },
  () => {
    queue.length = 0;
    return Promise.all(running);
  },
);

port.postMessage("ready" satisfies PrepareAnswer);

function start(): void {
  const done: Promise<void> = work().finally(() => running.delete(done));
  running.add(done);
}

async function work(): Promise<void> {
  for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
    port.postMessage(await answerTo(task));
  }
}

async function answerTo({ id, ...task }: PrepareTask): Promise<PrepareAnswer> {
  try {
    await prepareImage(task, preparation);
    return { id };
  } catch (error) {
    const code = error instanceof NemosaicError ? error.code : undefined;
    return { id, code, message: error instanceof Error ? error.message : String(error) };
  }
}
