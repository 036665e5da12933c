import { parentPort } from "node:worker_threads";
import { setImageThreads } from "../codecs/index.ts";
import { type ChunkTask, makeChunk } from "./chunk.ts";
import { loadSprites } from "./sprites.ts";

// The entry of a worker thread: answers each task with its result or its error, in order.
setImageThreads(1);
const sprites = loadSprites();
let last: Promise<unknown> = Promise.resolve();
parentPort?.on("message", (task: ChunkTask) => {
  last = last.then(async () => {
    try {
      parentPort?.postMessage({ result: await makeChunk(task, await sprites) });
    } catch (error) {
      parentPort?.postMessage({ error });
    }
  });
});
