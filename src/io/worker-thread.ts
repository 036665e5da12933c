import type { MessagePort, Worker } from "node:worker_threads";

/*
 * A worker that is terminated while it runs native code (a model, a decoder) takes the whole process down: the code comes back
 * into an environment that is gone. So a worker ends itself, between two calls of native code, when it is told to.
 */

const stop = "stop";

/** In a worker: calls `take` for each task, and ends the thread when told to, after `settle` (default: at once). */
export function takeTasks<Task>(
  port: MessagePort,
  take: (task: Task) => void,
  settle: () => Promise<unknown> = async () => undefined,
): void {
  port.on("message", (task: Task | typeof stop) => {
    if (task === stop) void settle().finally(() => process.exit(0));
    else take(task as Task);
  });
}

/** Ends a worker that takes its tasks by `takeTasks`; settles when the thread is gone. What it has not answered is lost. */
export async function stopWorker(worker: Worker): Promise<void> {
  if (worker.threadId === -1) return;
  const gone = new Promise<void>((resolve) => {
    worker.once("exit", () => resolve());
  });
  worker.postMessage(stop);
  await gone;
}
