import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { stopWorker } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import type { SpriteSet } from "../picture/sprites.ts";
import { type ChunkResult, type ChunkTask, makeChunk } from "./chunk.ts";

/**
 * Runs tasks on worker threads and gives the results in the order of the tasks. At most two tasks a worker are under way
 * or waiting to be taken, so memory does not grow with their number. Throws the first worker's error.
 */
export async function* inOrder(
  tasks: Iterable<ChunkTask>,
  workers: number,
  sprites: SpriteSet,
): AsyncGenerator<ChunkResult, void, undefined> {
  if (workers === 0) {
    for (const task of tasks) yield await makeChunk(task, sprites);
    return;
  }
  const crew = Array.from({ length: workers }, () => new Hand());
  try {
    const waiting: Promise<ChunkResult>[] = [];
    let next = 0;
    for (const task of tasks) {
      const hand = crew[next++ % workers];
      if (hand === undefined) fail("internal", "a crew without hands");
      const result = hand.run(task);
      result.catch(() => undefined); // reported where it is awaited
      waiting.push(result);
      const first = waiting.length >= 2 * workers ? waiting.shift() : undefined;
      if (first !== undefined) yield await first;
    }
    for (const result of waiting) yield await result;
  } finally {
    await Promise.all(crew.map((hand) => hand.stop()));
  }
}

/**
 * How many workers to start: as asked, else one a core where there is enough to do. Sources that have not been compiled
 * (tests) run in this thread, since Node cannot load them in another one.
 */
export function crewSize(count: number, asked: number | undefined): number {
  if (asked !== undefined && (!Number.isInteger(asked) || asked < 0 || asked > 256)) {
    fail("usage", `expected 0 to 256 workers, got ${asked}`);
  }
  if (import.meta.url.endsWith(".ts")) return 0;
  if (asked !== undefined) return asked;
  return count < 64 ? 0 : Math.min(availableParallelism(), Math.ceil(count / 32));
}

/** A worker thread that takes one task after another. */
class Hand {
  readonly #worker = new Worker(new URL("./worker.js", import.meta.url));
  readonly #open: { resolve: (result: ChunkResult) => void; reject: (error: unknown) => void }[] = [];

  constructor() {
    this.#worker.on("message", (answer: { result: ChunkResult } | { error: unknown }) => {
      const waiting = this.#open.shift();
      if ("result" in answer) waiting?.resolve(answer.result);
      else waiting?.reject(answer.error);
    });
    this.#worker.on("error", (error) => this.#failAll(error));
    this.#worker.on("exit", (code) => this.#failAll(new Error(`a worker that draws scenes ended with status ${code}`)));
  }

  run(task: ChunkTask): Promise<ChunkResult> {
    return new Promise((resolve, reject) => {
      this.#open.push({ resolve, reject });
      this.#worker.postMessage(task);
    });
  }

  async stop(): Promise<void> {
    await stopWorker(this.#worker);
  }

  #failAll(error: unknown): void {
    for (const waiting of this.#open.splice(0)) waiting.reject(error);
  }
}
