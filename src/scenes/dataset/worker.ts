import { parentPort } from "node:worker_threads";
import { setImageThreads } from "../../codecs/index.ts";
import { takeTasks } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { loadSprites } from "../picture/sprites.ts";
import { type ChunkTask, makeChunk } from "./chunk.ts";

// The entry of a worker thread: answers each task with its result or its error, in order.
setImageThreads(1);
const port = parentPort ?? fail("internal", "the drawing worker runs in a worker thread only");
const sprites = loadSprites();
let last: Promise<unknown> = Promise.resolve();
let isStopped = false;

const take = (task: ChunkTask): void => {
  last = last.then(async () => {
    if (isStopped) return;
    try {
      port.postMessage({ result: await makeChunk(task, await sprites) });
    } catch (error) {
      port.postMessage({ error });
    }
  });
};

takeTasks(port, take, () => {
  isStopped = true;
  return last;
});
