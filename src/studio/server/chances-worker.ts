import { parentPort, workerData } from "node:worker_threads";
import { fail, NemosaicError } from "../../model/index.ts";
import { type Mined, Pool } from "../../pool/index.ts";
import { openRiskEstimate, type RiskEstimate } from "../../risk/index.ts";
import { type ChancesResult, type ChancesTask, chancesOf } from "./chances.ts";
import { openMined } from "./mined-sets.ts";

/** The thread behind `Chances`: one pool, its words counted once, mined sets opened when first asked for. */
const port = parentPort ?? fail("internal", "chances-worker runs in a worker thread only");
let opened: Promise<{ readonly pool: Pool; readonly estimate: RiskEstimate }> | undefined;
const sets = new Map<string, Promise<Mined>>();

port.on("message", (task: ChancesTask) => void answer(task));

async function answer({ id, mined: name, rows }: ChancesTask): Promise<void> {
  try {
    opened ??= open(workerData as string);
    const { pool, estimate } = await opened.catch((error: unknown) => {
      opened = undefined; // the next question tries again
      throw error;
    });
    const set = sets.get(name) ?? openMined(pool, name);
    sets.set(name, set);
    set.catch(() => sets.delete(name));
    const chances = chancesOf(estimate, await set, rows);
    port.postMessage(
      { id, chances } satisfies ChancesResult,
      chances.map(({ buffer }) => buffer as ArrayBuffer),
    );
  } catch (error) {
    const code = error instanceof NemosaicError ? error.code : undefined;
    port.postMessage({ id, code, message: (error as Error).message } satisfies ChancesResult);
  }
}

async function open(folder: string): Promise<{ readonly pool: Pool; readonly estimate: RiskEstimate }> {
  const pool = await Pool.open(folder);
  return { pool, estimate: await openRiskEstimate(pool) };
}
