import { parentPort, workerData } from "node:worker_threads";
import { takeTasks } from "../../io/index.ts";
import { fail, NemosaicError } from "../../model/index.ts";
import type { LaneAnswer, LaneSettings, LaneTask } from "./image-lanes.ts";
import { openSession } from "./session.ts";
import { embedBatch } from "./vision.ts";

/** The thread behind a lane of `openLanes`: a session of its own and one step at a time. */
const port = parentPort ?? fail("internal", "lane-worker runs in a worker thread only");
const { vision, threads } = workerData as LaneSettings;
// A thread that spins while it waits takes the core from those that decode.
const session = openSession(vision.path, { device: "cpu", threads, spinning: false });
session.catch(() => undefined); // told with the first batch

let last: Promise<void> = Promise.resolve();
takeTasks(port, (task: LaneTask) => {
  last = last.then(async () => {
    const answer = await answerTo(task);
    port.postMessage(answer, "vectors" in answer ? [answer.vectors.buffer as ArrayBuffer] : []);
  });
});

let room = new Float32Array(0);

/** The runtime takes no shared memory: into the same room each time, which is cheaper than new memory. */
function copyUnshared(pixels: Float32Array): Float32Array {
  if (!(pixels.buffer instanceof SharedArrayBuffer)) return pixels;
  if (room.length < pixels.length) room = new Float32Array(pixels.length);
  room.set(pixels);
  return room.subarray(0, pixels.length);
}

async function answerTo({ id, step, firstRow }: LaneTask): Promise<LaneAnswer> {
  try {
    const opened = await session;
    const own = { ...step, pixels: copyUnshared(step.pixels) };
    return { id, vectors: await embedBatch(opened, own, vision, firstRow) };
  } catch (error) {
    const code = error instanceof NemosaicError ? error.code : undefined;
    return { id, code, message: error instanceof Error ? error.message : String(error) };
  }
}
