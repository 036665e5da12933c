import { parentPort, workerData } from "node:worker_threads";
import { takeTasks } from "../../io/index.ts";
import { fail, NemosaicError } from "../../model/index.ts";
import { Pool } from "../../pool/index.ts";
import { estimateFrom, measureBox, type PairEstimate } from "../../risk/index.ts";
import { estimateBlock } from "./risk-block.ts";
import type { RiskAnswer, RiskOrder, RiskSetup } from "./risk-threads.ts";

/** The thread behind `openRiskThreads`: it opens the pool only where boxes are to be measured. */
const port = parentPort ?? fail("internal", "risk-worker runs in a worker thread only");
const { facts, pool: folder } = workerData as RiskSetup;
let estimate: PairEstimate | undefined;
let pool: Promise<Pool> | undefined;
/** Answers go out in the order of the tasks. */
let last: Promise<void> = Promise.resolve();

takeTasks(port, (order: RiskOrder) => {
  last = last.then(() => answer(order));
});

async function answer(order: RiskOrder): Promise<void> {
  try {
    if ("ids" in order) {
      estimate ??= estimateFrom(facts);
      pool = undefined;
      const block = estimateBlock(estimate, order);
      port.postMessage(block satisfies RiskAnswer, [block.risk.buffer, block.showsKind.buffer] as ArrayBuffer[]);
    } else {
      pool ??= Pool.open(folder);
      const opened = await pool;
      for (const object of order.unmeasured) measureBox(facts, opened, object);
      port.postMessage({ measured: order.unmeasured.length } satisfies RiskAnswer);
    }
  } catch (error) {
    const code = error instanceof NemosaicError ? error.code : undefined;
    const message = error instanceof Error ? error.message : String(error);
    port.postMessage({ code, message } satisfies RiskAnswer);
  }
}
