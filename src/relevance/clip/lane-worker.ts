import { parentPort, workerData } from "node:worker_threads";
import { fail, NemosaicError } from "../../model/index.ts";
import type { LaneAnswer, LaneSettings, LaneTask } from "./image-lanes.ts";
import { openSession } from "./session.ts";
import { embedBatch, type PreprocessedBatch } from "./vision.ts";

/** The thread behind a lane of `openLanes`: a session of its own and one batch at a time. */
const port = parentPort ?? fail("internal", "lane-worker runs in a worker thread only");
const { vision, threads } = workerData as LaneSettings;
// A thread that spins while it waits takes the core from those that decode.
const session = openSession(vision.path, { device: "cpu", threads, spinning: false });
session.catch(() => undefined); // told with the first batch

let last: Promise<void> = Promise.resolve();
port.on("message", ({ id, batch }: LaneTask) => {
  last = last.then(async () => {
    const answer = await answerTo(id, batch);
    port.postMessage(answer, "vectors" in answer ? [answer.vectors.buffer as ArrayBuffer] : []);
  });
});

async function answerTo(id: number, batch: PreprocessedBatch): Promise<LaneAnswer> {
  try {
    return { id, vectors: await embedBatch(await session, batch, vision) };
  } catch (error) {
    const code = error instanceof NemosaicError ? error.code : undefined;
    return { id, code, message: error instanceof Error ? error.message : String(error) };
  }
}
