import { parentPort, workerData } from "node:worker_threads";
import { NpyReader } from "../../codecs/index.ts";
import { takeTasks } from "../../io/index.ts";
import { fail, NemosaicError } from "../../model/index.ts";
import type { DenseMiner } from "./dense-miner.ts";
import type { MineAnswer, MinerSetup, MineTask } from "./miners.ts";
import { openDenseMiner } from "./open-dense-miner.ts";
import type { VectorFile } from "./vector-file.ts";

/** The thread behind `openMiners`: a miner of its own. */
const port = parentPort ?? fail("internal", "mine-worker runs in a worker thread only");
const setup = workerData as MinerSetup;
let miner: Promise<DenseMiner> | undefined;

takeTasks(port, (task: MineTask) => void answer(task));

async function answer({ expressions, images, imageOf }: MineTask): Promise<void> {
  try {
    miner ??= openMiner();
    const columns = await (await miner).mine(expressions, images, imageOf);
    const moved = [columns.ids, columns.t2i, columns.i2i].map(({ buffer }) => buffer as ArrayBuffer);
    port.postMessage({ columns } satisfies MineAnswer, moved);
  } catch (error) {
    const code = error instanceof NemosaicError ? error.code : undefined;
    const message = error instanceof Error ? error.message : String(error);
    port.postMessage({ code, message } satisfies MineAnswer);
  }
}

async function openMiner(): Promise<DenseMiner> {
  const [images, expressions] = await Promise.all([openVectors(setup.images), openVectors(setup.expressions)]);
  return openDenseMiner(images, expressions, setup);
}

async function openVectors(path: string): Promise<VectorFile> {
  const reader = await NpyReader.open(path);
  return {
    path,
    count: reader.shape[0] ?? 0,
    dimension: reader.rowLength,
    read: (start, count, into) => reader.rowsAsFloat32(start, count, into),
    readSync: (start, count, into) => reader.rowsAsFloat32Sync(start, count, into),
    close: () => reader.close(),
  };
}
