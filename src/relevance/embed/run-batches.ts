import type { ColumnsWriter } from "../../artefacts/index.ts";
import { formatNumber, type Progress } from "../../io/index.ts";
import { type LaneClock, laneClock } from "./lane-clock.ts";
import type { MatrixName, SkippedRow } from "./manifest.ts";

/** One matrix to make: batches of rows in order, each a pure function of its rows. */
export interface Job {
  readonly name: MatrixName;
  readonly unit: string;
  readonly count: number;
  readonly batch: number;
  /** Rows of the finished matrix. */
  readonly rows: number;
  /** What decides the numbers, for the manifest. */
  readonly facts: Readonly<Record<string, unknown>> & { readonly inputs: string };
  /** Batches that run side by side. */
  readonly lanes: number;
  /** Starts making the batch at `start`; called a few batches ahead. */
  prepare(start: number, end: number): Promise<Prepared>;
  close(): Promise<void>;
}

/** A batch that is ready to be run; what could not be read of it is skipped. */
export interface Prepared {
  readonly skipped: readonly SkippedRow[];
  run(clock: LaneClock): Promise<Float32Array>;
}

/** Batches in the making beside the one that the model runs: enough to ride out a slow image, few enough for memory. */
const batchesAhead = 2;

/** Makes rows `first` to `last` of a matrix, from where `writer` is on; gives the time that the model ran and was waited for. */
export async function runBatches(
  job: Job,
  first: number,
  last: number,
  writer: ColumnsWriter<SkippedRow>,
  dimension: number,
  progress: Progress,
): Promise<{ modelMs: number; waitMs: number }> {
  const done = first + writer.done;
  const label = writer.done > 0 ? `embed ${job.unit} (${formatNumber(writer.done)} from before)` : `embed ${job.unit}`;
  const task = progress.begin(label, last - done, job.unit);
  const ahead: Promise<Prepared>[] = [];
  const running: Promise<Ran>[] = [];
  // One more than there are lanes waits for the first that is free; alone, a batch runs when the one before is written.
  const runningAtOnce = job.lanes === 1 ? 1 : job.lanes + 1;
  let next = done;
  const clock = laneClock(job.lanes);
  const start = (): void => {
    const end = Math.min(last, next + job.batch);
    const prepared = job.prepare(next, end);
    prepared.catch(() => undefined); // awaited in its turn; until then a failure is not unhandled
    ahead.push(prepared);
    next = end;
  };
  let written: Promise<void> = Promise.resolve();
  try {
    for (;;) {
      for (;;) {
        while (next < last && ahead.length <= batchesAhead) start();
        const batch = running.length < runningAtOnce ? ahead.shift() : undefined;
        if (batch === undefined) break;
        const ran = runWhenPrepared(batch, clock);
        ran.catch(() => undefined); // awaited in its turn too
        running.push(ran);
      }
      const first = running.shift();
      if (first === undefined) break;
      const { vectors, skipped } = await first;
      await written;
      written = writer.write([vectors], { notes: skipped });
      written.catch(() => undefined);
      for (const { name, reason } of skipped) task.note(`skipped ${name}: ${reason}`);
      task.advance(vectors.length / dimension);
    }
    await written;
  } finally {
    await written.catch(() => undefined);
    task.end();
  }
  return clock.read();
}

interface Ran {
  readonly vectors: Float32Array;
  readonly skipped: readonly SkippedRow[];
}

async function runWhenPrepared(batch: Promise<Prepared>, clock: LaneClock): Promise<Ran> {
  const { skipped, run } = await batch;
  return { vectors: await run(clock), skipped };
}
