import { Worker } from "node:worker_threads";
import { type ErrorCode, NemosaicError } from "../../model/index.ts";
import type { Mined, Pool } from "../../pool/index.ts";
import { openRiskEstimate, type RiskEstimate } from "../../risk/index.ts";

/** What is asked of the thread: the chances of all candidates of some expressions. */
export interface ChancesTask {
  readonly id: number;
  readonly mined: string;
  readonly rows: Int32Array;
}

export type ChancesResult =
  | { readonly id: number; readonly chances: Float32Array[] }
  | { readonly id: number; readonly code: ErrorCode | undefined; readonly message: string };

interface Waiting {
  resolve(chances: Float32Array[]): void;
  reject(error: Error): void;
}

/**
 * The estimated chances that candidates are false negatives (docs/tune.md), worked out in a thread with a pool of its
 * own: counting the words of a large pool takes seconds in which the studio could answer nobody. Close it when done.
 */
export class Chances {
  readonly #pool: Pool;
  readonly #startThread: (() => Worker) | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | undefined;
  #estimate: RiskEstimate | undefined;
  #nextId = 0;

  /** `startThread` starts one that answers `ChancesTask`s; undefined: all is worked out on the caller's. */
  constructor(pool: Pool, startThread: (() => Worker) | undefined = threadOf(pool)) {
    this.#pool = pool;
    this.#startThread = startThread;
  }

  /**
   * For each expression row the chance of each of its candidates, 0 to 1, in their order; NaN for no-target expressions.
   * Errors: those of `Mined.open`; "internal" where the thread ends.
   */
  async of(mined: Mined, name: string, rows: Int32Array): Promise<Float32Array[]> {
    if (this.#startThread === undefined) {
      this.#estimate ??= await openRiskEstimate(this.#pool);
      return chancesOf(this.#estimate, mined, rows);
    }
    this.#thread ??= this.#started(this.#startThread());
    const id = this.#nextId++;
    const answer = new Promise<Float32Array[]>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#thread.postMessage({ id, mined: name, rows: rows.slice() } satisfies ChancesTask);
    return answer;
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined) return;
    this.#fail(thread, new NemosaicError("internal", "the estimates are closed"));
    await thread.terminate();
  }

  #started(thread: Worker): Worker {
    thread.unref();
    thread.on("message", (result: ChancesResult) => {
      const waiting = this.#waiting.get(result.id);
      this.#waiting.delete(result.id);
      if ("chances" in result) waiting?.resolve(result.chances);
      else waiting?.reject(new NemosaicError(result.code ?? "internal", result.message));
    });
    thread.on("error", (error) => this.#fail(thread, error as Error));
    thread.on("exit", (code) =>
      this.#fail(
        thread,
        new NemosaicError("internal", `the thread of the estimates ended with ${code}: too little memory?`),
      ),
    );
    return thread;
  }

  /** The next question starts another thread; of one that is done for only the first word counts. */
  #fail(thread: Worker, error: Error): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** The chances of all candidates of `rows`. */
export function chancesOf(estimate: Pick<RiskEstimate, "fill">, mined: Mined, rows: Int32Array): Float32Array[] {
  return Array.from(rows, (row) => {
    const { ids } = mined.row(row);
    const columns = { risk: new Float32Array(ids.length), showsKind: new Uint8Array(ids.length) };
    estimate.fill(row, ids, columns, 0);
    return columns.risk;
  });
}

/** Threads start from compiled files only: Node does not know TypeScript. */
function threadOf(pool: Pool): (() => Worker) | undefined {
  if (!import.meta.url.endsWith(".js")) return undefined;
  const entry = new URL("./chances-worker.js", import.meta.url);
  return () => new Worker(entry, { workerData: pool.folder, execArgv: [] });
}
